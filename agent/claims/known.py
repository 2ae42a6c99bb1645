"""What prose may speak of: the numbers, instants and names of an investigation's evidence."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args

from agent.claims.fields import Kind, Measure, measure_of
from agent.claims.names import Names, index_names, lowered
from agent.evidence import Evidence
from ledger.scope import DIMENSIONS, Dimension, Scope
from ledger.window import Window
from playbooks import CAUSES, ActionName, Verdict
from tools.answer import OTHER
from tools.split import EFFECTS

NAMING: Mapping[str, tuple[Dimension, ...]] = {
    **{d: (d,) for d in DIMENSIONS},
    "from_model": ("model",), "to_model": ("model",), "switched_from": ("model",), "switched_to": ("model",),
    "from_value": ("model", "service_tier"), "to_value": ("model", "service_tier"),
    "new_origin_names": ("region", "client"), "unpriced_models": ("model",),
}  # fmt: skip
"""Text fields that hold names; a list in one is parted by `, `."""
OF_THE_QUESTION = frozenset({"weeks", "windows_compared", "days_looked_at"})
"""Numbers that are the same whatever scope was asked about."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fact:
    """One number of the evidence."""

    evidence_id: str
    value: Decimal
    measure: Measure
    pins: tuple[tuple[Dimension, str], ...]
    """What it is a number of."""
    names: frozenset[str]
    """All names, in lower case, that it may be told with."""

    @property
    def kind(self) -> Kind:
        return self.measure.kind


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time of the evidence; the last second of a window names its day, not its hour."""

    at: datetime
    day_only: bool = False
    is_baseline: bool = False
    """Of the windows compared with, not of the incident."""


@dataclass(frozen=True, slots=True)
class Known:
    """What prose may speak of: built once per investigation."""

    evidence: Mapping[str, Evidence]
    """By id and by label."""
    facts: Mapping[Kind, tuple[Fact, ...]]
    """By kind, the smallest first, whatever the sign."""
    sizes: Mapping[Kind, tuple[float, ...]]
    """Of those facts, for looking up."""
    scope: Scope
    """What was asked about."""
    instants: frozenset[Instant]
    names: Names
    identifiers: frozenset[str]
    """Causes, tools, effects, dimensions and fields: with an underscore and still no names."""

    def between(self, kind: Kind, low: Decimal, high: Decimal) -> tuple[Fact, ...]:
        """The facts of a kind whose size is about between two others."""
        sizes = self.sizes.get(kind, ())
        slack = 1e-9 * (1 + abs(float(high)))
        return self.facts.get(kind, ())[
            bisect_left(sizes, float(low) - slack) : bisect_right(sizes, float(high) + slack)
        ]


def known_from(
    evidence: Sequence[Evidence],
    labels: Mapping[str, str],
    *,
    other_names: AbstractSet[str] = frozenset(),
    window: Window,
    scope: Scope,
) -> Known:
    """Index the evidence; `labels` are the short names the model saw, `other_names` all names of the ledger.

    A name of `other_names` that is in no evidence is unsupported wherever it stands.
    """
    by_id = {e.id: e for e in evidence}
    named = {label: by_id[id_] for label, id_ in labels.items() if id_ in by_id}
    facts = _by_kind((*(f for e in evidence for f in _facts(e)), *_lengths(window)))
    return Known(
        evidence=by_id | named,
        facts=facts,
        sizes={kind: tuple(abs(float(f.value)) for f in found) for kind, found in facts.items()},
        scope=scope,
        instants=frozenset(_instants(evidence, window)),
        names=index_names(_names(evidence, scope), other_names),
        identifiers=_identifiers(evidence),
    )


def fact_at(found: Evidence, field: str) -> Fact | None:
    """The number a reference names; None where there is none."""
    row, name = row_and_name(found, field)
    return _fact(found, row, name, found.facts if row is None else row)


def row_and_name(found: Evidence, field: str) -> tuple[Mapping[str, object] | None, str]:
    """The row (None for a fact) and the plain name of a field."""
    match = re.fullmatch(r"rows\.(0|[1-9]\d{0,3})\.(\w+)", field, re.ASCII)
    if match is None:
        return None, field
    index = int(match[1])
    return (found.rows[index] if index < len(found.rows) else {}), match[2]


def _by_kind(facts: Sequence[Fact]) -> dict[Kind, tuple[Fact, ...]]:
    kinds = {fact.kind for fact in facts}
    return {k: tuple(sorted((f for f in facts if f.kind == k), key=lambda f: abs(f.value))) for k in kinds}


def _facts(found: Evidence) -> Iterator[Fact]:
    places: list[tuple[Mapping[str, object] | None, Mapping[str, object]]] = [(None, found.facts)]
    places.extend((row, row) for row in found.rows)
    for row, values in places:
        for name in values:
            if fact := _fact(found, row, name, values):
                yield fact


def _fact(
    found: Evidence, row: Mapping[str, object] | None, name: str, values: Mapping[str, object]
) -> Fact | None:
    value = number_of(values.get(name))
    if value is None:
        return None
    pins = dict(found.where.items) | dict(_pinned(row or {}))
    told = {lowered(n) for _, n in _named(values)} | {lowered(n) for _, n in _named(found.facts)}
    told |= {lowered(v) for v in pins.values()}
    about = () if name in OF_THE_QUESTION else tuple(pins.items())
    return Fact(found.id, value, measure_of(name, row or {}), about, frozenset(told))


def number_of(value: object) -> Decimal | None:
    """A finite number as it would be written; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    exact = Decimal(str(value))
    return exact if exact.is_finite() else None


