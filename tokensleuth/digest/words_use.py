"""What the money bought and what was wasted: unit costs, cache, batch, shares, coming changes, showback."""

from collections.abc import Iterator, Sequence

from ledger.money import usd_from_pico
from tokensleuth.digest.amounts import shared_permille
from tokensleuth.digest.facts import Coming, Digest, OutcomeCost, ShowbackRow, Used
from tokensleuth.digest.page import Block, Bullets, Column, Grid, Line, Name, Paragraph, Section, listed
from tokensleuth.digest.saying import (
    cents_text,
    counted,
    day_text,
    many,
    permille_text,
    pico_text,
    share_text,
    small_text,
)

MOST_ROWS = 15
MOST_MODELS = 3
MOST_COMING = 6
_USD = Column("USD", right=True)


def use_section(digest: Digest) -> Section | None:
    """A line each for what a dollar bought, this week and last."""
    now, last = digest.spend.now, digest.spend.last
    if now == Used() and last in (None, Used()):
        return None
    columns = (Column("Figure"), Column("This week", right=True), Column("Last week", right=True))
    rows: list[tuple[Line, ...]] = [
        ((label,), (value,), (before,)) for label, value, before in _figures(now, last)
    ]
    rows += [_outcome(cost) for cost in digest.outcomes]
    blocks: list[Block] = [Grid("figure", columns, tuple(rows))]
    blocks += [Paragraph(line, quiet=True) for line in _notes(digest)]
    return Section("What it bought and what was wasted", tuple(blocks), rank=5)


def _figures(now: Used, last: Used | None) -> Iterator[tuple[str, str, str]]:
    def row(label: str, value: str, before: str) -> tuple[str, str, str]:
        return label, value, before if last is not None else "-"

    then = last or Used()
    yield row("Requests", many(now.requests), many(then.requests))
    yield row("Tokens", many(now.tokens.total), many(then.tokens.total))
    yield row("Cost per 1,000 requests", _per(now, now.requests, 1000), _per(then, then.requests, 1000))
    yield row(
        "Cost per million priced tokens", _per(now, _priced(now), 10**6), _per(then, _priced(then), 10**6)
    )
    yield row("Input tokens read from a cache", _cached(now), _cached(then))
    yield row("Spend at batch or flex prices", _part(now.batch_pico, now), _part(then.batch_pico, then))
    yield row(
        "Spent on failed and retried requests", _part(now.wasted_pico, now), _part(then.wasted_pico, then)
    )
    yield row("Tokens without a price", _unpriced(now), _unpriced(then))


def _per(used: Used, count: int, size: int) -> str:
    return small_text(used.cost_pico * size, count)


def _priced(used: Used) -> int:
    return used.tokens.total - used.unpriced_tokens


def _cached(used: Used) -> str:
    return share_text(used.tokens.cache_read, used.tokens.prompt)


def _part(pico: int, used: Used) -> str:
    return f"{pico_text(pico)} ({share_text(pico, used.cost_pico)})" if pico else "$0.00"


def _unpriced(used: Used) -> str:
    if not used.unpriced_tokens:
        return "none"
    return f"{many(used.unpriced_tokens)} ({share_text(used.unpriced_tokens, used.tokens.total)})"


def _outcome(cost: OutcomeCost) -> tuple[Line, ...]:
    each = usd_from_pico(cost.cost_pico) / cost.count if cost.count else None
    label = ("Cost per ", Name(cost.outcome), f" ({cost.count:,f} in {counted(cost.days, 'day')})")
    return (label, ("none was reported" if each is None else f"${each:,.4f}",), ("",))


