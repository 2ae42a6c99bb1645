"""What the money bought and what was wasted: unit costs, cache, batch, shares, coming changes, showback."""

from collections.abc import Iterator, Sequence

from ledger.money import usd_from_pico
from tokensleuth.digest.facts import Coming, Digest, OutcomeCost, ShowbackRow, Used
from tokensleuth.digest.page import Block, Bullets, Column, Grid, Line, Name, Paragraph, Section, listed
from tokensleuth.digest.saying import cents_text, counted, day_text, many, pico_text, share_text, small_text

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
        "Cost per million tokens", _per(now, now.tokens.total, 10**6), _per(then, then.tokens.total, 10**6)
    )
    yield row("Tokens sent that were read from a cache", _cached(now), _cached(then))
    yield row("Spend at batch or flex prices", _part(now.batch_pico, now), _part(then.batch_pico, then))
    yield row(
        "Spent on failed and retried requests", _part(now.wasted_pico, now), _part(then.wasted_pico, then)
    )
    yield row("Tokens without a price", _unpriced(now), _unpriced(then))


def _per(used: Used, count: int, size: int) -> str:
    return small_text(used.cost_pico * size, count)


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
    if coverage.unallocated_pico is not None:
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
    shown = digest.showback[:MOST_ROWS]
    rows = [_showback(row, digest.spend.now) for row in shown]
    if others := digest.showback[MOST_ROWS:]:
        rows.append(_rest(others, noun, digest.spend.now))
    now, cents = digest.spend.now, sum(row.cents for row in digest.showback)
    rows.append(_row(("Total",), cents, digest.spend.change_cents if digest.spend.last else None, [now], now))
    note = "Rounded so that the rows add up; tokensleuth digest --csv writes every digit."
    blocks = (Grid(noun, columns, tuple(rows), has_total=True), Paragraph((note,), quiet=True))
    return Section(f"Showback by {noun}", blocks, rank=2)


def _showback(row: ShowbackRow, total: Used) -> tuple[Line, ...]:
    change = None if row.last is None else row.change_cents
    return _row((Name(row.name),), row.cents, change, [row.now], total)


def _rest(rows: tuple[ShowbackRow, ...], noun: str, total: Used) -> tuple[Line, ...]:
    compared = all(row.last is not None for row in rows)
    change = sum(row.change_cents for row in rows) if compared else None
    label = (f"{counted(len(rows), f'other {noun}')}",)
    return _row(label, sum(row.cents for row in rows), change, [row.now for row in rows], total)


def _row(label: Line, cents: int, change: int | None, used: Sequence[Used], total: Used) -> tuple[Line, ...]:
    share = share_text(sum(u.cost_pico for u in used), total.cost_pico)
    told = "-" if change is None else cents_text(change, signed=True)
    requests, tokens = sum(u.requests for u in used), sum(u.tokens.total for u in used)
    return (label, (cents_text(cents),), (share,), (told,), (many(requests),), (many(tokens),))
