"""Small organisations by the hour, in which we know what happened, and spikes in them."""

from datetime import UTC, datetime

import numpy as np

from detectors.detection import Detection, detect
from detectors.hierarchy import merge_incidents
from detectors.incidents import Direction, Incident, SeriesKey, Spike
from detectors.scored import ScoredSeries
from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray
from ledger.reader import HourlySeries
from ledger.scope import Dimension, Scope
from ledger.window import HOUR, Window

START = datetime(2026, 10, 5, tzinfo=UTC)
HISTORY = 28 * 24
HOURS = 35 * 24
RANGE = Window(START + HISTORY * HOUR, START + HOURS * HOUR)
LEAF: tuple[Dimension, ...] = ("team", "model", "key_id")
LEVELS: tuple[tuple[Dimension, ...], ...] = (
    (), ("team",), ("model",), ("key_id",), ("team", "model"), ("team", "key_id"),
)  # fmt: skip

Company = dict[tuple[str, str, str], FloatArray]
"""Hourly spend by team, model and key."""


def company(teams: int = 4, keys: int = 3, noise: float = 0.1) -> Company:
    """Every key of every team uses a large and a small model by day."""
    rng = np.random.default_rng(9)
    hour = np.arange(HOURS)
    day = 1 + 0.6 * np.sin((hour % 24 - 8) / 24 * 2 * np.pi)
    return {
        (f"t{team}", model, f"k{team}{key}"): mean * (1 + key) * day * np.exp(rng.normal(0, noise, HOURS))
        for team in range(teams)
        for key in range(keys)
        for model, mean in (("large", 6.0), ("small", 3.0))
    }


def office_hours() -> FloatArray:
    """1 from 8 to 18 o'clock on working days, else 0; the first day is a Monday."""
    hour = np.arange(HOURS)
    at_work = (hour % 24 >= 8) & (hour % 24 < 18) & (hour // 24 % 7 < 5)
    return np.asarray(at_work, dtype=float)


def hours(start: int, length: int) -> slice:
    """Columns, counted from the start of the range."""
    return slice(HISTORY + start, HISTORY + start + length)


def window(start: int, length: int) -> Window:
    return Window(RANGE.start_at + start * HOUR, RANGE.start_at + (start + length) * HOUR)


def change(org: Company, when: slice, factor: float, **where: str) -> None:
    """Multiply the spend of the leaves that match."""
    for leaf, values in org.items():
        if all(value in leaf for value in where.values()):
            values[when] *= factor


def series_by(org: Company, by: tuple[Dimension, ...]) -> HourlySeries:
    sums: dict[Scope, FloatArray] = {}
    for leaf, values in org.items():
        pinned = dict(zip(LEAF, leaf, strict=True))
        scope = Scope.of([(dimension, pinned[dimension]) for dimension in by])
        sums[scope] = sums.get(scope, np.zeros(HOURS)) + values
    scopes = tuple(sorted(sums))
    return HourlySeries(Window(START, RANGE.end_at), "cost_usd", scopes, np.array([sums[s] for s in scopes]))


def found(org: Company) -> Detection:
    levels = [series_by(org, by) for by in LEVELS]
    return detect(levels, series_by(org, LEAF), RANGE, DetectorSettings())


def spike(
    scope: str, start: int, length: int, direction: Direction = "up", *, fire_scores: float = 4.0
) -> Spike:
    """`scope` as in `team=t1 model=large`; `fire_scores` is the score by the one that fires."""
    return Spike(
        series=SeriesKey("cost_usd", Scope.parse(scope.split())),
        window=window(start, length),
        direction=direction,
        score=fire_scores * DetectorSettings().fire_score,
        expected=0.0,
        actual=0.0,
        detected_at=window(start, length).start_at + HOUR,
    )


def merged(org: Company, *spikes: Spike, expected: dict[str, FloatArray] | None = None) -> list[str]:
    """What the spikes are told as; scopes are expected to spend what their past weeks did, else as given."""
    scopes = [scope for by in LEVELS for scope in series_by(org, by).scopes]
    learnt = {Scope.parse(scope.split()): values for scope, values in (expected or {}).items()}
    scored = as_scored(org, learnt) if learnt else None
    leaves = series_by(org, LEAF)
    return [
        text(incident)
        for incident in merge_incidents(spikes, leaves, DetectorSettings(), scored=scored, scopes=scopes)
    ]


def as_scored(org: Company, learnt: dict[Scope, FloatArray]) -> ScoredSeries:
    """The range with other expectations, of shape (hours of the range,), than the past weeks give."""
    series = {scope: values for by in LEVELS for scope, values in rows_by(org, by).items()}
    expected = np.array(list(learnt.values()))
    zero = np.zeros_like(expected)
    return ScoredSeries(
        series=tuple(SeriesKey("cost_usd", scope) for scope in learnt),
        window=RANGE,
        actual=np.array([series[scope][HISTORY:] for scope in learnt]),
        expected=expected,
        scale=zero + 1,
        values=zero,
        flagged=zero,
        terms={},
    )


def rows_by(org: Company, by: tuple[Dimension, ...]) -> dict[Scope, FloatArray]:
    series = series_by(org, by)
    return dict(zip(series.scopes, series.values, strict=True))


def window_of(incident: Incident) -> tuple[int, int]:
    start, end = ((at - RANGE.start_at) // HOUR for at in (incident.window.start_at, incident.window.end_at))
    return start, end


def text(incident: Incident) -> str:
    start, end = window_of(incident)
    return f"{incident.scope} {incident.direction} {start}-{end}"
