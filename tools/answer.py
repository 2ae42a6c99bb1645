"""The answer every tool gives: what was asked, over which hours, the rows, and named numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from ledger.ids import fact_id
from ledger.money import usd_from_pico
from ledger.scope import EVERYTHING, Scope
from ledger.usage import TOKEN_CLASSES, Measures, TokenCounts
from ledger.window import Window
from tools.comparison import Comparison

Status = Literal["ok", "no_data", "failed"]
Scalar = str | int | float | Decimal | None
Row = Mapping[str, Scalar | Mapping[str, str]]
Argument = str | int | float | None | Mapping[str, str] | Sequence[str]

SUMMED = (
    "requests", "failed_requests", "retried_requests", "reasoning_tokens", "cost_pico", "computed_pico",
    "unpriced_tokens", "uncounted_tokens", "cells",
)  # fmt: skip

OTHER = "(other)"
"""Marks the row that sums up what a bounded answer does not list."""


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What a tool found; "nothing found" is the status `no_data`, never an error."""

    tool: str
    arguments: Mapping[str, Argument]
    """Everything that was asked, window and filters included: the same arguments give the same id."""
    status: Status
    window: Window
    baseline: tuple[Window, ...] = ()
    where: Scope = EVERYTHING
    rows: tuple[Row, ...] = ()
    facts: Mapping[str, Scalar] = field(default_factory=dict)
    """Named numbers with the unit in the name; a fact that is not defined is left out."""

    @property
    def id(self) -> str:
        return fact_id("ev", self.tool, self.arguments)


def asked(window: Window, where: Scope, **more: Argument) -> dict[str, Argument]:
    """The arguments of a tool call as they are stored and shown."""
    named = {name: value for name, value in more.items() if value is not None}
    return {"window": window.as_json(), "where": dict(where.items), **named}


def answer(
    tool: str,
    arguments: Mapping[str, Argument],
    compared: Comparison,
    where: Scope,
    *,
    rows: Sequence[Row] = (),
    facts: Mapping[str, Scalar | bool] | None = None,
    found: bool = True,
) -> ToolAnswer:
    """Build an answer; facts that are None are dropped, booleans become 0 or 1."""
    kept = {k: int(v) if isinstance(v, bool) else v for k, v in (facts or {}).items() if v is not None}
    return ToolAnswer(
        tool=tool,
        arguments=arguments,
        status="ok" if found else "no_data",
        window=compared.window,
        baseline=compared.baseline,
        where=where,
        rows=tuple(rows),
        facts=kept,
    )


def usd(pico: int) -> Decimal:
    """Dollars of an answer, to a hundredth of a cent: small spend stays visible."""
    return usd_from_pico(pico).quantize(Decimal("0.0001"))


def ratio(now: float, before: float) -> float | None:
    """`now / before`; None where there was nothing before."""
    return round(now / before, 4) if before else None


def share(part: float, whole: float) -> float:
    """`part / whole`, 0 of nothing."""
    return round(part / whole, 4) if whole else 0.0


def added(parts: Sequence[Measures]) -> Measures:
    """What several scopes did together; characters only where all of them log characters."""
    if len(parts) == 1:
        return parts[0]
    return Measures(
        tokens=TokenCounts(*(sum(getattr(p.tokens, c) for p in parts) for c in TOKEN_CLASSES)),
        input_characters=_all_known([p.input_characters for p in parts]),
        output_characters=_all_known([p.output_characters for p in parts]),
        **{name: sum(getattr(p, name) for p in parts) for name in SUMMED},
    )


def requests_unknown(*sides: Measures) -> bool | None:
    """Whether the requests of any side are not known, as a fact; left out where all are."""
    return None if all(side.requests_known for side in sides) else True


def _all_known(counts: Sequence[int | None]) -> int | None:
    known = [c for c in counts if c is not None]
    return sum(known) if len(known) == len(counts) else None
