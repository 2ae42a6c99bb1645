"""Detection over the ledger: which series are looked at, and what was found, in the shape of the contract."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import numpy as np

from detectors.detection import Detection, detect
from detectors.incidents import Incident, SeriesKey, Spike
from detectors.settings import DetectorSettings
from ledger.errors import RefusedError
from ledger.reader import HourlySeries, Reader
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.window import HOUR, Window, floor_hour, instant_text

LEVELS: tuple[tuple[Dimension, ...], ...] = (
    (),
    ("team",),
    ("model",),
    ("key_id",),
    ("team", "model"),
    ("team", "key_id"),
)
"""Total spend, each team, model and key, and their main pairs."""
LEAF: tuple[Dimension, ...] = ("team", "model", "key_id")
"""The finest scopes, from which the levels above are sums."""


@dataclass(frozen=True, slots=True)
class RangeDetection:
    """What was found, and in which part of the range there was usage to look at."""

    window: Window
    detection: Detection


def covered_range(reader: Reader, window: Window) -> Window:
    """The part of the range the ledger has usage for; raises RefusedError where there is none."""
    extent = reader.extent()
    if extent is None:
        raise RefusedError("the ledger is empty; load usage first: tokensleuth ingest FILE")
    covered = window.overlap(extent)
    if covered is None:
        raise RefusedError(f"no usage in {window}; the ledger has {extent}")
    return covered


def detect_range(
    reader: Reader,
    window: Window,
    settings: DetectorSettings,
    *,
    where: Scope = EVERYTHING,
    progress: Callable[[int, int], None] | None = None,
) -> RangeDetection:
    """Score every series of the scope in the covered part of `window`, each hour with the past only."""
    covered = covered_range(reader, window)
    extent = reader.extent() or covered
    first = max(extent.start_at, covered.start_at - timedelta(days=settings.history_days))
    history = Window(floor_hour(first), covered.end_at)
    read = reader.hourly_levels(history, [*LEVELS, LEAF], where=where)
    *levels, leaves = (_pinned(series, where) for series in read)
    return RangeDetection(covered, detect(_distinct(levels), leaves, covered, settings, progress))


def _pinned(series: HourlySeries, where: Scope) -> HourlySeries:
    """The series under their full names: what the whole question is narrowed to is a part of each scope."""
    return replace(series, scopes=tuple(Scope.of({**where.as_dict(), **s.as_dict()}) for s in series.scopes))


def _distinct(levels: Sequence[HourlySeries]) -> list[HourlySeries]:
    """Levels without the scopes that an earlier level has: narrowed to a team, the team is the total."""
    seen: set[Scope] = set()
    kept = []
    for level in levels:
        rows = [i for i, scope in enumerate(level.scopes) if scope not in seen]
        seen.update(level.scopes)
        if rows:
            scopes = tuple(level.scopes[i] for i in rows)
            kept.append(replace(level, scopes=scopes, values=level.values[rows]))
    return kept


def detection_document(found: RangeDetection, *, seconds: float, with_scores: bool) -> dict[str, object]:
    """The `detect --json` document."""
    detection = found.detection
    document: dict[str, object] = {
        "range": found.window.as_json(),
        "series_scored": detection.series_scored,
        "series_not_scored": len(detection.unscored),
        "seconds": round(seconds, 3),
        "spikes": [_spike(spike) for spike in detection.spikes],
        "incidents": [_incident(incident) for incident in detection.incidents],
    }
    return document | ({"scores": _scores(found)} if with_scores else {})


def _spike(spike: Spike) -> dict[str, object]:
    money = spike.series.metric == "cost_usd"
    return {
        "series": _series(spike.series),
        **spike.window.as_json(),
        "direction": spike.direction,
        "score": round(spike.score, 3),
        "expected_usd": _usd(spike.expected) if money else None,
        "actual_usd": _usd(spike.actual) if money else None,
        "excess_usd": _usd(spike.excess) if money else None,
        "detected_at": instant_text(spike.detected_at),
        "terms": {name: round(value, 3) for name, value in spike.terms.items()},
    }


def _incident(incident: Incident) -> dict[str, object]:
    return {
        "id": incident.id,
        **incident.window.as_json(),
        "scope": incident.scope.as_dict(),
        "direction": incident.direction,
        "expected_usd": _usd(incident.expected_usd),
        "actual_usd": _usd(incident.actual_usd),
        "excess_usd": _usd(incident.excess_usd),
        "spikes": list(incident.spikes),
    }


def _series(series: SeriesKey) -> dict[str, object]:
    return {"metric": series.metric, "scope": series.scope.as_dict()}


def _scores(found: RangeDetection) -> list[dict[str, object]]:
    scores = found.detection.scores
    first = int((found.window.start_at - scores.window.start_at) / HOUR)
    return [
        {
            "series": _series(series),
            "start_at": instant_text(found.window.start_at),
            "values": [None if np.isnan(v) else round(float(v), 3) for v in values[first:]],
        }
        for series, values in zip(scores.series, scores.values, strict=True)
    ]


def _usd(amount: float) -> str:
    """A float of array maths as dollars and cents."""
    cents = Decimal(repr(float(amount))).quantize(Decimal("0.01"))
    return str(abs(cents) if cents == 0 else cents)
