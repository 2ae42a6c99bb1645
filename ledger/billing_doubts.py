"""What may count twice because two bills, or a bill and a source, tell it: warned of, never guessed away."""

from collections.abc import Iterator, Sequence
from typing import Literal, cast

from ledger.bills import BillingKind, BillingLine
from ledger.catalogue import bind
from ledger.engine import Row
from ledger.money import exact_usd_text
from ledger.reader import Reader
from ledger.window import Window

BillingQuery = Literal[
    "billing_amortised_twice", "billing_commitments", "billing_lines", "billing_pools", "billing_told_twice",
    "billing_usage_told_twice",
]  # fmt: skip
_PAYS_FOR_TOKENS: Sequence[BillingKind] = ("credits", "resource_units", "commitments", "tokens")


def billing_rows(reader: Reader, name: BillingQuery, window: Window) -> Sequence[Row]:
    query = bind(name, windows=[window])
    return reader.engine.rows(query.sql, query.parameters)


def billing_warnings(reader: Reader, window: Window, lines: Sequence[BillingLine]) -> list[str]:
    """`lines` are those of bills, without plain usage."""
    return [
        *_amortised_twice(reader, window),
        *_told_twice(reader, window),
        *_usage_told_twice(reader, window),
        *_computed_beside(reader, window, lines),
    ]


def _amortised_twice(reader: Reader, window: Window) -> Iterator[str]:
    for provider, kind, _ in billing_rows(reader, "billing_amortised_twice", window):
        yield (
            f"{provider}: purchases of {kind} carry an effective cost, and so does what draws on them: "
            "the effective cost counts both"
        )


def _told_twice(reader: Reader, window: Window) -> Iterator[str]:
    for provider, kind, days, first, last in billing_rows(reader, "billing_told_twice", window):
        yield (
            f"{provider}: {kind} of {days} days ({first} to {last}) come from more than one source: "
            "the same bill may count twice; keep one of them"
        )


def _usage_told_twice(reader: Reader, window: Window) -> Iterator[str]:
    for provider, model, hours in billing_rows(reader, "billing_usage_told_twice", window):
        yield (
            f"{provider}: usage of {model} in {hours} hours comes from bills and from another source: "
            "it may count twice; keep one of them"
        )


def _computed_beside(reader: Reader, window: Window, lines: Sequence[BillingLine]) -> Iterator[str]:
    """A gateway's tokens are priced by the book; credits or a commitment may pay for the same tokens."""
    computed: dict[str, int] = {}
    for basis in reader.price_basis([window]):
        if not basis.billed:
            computed[basis.provider] = computed.get(basis.provider, 0) + basis.cost_pico
    for provider, cost in sorted(computed.items()):
        paid = {x.kind for x in lines if x.provider == provider and x.beside_usage_pico > 0}
        kinds = [kind for kind in _PAYS_FOR_TOKENS if kind in paid]
        if cost > 0 and kinds:
            yield (
                f"{provider}: {exact_usd_text(cost)} USD of usage are computed from the price book while "
                f"{cast(str, kinds[0])} are billed too: what these pay for counts twice unless a "
                "[[price_override]] makes it 0"
            )
