"""The spend of the week in sentences: how much, against last week, why, and who moved it."""

from decimal import Decimal

from agent.waterfall import effect_label
from ledger.money import PICO_PER_CENT
from tokensleuth.digest.amounts import cents_of
from tokensleuth.digest.facts import Digest, Effect, Spend
from tokensleuth.digest.page import (
    Column,
    Figure,
    Grid,
    Line,
    Paragraph,
    Section,
    Strong,
    listed,
)
from tokensleuth.digest.saying import (
    cents_text,
    counted,
    day_text,
    effect_text,
    moment_text,
    pico_text,
    share_text,
)
from tokensleuth.digest.week import KnownWeek

LEADS = 3
"""Effects told in the first sentences, ..."""
LEAST_PART = 0.05
"""... if they are at least this part of the change."""
MOST_TIMES = 10
"""Beyond this a rise is not told in per cent."""


def week_line(week: KnownWeek) -> Line:
    """Which days; of a part of the week, which hours."""
    first, last = week.week.window.start_at, week.week.window.end_at
    days = f"{day_text(first)} to {day_text(last.replace(hour=0) - (last - first) / 7)} {last:%Y}, UTC"
    if week.known is None or week.is_whole:
        return (days,)
    told = f"{moment_text(week.known.start_at)} to {moment_text(week.known.end_at)}"
    return (f"{days}; known so far: {told}, {week.known.hours} of {week.week.window.hours} hours",)


def spend_lines(digest: Digest) -> tuple[Line, ...]:
    """The first sentence, and why in the second."""
    week, spend = digest.week, digest.spend
    if week.known is None:
        return (_unknown(week),)
    cost = pico_text(spend.now.cost_pico)
    if not spend.now.tokens.total and not spend.now.requests and not spend.now.cost_pico:
        return ((Strong("Nothing was used, or no usage came in"), _against_nothing(spend), "."),)
    if spend.last is None:
        return ((Strong(f"Spend was {cost}"), f". {_no_last(week)}"),)
    return tuple(filter(None, (_compared(week, spend, cost), _because(spend.effects, spend.change_cents))))


def _unknown(week: KnownWeek) -> Line:
    if week.week.window.end_at <= week.starts_at:
        return (
            Strong("No usage is known of this week"),
            f": the ledger begins {moment_text(week.starts_at)} UTC.",
        )
    return (
        Strong("No usage is known of this week"),
        f": what is known ends {moment_text(week.ends_at)} UTC.",
    )


def _against_nothing(spend: Spend) -> str:
    return f"; last week cost {pico_text(spend.last.cost_pico)}" if spend.last else ""


def _no_last(week: KnownWeek) -> str:
    starts = moment_text(week.starts_at)
    return f"There is no whole week before it to compare with: the ledger begins {starts} UTC."


def _compared(week: KnownWeek, spend: Spend, cost: str) -> Line:
    last = spend.last.cost_pico if spend.last else 0
    hours = "last week" if week.is_whole else "the same hours of last week"
    if not spend.change_cents:
        return (Strong(f"Spend was {cost}"), f", the same as {hours} to the cent.")
    way = "more" if spend.change_cents > 0 else "less"
    part = f" ({_times(spend.now.cost_pico, last, abs(spend.change_cents))})" if last > 0 else ""
    change = f"{cents_text(abs(spend.change_cents))}{part} {way} than {hours}"
    return (Strong(f"Spend was {cost}, {change}"), f" ({pico_text(last)}).")


def _times(now: int, last: int, change_cents: int) -> str:
    """The change in per cent; beyond ten times as much nobody reads that."""
    if now > MOST_TIMES * last:
        return f"{now / last:,.0f} times as much"
    return share_text(change_cents, last / PICO_PER_CENT)


def _because(effects: tuple[Effect, ...], change: int) -> Line:
    """The largest effects the way of the change, and the largest one against it, where they matter."""
    told = sorted((e for e in effects if e.cents), key=lambda e: -abs(e.cents))
    if not told:
        return ()
    if not change:
        return (
            "What rose and what fell cancel out: ",
            *listed([(effect_text(e),) for e in told[:LEADS]]),
            ".",
        )
    large = [e for e in told if abs(e.cents) >= LEAST_PART * abs(change)]
    along = [e for e in large if (e.cents > 0) == (change > 0)][:LEADS]
    against = [e for e in large if (e.cents > 0) != (change > 0)][:1]
    line: Line = ("Because of ", *listed([(effect_text(e),) for e in along]))
    return (*line, *(f"; against it {effect_text(e)}" for e in against), ".")


def change_section(digest: Digest) -> Section | None:
    """The effects as a table that adds up, with the hours as a chart."""
    spend = digest.spend
    blocks: list[Figure | Grid | Paragraph] = []
    if digest.line:
        blocks.append(Figure("spend", _line_told(digest)))
    if spend.last is not None:
        named = sorted((e for e in spend.effects if e.cents), key=lambda e: -abs(e.cents))
        blocks.append(_effects_grid(spend, named, "" if digest.week.is_whole else ", the same hours"))
        blocks.append(Paragraph((_zeros(len(spend.effects) - len(named), len(named)),), quiet=True))
    title = "Why it changed" if spend.last is not None else "Hour by hour"
    return Section(title, tuple(blocks), rank=2) if blocks else None


def _zeros(zeros: int, others: int) -> str:
    """What a table of effects leaves out."""
    if not others:
        return f"All {zeros} effects that are looked at are zero."
    left = f"{counted(zeros, 'other effect')} {'is' if zeros == 1 else 'are'} zero"
    return f"Each dollar of the change is in one line; {left}."


def _line_told(digest: Digest) -> str:
    line = digest.line
    if line is None or not line.weeks:
        return "Dollars per hour of the week; no earlier week is known to compare them with."
    weeks = counted(line.weeks, "earlier week")
    now, before = (cents_text(round(100 * sum(hours))) for hours in (line.actual, line.expected))
    expected = f"the mean of the same hours in {weeks} cost {before}"
    return f"Dollars per hour: the week cost {now}, {expected}."


def _effects_grid(spend: Spend, named: list[Effect], hours: str) -> Grid:
    last_cents = cents_of(spend.last.cost_pico) if spend.last else 0
    rows: list[tuple[Line, ...]] = [((f"Last week{hours}",), (cents_text(last_cents),))]
    for effect in named:
        label = effect_label(effect.name, Decimal(effect.cents))
        rows.append(((label[:1].upper() + label[1:],), (cents_text(effect.cents, signed=True),)))
    rows.append(
        (("This week so far" if hours else "This week",), (cents_text(last_cents + spend.change_cents),))
    )
    return Grid(
        "effect", (Column("From last week to this"), Column("USD", right=True)), tuple(rows), has_total=True
    )
