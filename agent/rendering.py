"""Text whose numbers are looked up in the evidence when it is rendered, never written by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from agent.evidence import Evidence
from ledger.scope import Scope

Format = Literal["usd", "size_usd", "signed_usd", "percent", "times", "count", "number", "text"]


@dataclass(frozen=True, slots=True)
class Ref:
    """A number of the evidence: a fact by name, or `rows.<i>.<field>`."""

    evidence_id: str
    field: str
    format: Format


Text = Sequence[str | Ref]


@dataclass(frozen=True, slots=True)
class Rendered:
    """Markdown, and how many of its numbers no evidence backs."""

    markdown: str
    unsupported: int


def render(lines: Sequence[Text], evidence: Mapping[str, Evidence]) -> Rendered:
    """Join the lines; a reference to nothing becomes `?` and is counted."""
    missing = 0
    written = []
    for line in lines:
        parts = []
        for piece in line:
            text = piece if isinstance(piece, str) else looked_up(piece, evidence)
            missing += text is None
            parts.append("?" if text is None else text)
        written.append("".join(parts))
    return Rendered("\n".join(written) + "\n", missing)


def looked_up(ref: Ref, evidence: Mapping[str, Evidence]) -> str | None:
    """The formatted value; None where the evidence does not have it."""
    found = evidence.get(ref.evidence_id)
    value = _value(found, ref.field) if found else None
    if value is None:
        return None
    if ref.format == "text":
        return str(value)
    return None if isinstance(value, str) else formatted(value, ref.format)


def _value(evidence: Evidence, field: str) -> Decimal | int | float | str | None:
    head, _, rest = field.partition(".")
    if head != "rows":
        return evidence.facts.get(field)
    index, _, name = rest.partition(".")
    row = evidence.rows[int(index)] if int(index) < len(evidence.rows) else {}
    value = row.get(name)
    return None if isinstance(value, dict) else value


def formatted(value: Decimal | int | float, how: Format) -> str:
    """A number for people."""
    match how:
        case "usd":
            return f"{'-' if value < 0 else ''}${_cents(value):,}"
        case "size_usd":
            return f"${_cents(value):,}"
        case "signed_usd":
            return f"{'-' if value < 0 else '+'}${_cents(value):,}"
        case "percent":
            return f"{float(value):.1%}"
        case "times":
            return f"{float(value):.2f}x"
        case "count":
            return f"{round(value):,}"
        case _:
            return f"{float(value):,.2f}"


def named_scope(scope: Scope) -> str:
    """A scope for people."""
    return ", ".join(f"{d.removesuffix('_id')} {v}" for d, v in scope.items) or "all spend"


def _cents(value: Decimal | int | float) -> Decimal:
    """The size in dollars and cents, rounded as the JSON rounds it."""
    return abs(Decimal(str(value))).quantize(Decimal("0.01"))
