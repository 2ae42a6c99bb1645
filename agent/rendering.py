"""Text whose numbers are looked up in the evidence when it is rendered, never written by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from agent.escaping import escaped
from agent.evidence import Evidence
from ledger.scope import Scope

Number = Decimal | int | float
Format = Literal["usd", "size_usd", "signed_usd", "percent", "times", "count", "number", "text"]


@dataclass(frozen=True, slots=True)
class Ref:
    """A number of the evidence: a fact by name, or `rows.<i>.<field>`."""

    evidence_id: str
    field: str
    format: Format


@dataclass(frozen=True, slots=True)
class Share:
    """Numbers of the evidence as a part of another."""

    parts: tuple[Ref, ...]
    whole: Ref


@dataclass(frozen=True, slots=True)
class Measured:
    """A value that was worked out from evidence, which must exist."""

    evidence_id: str
    value: float
    format: Format


Piece = str | Ref | Share | Measured
Text = Sequence[Piece]


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
            text = shown(piece, evidence)
            missing += text is None
            parts.append("?" if text is None else text)
        written.append("".join(parts))
    return Rendered("\n".join(written) + "\n", missing)


def shown(piece: Piece, evidence: Mapping[str, Evidence]) -> str | None:
    """The text of a piece; None where the evidence does not have what it refers to."""
    match piece:
        case str():
            return piece
        case Ref():
            return looked_up(piece, evidence)
        case Share(parts, whole):
            return _share([_number(part, evidence) for part in parts], _number(whole, evidence))
        case Measured(evidence_id, value, how):
            return formatted(value, how) if evidence_id in evidence else None


def looked_up(ref: Ref, evidence: Mapping[str, Evidence]) -> str | None:
    """The formatted value, text escaped; None where the evidence does not have it."""
    if ref.format == "text":
        found = evidence.get(ref.evidence_id)
        value = _value(found, ref.field) if found else None
        return None if value is None else escaped(str(value))
    number = _number(ref, evidence)
    return None if number is None else formatted(number, ref.format)


def _number(ref: Ref, evidence: Mapping[str, Evidence]) -> Number | None:
    found = evidence.get(ref.evidence_id)
    value = _value(found, ref.field) if found else None
    return None if isinstance(value, str) else value


def _share(parts: Sequence[Number | None], whole: Number | None) -> str | None:
    known = [float(part) for part in parts if part is not None]
    return f"{sum(known) / float(whole):.0%}" if whole and len(known) == len(parts) else None


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
            return f"{'-' if _sign(value) < 0 else ''}${_cents(value):,}"
        case "size_usd":
            return f"${_cents(value):,}"
        case "signed_usd":
            return f"{('', '+', '-')[_sign(value)]}${_cents(value):,}"
        case "percent":
            return f"{float(value):.1%}".replace(".0%", "%")
        case "times":
            return f"{float(value):.2f}x"
        case "count":
            return f"{round(value):,}"
        case _:
            return f"{float(value):,.2f}".rstrip("0").rstrip(".")


def named_scope(scope: Scope) -> str:
    """A scope for people, as it is: escape it where it goes into Markdown."""
    return ", ".join(f"{d.removesuffix('_id')} {v}" for d, v in scope.items) or "all spend"


def _cents(value: Decimal | int | float) -> Decimal:
    """The size in dollars and cents, rounded as the JSON rounds it."""
    return abs(Decimal(str(value))).quantize(Decimal("0.01"))


def _sign(value: Decimal | int | float) -> int:
    """1, -1, or 0 for what is no cent."""
    return 0 if not _cents(value) else 1 if value > 0 else -1
