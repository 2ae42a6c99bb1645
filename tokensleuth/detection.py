"""Detection over the ledger: which series are looked at, and what was found, in the shape of the contract."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from detectors.detection import Detection, detect
from detectors.incidents import Incident, SeriesKey, Spike
from detectors.settings import DetectorSettings
from ledger.errors import RefusedError
from ledger.reader import HourlySeries, Reader
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.window import HOUR, Window, floor_hour, instant_text, parse_range
from tokensleuth.unpriced import Unpriced, unpriced_detection

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
    unpriced: Unpriced

    @property
    def spikes(self) -> tuple[Spike, ...]:
        """Those in dollars, then those in tokens without a price."""
        return (*self.detection.spikes, *self.unpriced.spikes)


def asked_range(reader: Reader, time_range: str | None, *, now: datetime) -> Window:
    """The RANGE a user wrote, else the last 7 days of usage."""
    if time_range is not None:
        return parse_range(time_range, now=now)
    end_at = _extent(reader).end_at
    return Window(end_at - timedelta(days=7), end_at)


def covered_range(reader: Reader, window: Window, where: Scope = EVERYTHING) -> Window:
    """The part of the range the ledger has usage for; raises RefusedError where there is none."""
    extent = _extent(reader)
    covered = window.overlap(extent)
    if covered is None:
        raise RefusedError(f"no usage in {window}; the ledger has {extent}")
    if where.items and not reader.totals([extent], where=where):
        raise RefusedError(f"the ledger has no usage of {where}")
    return covered


def _extent(reader: Reader) -> Window:
    extent = reader.extent()
    if extent is None:
        raise RefusedError("the ledger is empty; load usage first: tokensleuth ingest FILE")
    return extent


def detect_range(
    reader: Reader,
    window: Window,
    settings: DetectorSettings,
    *,
    where: Scope = EVERYTHING,
    progress: Callable[[int, int], None] | None = None,
) -> RangeDetection:
    """Score every series of the scope in the covered part of `window`, each hour with the past only."""
    covered = covered_range(reader, window, where)
    first = max(_extent(reader).start_at, covered.start_at - timedelta(days=settings.history_days))
    history = Window(floor_hour(first), covered.end_at)
    read = reader.hourly_levels(history, [*LEVELS, LEAF], where=where)
    *levels, leaves = (_pinned(series, where) for series in read)
    if not leaves.scopes:
        raise RefusedError(f"no usage of {where} in {history}, from which the range would be judged")
    unpriced = unpriced_detection(reader, covered, history, settings, where)
    return RangeDetection(covered, detect(_distinct(levels), leaves, covered, settings, progress), unpriced)


def _pinned(series: HourlySeries, where: Scope) -> HourlySeries:
    """The series under their full names: what the whole question is narrowed to is a part of each scope."""
    return replace(series, scopes=tuple(where.narrowed_to(s) for s in series.scopes))


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
    beside = found.unpriced.detection
    document: dict[str, object] = {
        "range": found.window.as_json(),
        "series_scored": sum(d.series_scored for d in (detection, beside) if d),
        "series_not_scored": sum(len(d.unscored) for d in (detection, beside) if d),
        "seconds": round(seconds, 3),
        "unpriced_tokens": found.unpriced.tokens,
        "unpriced_models": list(found.unpriced.models),
        "spikes": [spike_json(spike) for spike in found.spikes],
        "incidents": [_incident(incident) for incident in detection.incidents],
    }
    scores = [scored for d in (detection, beside) if d for scored in _scores(d, found.window)]
    return document | ({"scores": scores} if with_scores else {})


def spike_json(spike: Spike) -> dict[str, object]:
    """A spike of the contract; one in tokens has no dollars."""
    money = spike.series.metric == "cost_usd"
    return {
        "series": _series(spike.series),
        **spike.window.as_json(),
        "direction": spike.direction,
        "score": round(spike.score, 3),
        "expected_usd": _usd(spike.expected) if money else None,
        "actual_usd": _usd(spike.actual) if money else None,
        "excess_usd": _excess(spike.actual, spike.expected) if money else None,
        "expected_tokens": None if money else round(spike.expected),
        "actual_tokens": None if money else round(spike.actual),
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
        "excess_usd": _excess(incident.actual_usd, incident.expected_usd),
        "spikes": list(incident.spikes),
    }


def _series(series: SeriesKey) -> dict[str, object]:
    return {"metric": series.metric, "scope": series.scope.as_dict()}


def _scores(detection: Detection, window: Window) -> list[dict[str, object]]:
    scores = detection.scores
    first = int((window.start_at - scores.window.start_at) / HOUR)
    return [
        {
            "series": _series(series),
            "start_at": instant_text(window.start_at),
            "values": [None if np.isnan(v) else round(float(v), 3) for v in values[first:]],
        }
        for series, values in zip(scores.series, scores.values, strict=True)
    ]


def _excess(actual: float, expected: float) -> str:
    """The difference of the amounts as they are shown."""
    return str(Decimal(_usd(actual)) - Decimal(_usd(expected)))


def _usd(amount: float) -> str:
    """A float of array maths as dollars and cents."""
    cents = Decimal(repr(float(amount))).quantize(Decimal("0.01"))
    return str(abs(cents) if cents == 0 else cents)
