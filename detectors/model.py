"""Fit on whole days of the past, score the hours after it: the detector as two functions over matrices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np

from detectors.envelope import fit_envelope
from detectors.forest import Forest, forest_features, grow_forest
from detectors.price import PriceProfile, fit_price
from detectors.scale import Calibration, Measured, calibrate, measure
from detectors.scoring import Known, Scores, drop_scores, score_hours, window_z
from detectors.seasonal import DAY_HOURS, WEEK_DAYS, Shapes, day_levels, first_whole_day, fit_shapes
from detectors.settings import DetectorSettings
from detectors.statistics import BoolArray, FloatArray, IntArray
from ledger.errors import RefusedError

CONTEXT_DAYS = 1
CONTEXT_HOURS = CONTEXT_DAYS * DAY_HOURS
"""Hours before the first scored one that a score looks back on."""
AHEAD_DAYS = WEEK_DAYS
"""A model serves so many days; a nightly refit that fails leaves the last one in force."""
BLOCK_SERIES = 256
"""Series fitted at once: their matrices stay in the cache, and memory does not grow with the number."""
_CALIBRATION_DAYS = 46
_FOREST_SERIES = 256
"""Series whose history is offered to the forest: 280,000 hours, of which it takes `forest_rows`."""

_Arrays = TypeVar("_Arrays", Measured, PriceProfile, Shapes)


@dataclass(frozen=True, slots=True)
class History:
    """What is learnt from: matrices (series, hours) of whole UTC days."""

    learnt: FloatArray
    """Flagged hours hold what was expected of them."""
    first_weekday: int
    """Of the first day; Monday is 0."""
    actual: FloatArray | None = None
    """What really was, where that differs."""
    tokens: FloatArray | None = None
    """Without them there is no price channel."""

    def rows(self, rows: IntArray | slice) -> "History":
        """Only these series."""
        return replace(
            self,
            learnt=self.learnt[rows],
            actual=None if self.actual is None else self.actual[rows],
            tokens=None if self.tokens is None else self.tokens[rows],
        )


@dataclass(frozen=True, slots=True)
class Profiles:
    """What is known of each series at one midnight UTC."""

    expected: FloatArray
    """Shape (series, 192): the last day of history, as it was expected, and the 7 days after it.

    NaN on days of which nothing was known.
    """
    envelope: FloatArray
    """Shape (series, windows, 168), hour 0 being Monday 00:00 UTC."""
    first_weekday: int
    """Of the first day of `expected`."""
    calibration: Calibration
    trained: BoolArray
    """Series with enough history to be scored."""
    price: PriceProfile | None
    shapes: Shapes
    forest: Forest | None


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a block of series shows by itself."""

    expected: FloatArray
    envelope: FloatArray
    measured: Measured
    trained: BoolArray
    price: PriceProfile | None
    shapes: Shapes


def fit(
    history: History, *, settings: DetectorSettings, floor: float = 0.0, known: Profiles | None = None
) -> Profiles:
    """Learn what to expect of each series.

    `floor` is the least one-hour scale in the unit of the series. With `known`, its seasonal shapes and
    forest are kept and only levels and scales are renewed. Raises RefusedError on NaN or too few hours.
    """
    check_matrix(history.learnt)
    check_length(history.learnt, settings)
    lessons = [
        learn(history.rows(rows), settings, _shapes_of(known, rows)) for rows in blocks(len(history.learnt))
    ]
    profiles = conclude(lessons, history, floor)
    if known is not None:
        return replace(profiles, forest=known.forest)
    if not _usable(profiles).any():
        return profiles
    features = ordinary_features(history, profiles, seed=settings.seed)
    return replace(profiles, forest=grow_forest(features, settings))


def blocks(series: int) -> Iterator[slice]:
    """Slices of at most 256 series; one of none when there are none."""
    for start in range(0, max(series, 1), BLOCK_SERIES):
        yield slice(start, min(start + BLOCK_SERIES, series))


def learn(history: History, settings: DetectorSettings, known: Shapes | None = None) -> Lesson:
    """What a block shows by itself; `known` shapes are kept."""
    days = _days(history.learnt, history.first_weekday)
    first_day = np.maximum(first_whole_day(days), history.first_weekday)
    shapes = fit_shapes(days, first_day, settings, known)
    expected = expected_hours(day_levels(days, first_day, AHEAD_DAYS), shapes)
    past = _calibrated(days)
    spent = history.learnt if history.actual is None else history.actual
    age_days = days.shape[1] - first_day
    return Lesson(
        expected=expected[:, -CONTEXT_DAYS - AHEAD_DAYS :].reshape(len(days), -1),
        envelope=fit_envelope(days, _days(spent, history.first_weekday), age_days),
        measured=measure(days[:, past], expected[:, past]),
        trained=np.asarray(age_days >= settings.min_days),
        price=None if history.tokens is None else fit_price(spent, history.tokens),
        shapes=shapes,
    )