def _pinned(row: Mapping[str, object]) -> Iterator[tuple[Dimension, str]]:
    scope = row.get("scope")
    values = {**row, **(scope if isinstance(scope, dict) else {})}
    for dimension in DIMENSIONS:
        value = values.get(dimension)
        if isinstance(value, str) and value != OTHER:
            yield dimension, value


def _named(values: Mapping[str, object]) -> Iterator[tuple[tuple[Dimension, ...], str]]:
    for field, dimensions in NAMING.items():
        value = values.get(field)
        if isinstance(value, str) and value not in ("", OTHER):
            whole = field in DIMENSIONS
            yield from ((dimensions, name) for name in ([value] if whole else value.split(", ")))
    scope = values.get("scope")
    if isinstance(scope, dict):
        yield from _named(scope)


def _names(evidence: Sequence[Evidence], scope: Scope) -> dict[str, frozenset[Dimension]]:
    found: dict[str, set[Dimension]] = {}
    for values in _places(evidence, scope):
        for dimensions, name in _named(values):
            found.setdefault(name, set()).update(dimensions)
    return {name: frozenset(dimensions) for name, dimensions in found.items()}


def _places(evidence: Sequence[Evidence], scope: Scope) -> Iterator[Mapping[str, object]]:
    yield dict(scope.items)
    for found in evidence:
        yield dict(found.where.items)
        yield from _tables(found)


def _tables(found: Evidence) -> Iterator[Mapping[str, object]]:
    yield found.facts
    yield from found.rows


def _lengths(window: Window) -> Iterator[Fact]:
    """How long the window is, which is no tool's answer."""
    for name, value in (("hours", Decimal(window.hours)), ("days", Decimal(str(window.days)))):
        if value == value.to_integral_value():
            yield Fact("", value, Measure("count", frozenset({name}), False), (), frozenset())


def _instants(evidence: Sequence[Evidence], window: Window) -> Iterator[Instant]:
    asked = {window, *(e.window for e in evidence)}
    for span in {*asked, *(w for e in evidence for w in e.baseline)}:
        is_baseline = span not in asked
        yield from (Instant(at, is_baseline=is_baseline) for at in (span.start_at, span.end_at))
        yield Instant(span.end_at - timedelta(seconds=1), day_only=True, is_baseline=is_baseline)
    for found in evidence:
        for value in (v for values in _tables(found) for v in values.values()):
            if isinstance(value, str) and _INSTANT.fullmatch(value):
                yield Instant(datetime.fromisoformat(value).astimezone(UTC))


def _identifiers(evidence: Sequence[Evidence]) -> frozenset[str]:
    closed = {*CAUSES, *EFFECTS, *DIMENSIONS, *get_args(Verdict), *get_args(ActionName)}
    fields = {f for e in evidence for values in _tables(e) for f in values}
    drivers = {str(row["driver"]) for e in evidence for row in e.rows if "driver" in row}
    return frozenset(closed | fields | drivers | {e.tool for e in evidence})