def _notes(digest: Digest) -> Iterator[Line]:
    coverage, now = digest.coverage, digest.spend.now
    if coverage.unallocated_pico is not None and now.cost_pico:
        share = share_text(coverage.unallocated_pico, now.cost_pico)
        owned = f"Nobody owns {pico_text(coverage.unallocated_pico)} ({share}) of the spend."
        yield ("All spend has a team." if not coverage.unallocated_pico else owned,)
    if coverage.unpriced:
        models = listed([(Name(m.model), f" ({many(m.tokens)})") for m in coverage.unpriced[:MOST_MODELS]])
        rest = len(coverage.unpriced) - MOST_MODELS
        more = f" and {counted(rest, 'more model')}" if rest > 0 else ""
        yield ("Without a price, so in no dollar here: tokens of ", *models, more, ".")
    if now.wasted_pico:
        yield (_WASTE,)


_WASTE = (
    "Waste is an estimate: of each key and model the part of its cost that is in proportion to its requests "
    "that failed or were retries."
)


def coming_section(digest: Digest) -> Section | None:
    """What changes soon at the providers, for models in use."""
    if not digest.coming:
        return None
    lines = [_event(one, digest) for one in digest.coming[:MOST_COMING]]
    if more := len(digest.coming) - len(lines):
        lines.append((f"and {counted(more, 'dated change')} more.",))
    return Section("Coming changes", (Bullets(tuple(lines)),), rank=6)


def _event(coming: Coming, digest: Digest) -> Line:
    since = "Since" if coming.day <= digest.week.at.date() else "From"
    day = f"{since} {day_text(coming.day)} {coming.day:%Y}: "
    models = listed([(Name(model),) for model in coming.models[:MOST_MODELS]])
    spend = f" cost {pico_text(coming.now_pico)} this week"
    return (
        day,
        coming.summary,
        " ",
        *models,
        spend,
        _would(coming),
        f" ({coming.confidence}).",
    )


def _would(coming: Coming) -> str:
    if coming.factor is None:
        return ""
    low, high = (round(coming.now_pico * factor) for factor in coming.factor)
    told = pico_text(low) if low == high else f"{pico_text(low)} to {pico_text(high)}"
    return f", and would cost {told} with the same use"


def showback_section(digest: Digest) -> Section | None:
    """Who pays; what has no row of its own is one row, so that the table adds up."""
    if not digest.showback:
        return None
    noun = "team" if digest.team is None else "key"
    columns = (
        Column(noun.capitalize()), _USD, Column("Share", right=True), Column("Change", right=True),
        Column("Requests", right=True, extra=True), Column("Tokens", right=True, extra=True),
    )  # fmt: skip
    told: list[tuple[Line, Sequence[ShowbackRow]]] = [
        ((Name(row.name),), [row]) for row in digest.showback[:MOST_ROWS]
    ]
    if others := digest.showback[MOST_ROWS:]:
        told.append(((counted(len(others), f"other {noun}"),), others))
    shares = shared_permille([sum(row.now.cost_pico for row in rows) for _, rows in told])
    told.append((("Total",), digest.showback))
    rows = [_row(*each, share) for each, share in zip(told, [*shares, sum(shares)], strict=True)]
    note = "Dollars and shares are rounded so that the rows add up; tokensleuth digest --csv has every digit."
    blocks = (Grid(noun, columns, tuple(rows), has_total=True), Paragraph((note,), quiet=True))
    return Section(f"Showback by {noun}", blocks, rank=2)


def _row(label: Line, rows: Sequence[ShowbackRow], permille: int) -> tuple[Line, ...]:
    """One of those who pay, or several together."""
    cost = sum(row.now.cost_pico for row in rows)
    share = permille_text(permille, is_there=cost > 0) if cost or permille else "-"
    compared = all(row.last is not None for row in rows)
    change = cents_text(sum(row.change_cents for row in rows), signed=True) if compared else "-"
    requests, tokens = sum(row.now.requests for row in rows), sum(row.now.tokens.total for row in rows)
    cents = cents_text(sum(row.cents for row in rows))
    return (label, (cents,), (share,), (change,), (many(requests),), (many(tokens),))
