"""Other billing, and whether the numbers can be trusted: completeness and the anchor of the audit trail."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ledger.bills import Commitment, CreditPool
from tokensleuth.digest.amounts import cents_of, shared_cents
from tokensleuth.digest.facts import BilledKind, Digest
from tokensleuth.digest.page import Block, Bullets, Column, Grid, Line, Name, Paragraph, Section
from tokensleuth.digest.saying import cents_text, many, moment_text, pico_text, share_text
from tokensleuth.terminal.text import words

_COLUMNS = (
    Column("Kind"),
    Column("Billed", right=True),
    Column("Cost of use", right=True),
    Column("Not in the spend above", right=True),
)
LEAST_UNPRICED = 0.01
LEAST_UNOWNED = 0.1
"""Parts from which on gaps are told in the first sentences."""
_MEANING = (
    "Billed is what invoices say; cost of use spreads what was paid before over what drew on it. Each dollar "
    "is in one line only."
)


def gaps_line(digest: Digest) -> Line:
    """For the first sentences: what the dollars leave out, and what nobody answers for, if it is much."""
    now, nobody = digest.spend.now, digest.coverage.unallocated_pico or 0
    told: list[str] = []
    if now.unpriced_tokens >= LEAST_UNPRICED * max(now.tokens.total, 1):
        share = share_text(now.unpriced_tokens, now.tokens.total)
        told.append(f"{many(now.unpriced_tokens)} tokens ({share}) have no price and are in no dollar here")
    if nobody and nobody >= LEAST_UNOWNED * now.cost_pico:
        told.append(f"{pico_text(nobody)} ({share_text(nobody, now.cost_pico)}) of the spend has no team")
    return (f"{'; '.join(told)}.",) if told else ()


def billing_line(digest: Digest) -> Line:
    """For the first sentences: what is billed beside usage, and all of it together."""
    kinds = digest.billing.kinds
    beside = sum(kind.beside_pico for kind in kinds)
    if not cents_of(beside):
        return ()
    named = [
        f"{words(kind.kind)} {pico_text(kind.beside_pico)}" for kind in kinds if cents_of(kind.beside_pico)
    ]
    whole = pico_text(sum(kind.effective_pico for kind in kinds))
    return (f"Other costs: {', '.join(named)}; in all the week cost {whole}.",)


def billing_section(digest: Digest) -> Section | None:
    """Credits, seats, commitments and so on, where there are any."""
    billing = digest.billing
    if not billing.has_others:
        return None
    blocks: list[Block] = [Grid("kind", _COLUMNS, tuple(_kind_rows(billing.kinds)), has_total=True)]
    lines = [*(_pool(pool) for pool in billing.pools), *(_commitment(one) for one in billing.commitments)]
    if lines:
        blocks.append(Bullets(tuple(lines)))
    blocks += [Paragraph(("Look at this: ", Name(warning)), quiet=True) for warning in billing.warnings]
    blocks.append(Paragraph((_MEANING,), quiet=True))
    return Section("All billing", tuple(blocks), rank=6)


def data_section(digest: Digest) -> Section:
    """What is known, since when, compared how, and by which count and signature the record can be checked."""
    lines: list[Line] = [_known(digest)]
    lines += [
        ("Nothing came from ", Name(source.provider), f" after {moment_text(source.ends_at)} UTC.")
        for source in digest.completeness.late
    ]
    if anchor := digest.case.anchor:
        entries = f"{anchor.count:,} entr{'y' if anchor.count == 1 else 'ies'}"
        lines.append((f"Audit anchor: {entries}, ", Name(str(anchor)), "."))
    made = f"Made {moment_text(digest.made_at)} UTC from the ledger and the casebook"
    lines.append((f"{made}; weeks are ISO weeks in UTC.",))
    return Section("Data and audit", (Bullets(tuple(lines)),), rank=7)


def _known(digest: Digest) -> Line:
    week, found = digest.week, digest.completeness
    if week.known is None:
        return ("No usage is known of this week.",)
    until = f"usage is known until {moment_text(week.known.end_at)} UTC"
    empty = week.known.hours - found.hours_with_usage
    gaps = "each of them has usage" if not empty else f"{empty:,} of them without usage"
    return (f"Completeness: {week.known.hours} of {found.hours} hours are known, {gaps}; {until}.",)


def _kind_rows(kinds: Sequence[BilledKind]) -> Iterator[tuple[Line, ...]]:
    """The cents of each column add up to its total."""
    amounts = [
        [kind.billed_pico for kind in kinds],
        [kind.effective_pico for kind in kinds],
        [kind.beside_pico for kind in kinds],
    ]
    columns = [shared_cents(column, cents_of(sum(column))) for column in amounts]
    for i, kind in enumerate(kinds):
        yield ((words(kind.kind).capitalize(),), *((cents_text(column[i]),) for column in columns))
    yield (("Total",), *((cents_text(sum(column)),) for column in columns))


def _pool(pool: CreditPool) -> Line:
    granted = "an unknown pool" if pool.granted is None else f"a pool of {_quantity(pool.granted)}"
    share = "" if pool.used_share is None else f" ({share_text(pool.used_share, 1)})"
    over = (
        f"; {_quantity(pool.overage)} beyond it billed {pico_text(pool.overage_billed_pico)}"
        if pool.overage
        else ""
    )
    head: Line = (Name(pool.provider), " ", Name(pool.currency), f", {pool.month:%B}: ")
    return (*head, f"{_quantity(pool.from_pool)} drawn from {granted}{share}{over}.")


def _commitment(one: Commitment) -> Line:
    share = "" if one.utilisation is None else f", {share_text(one.utilisation, 1)} used"
    unused = f", {pico_text(one.unused_pico)} of it unused: waste" if one.unused_pico else ""
    return (
        "Commitment ",
        Name(one.name or one.commitment_id),
        " at ",
        Name(one.provider),
        f"{share}{unused}.",
    )


def _quantity(amount: Decimal) -> str:
    return f"{amount.normalize():,f}"