def conclude(lessons: Sequence[Lesson], history: History, floor: float) -> Profiles:
    """Profiles without a forest: scales are drawn to what is usual among all series."""
    prices = [lesson.price for lesson in lessons if lesson.price is not None]
    return Profiles(
        expected=np.concatenate([lesson.expected for lesson in lessons]),
        envelope=np.concatenate([lesson.envelope for lesson in lessons]),
        first_weekday=(history.first_weekday + history.learnt.shape[1] // DAY_HOURS - CONTEXT_DAYS)
        % WEEK_DAYS,
        calibration=calibrate(_joined(Measured, [lesson.measured for lesson in lessons]), floor),
        trained=np.concatenate([lesson.trained for lesson in lessons]),
        price=_joined(PriceProfile, prices) if prices else None,
        shapes=_joined(Shapes, [lesson.shapes for lesson in lessons]),
        forest=None,
    )


def _joined(kind: type[_Arrays], parts: Sequence[_Arrays]) -> _Arrays:
    """Arrays of a dataclass, series after series."""
    names = [field.name for field in fields(kind)]
    return kind(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _shapes_of(known: Profiles | None, rows: slice) -> Shapes | None:
    return Shapes(known.shapes.shares[rows], known.shapes.decomposed[rows]) if known else None


def _days(hours: FloatArray, first_weekday: int) -> FloatArray:
    """(series, days, 24) from Monday on; the days before the history are 0."""
    padded = np.pad(hours, ((0, 0), (first_weekday * DAY_HOURS, 0)))
    return padded.reshape(len(hours), padded.shape[1] // DAY_HOURS, DAY_HOURS)


def _calibrated(days: FloatArray) -> slice:
    return slice(max(days.shape[1] - _CALIBRATION_DAYS, 0), days.shape[1])


def expected_hours(levels: FloatArray, shapes: Shapes) -> FloatArray:
    """(series, days, 24) from the level of each day and the shares of its weekday."""
    weekday = np.arange(levels.shape[1]) % WEEK_DAYS
    return np.asarray(levels[..., None] * shapes.shares[:, weekday])


def ordinary_features(history: History, profiles: Profiles, *, seed: int) -> FloatArray:
    """(rows, features) of the hours of history that had an expectation, of a sample of the series."""
    rows = np.flatnonzero(_usable(profiles))
    if len(rows) > _FOREST_SERIES:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _FOREST_SERIES, replace=False))
    days = _days(history.learnt[rows], history.first_weekday)
    past = _calibrated(days)
    first_day = np.maximum(first_whole_day(days), history.first_weekday)
    shapes = Shapes(profiles.shapes.shares[rows], profiles.shapes.decomposed[rows])
    forecast = expected_hours(day_levels(days, first_day, 0), shapes)[:, past].reshape(len(rows), -1)
    actual = days[:, past].reshape(forecast.shape)
    known = ~np.isnan(forecast)
    mean = np.where(known, forecast, actual)
    calibration = select_series(profiles.calibration, rows)
    z = window_z(actual, mean, calibration)[known]
    return forest_features(z, drop_scores(actual, mean, calibration)[known])


def _usable(profiles: Profiles) -> BoolArray:
    """Series whose history says something about ordinary hours."""
    return np.asarray(profiles.trained & (profiles.calibration.hourly_mean > 0))


def select_series(calibration: Calibration, rows: IntArray) -> Calibration:
    return Calibration(*(getattr(calibration, field.name)[rows] for field in fields(calibration)))


def score(profiles: Profiles, recent: FloatArray, tokens: FloatArray | None = None) -> Scores:
    """Score the hours after the fit, up to 7 days.

    `recent` is (series, 24 + hours): the last 24 hours of history, then the hours to score; so are `tokens`.
    """
    check_matrix(recent)
    hours = recent.shape[1]
    if not CONTEXT_HOURS < hours <= profiles.expected.shape[1]:
        raise RefusedError(
            f"{hours} h to score; from {CONTEXT_HOURS + 1} to {profiles.expected.shape[1]} h are right"
        )
    expected = np.where(np.isnan(profiles.expected[:, :hours]), recent, profiles.expected[:, :hours])
    hour_of_week = (profiles.first_weekday * DAY_HOURS + np.arange(hours)) % (WEEK_DAYS * DAY_HOURS)
    known = Known(
        expected=expected,
        calibration=profiles.calibration,
        envelope=profiles.envelope[..., hour_of_week],
        forest=profiles.forest,
        tokens=tokens,
        price=profiles.price,
    )
    return _only(score_hours(recent, known), slice(CONTEXT_HOURS, hours), profiles.trained)


def _only(scores: Scores, hours: slice, trained: BoolArray) -> Scores:
    def cut(values: FloatArray) -> FloatArray:
        return np.where(trained[:, None], values[:, hours], np.nan)

    plain = {f.name: cut(getattr(scores, f.name)) for f in fields(scores) if f.name != "terms"}
    return Scores(**plain, terms={name: cut(values) for name, values in scores.terms.items()})


def check_matrix(values: FloatArray) -> None:
    """Raise RefusedError naming the first hour that is not a finite number."""
    broken = np.argwhere(~np.isfinite(values))
    if len(broken):
        row, hour = broken[0]
        raise RefusedError(
            f"series {row} holds {values[row, hour]} at hour {hour}; only finite numbers are scored"
        )


def check_length(history: FloatArray, settings: DetectorSettings) -> None:
    hours = history.shape[1]
    if hours % DAY_HOURS or hours < settings.min_days * DAY_HOURS:
        raise RefusedError(
            f"{hours} h of history; whole days are right, at least {settings.min_days * DAY_HOURS} h"
        )
