"""Data points of `gen_ai.client.token.usage` as points of token series; the sum counts, buckets do not."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, NamedTuple

from ledger.sources.otlp_raw import Attributes, Points, RawPoint, wrong_point
from ledger.sources.otlp_scope import Naming, OddScope, scope_of
from ledger.sources.told import Wrong

TOKEN_TYPES: Mapping[str, Literal["input", "output"]] = {
    "input": "input",
    "output": "output",
    "completion": "output",
}
"""`gen_ai.token.type`; `completion` is an older name of `output`. Any other may be a part of one of these."""
MOST_TOKENS = 2**53
"""A double holds every whole number up to it."""
FIRST_NANOS = 1_420_070_400 * 10**9
"""2015, before which the ledger takes nothing."""
HOUR_NANOS = 3_600 * 10**9
MOST_NANOS = 744 * HOUR_NANOS
"""A month: no export covers more, and what a process counted in longer is not spread further back."""
CUMULATIVE = 2
_MOST_KNOWN = 100_000
"""Series remembered; beyond it all are worked out again."""


class TokenPoint(NamedTuple):
    """One reading of one series, of input or of output tokens."""

    series: str
    """A digest of resource, instrumentation and attributes."""
    process: str
    """A digest of the resource."""
    scope: int
    """Which of `Reading.scopes`."""
    is_input: bool
    is_cumulative: bool
    start: int
    time: int
    calls: int
    tokens: int


@dataclass(slots=True)
class Reading:
    """What one request told."""

    points: list[TokenPoint] = field(default_factory=list)
    scopes: list[dict[str, str]] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)


class _Known(NamedTuple):
    series: str
    process: str
    cells: tuple[tuple[str, str], ...]
    is_input: bool


@dataclass(frozen=True, slots=True)
class KnownSeries:
    """What attributes mean, worked out once for each series: a client tells the same ones every minute."""

    naming: Naming
    found: dict[tuple[Attributes, str, Attributes], _Known | OddScope] = field(default_factory=dict)

    def of(self, point: RawPoint) -> _Known | OddScope:
        key = (point.resource, point.scope, point.attributes)
        known = self.found.get(key)
        if known is None:
            if len(self.found) >= _MOST_KNOWN:
                self.found.clear()
            known = self.found[key] = _known(point, self.naming)
        return known


def read_points(raw: Points, series: KnownSeries, now: int) -> Reading:
    """The points that can be taken and those that cannot; `now` in nanoseconds. Raises Undecodable."""
    reading = Reading()
    scopes: dict[tuple[tuple[str, str], ...], int] = {}
    for point in raw:
        if isinstance(point, Wrong):
            reading.wrong.append(point)
            continue
        found = series.of(point)
        if isinstance(found, OddScope):
            reading.wrong.append(wrong_point(point.place, found.column, found.value, found.reason))
        elif (wrong := _problem(point, now)) is not None:
            reading.wrong.append(wrong)
        else:
            reading.points.append(_token_point(point, found, scopes.setdefault(found.cells, len(scopes))))
    reading.scopes = [dict(cells) for cells in scopes]
    return reading


def _token_point(point: RawPoint, known: _Known, scope: int) -> TokenPoint:
    return TokenPoint(
        known.series,
        known.process,
        scope,
        known.is_input,
        point.temporality == CUMULATIVE,
        point.start,
        point.time,
        point.calls,
        int(point.total or 0),
    )


def _known(point: RawPoint, naming: Naming) -> _Known | OddScope:
    told = dict(reversed(point.attributes)).get("gen_ai.token.type", "")
    kind = TOKEN_TYPES.get(told)
    if kind is None:
        return OddScope(
            "gen_ai.token.type", told, "is neither input nor output, and may be a part of one of them"
        )
    cells = scope_of(point.attributes, point.resource, naming)
    if isinstance(cells, OddScope):
        return cells
    resource = sorted(point.resource)
    return _Known(
        _digest(repr((resource, point.scope, sorted(point.attributes)))),
        _digest(repr(resource)),
        tuple(sorted(cells.items())),
        kind == "input",
    )


def _problem(point: RawPoint, now: int) -> Wrong | None:
    place, total = point.place, point.total
    if point.temporality not in (1, 2):
        return wrong_point(
            place, "aggregationTemporality", point.temporality, "is neither 1 (delta) nor 2 (cumulative)"
        )
    if not FIRST_NANOS <= point.time <= now + HOUR_NANOS:
        return wrong_point(place, "timeUnixNano", point.time, "is before 2015 or over 1 hour in the future")
    if point.start > point.time:
        return wrong_point(place, "startTimeUnixNano", point.start, "is after timeUnixNano")
    if point.temporality != CUMULATIVE and 0 < point.start < point.time - MOST_NANOS:
        return wrong_point(place, "startTimeUnixNano", point.start, "is over 31 days before timeUnixNano")
    if total is None:
        return wrong_point(place, "sum", None, "is required: buckets do not tell how many tokens there were")
    if not math.isfinite(total) or not 0 <= total <= MOST_TOKENS or total != int(total):
        return wrong_point(place, "sum", total, "is no whole number from 0 to 2^53")
    if point.calls > MOST_TOKENS:
        return wrong_point(place, "count", point.calls, "is more calls than there can be")
    return None


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
