"""Fit on whole days of the past, score the hours after it: the detector as two functions over matrices."""

from dataclasses import dataclass, fields, replace

import numpy as np

from detectors.forest import Forest, forest_features, grow_forest
from detectors.scale import Calibration, calibrate
from detectors.scoring import Scores, drop_scores, score_hours, window_z
from detectors.seasonal import DAY_HOURS, WEEK_DAYS, Shapes, day_levels, first_whole_day, fit_shapes
from detectors.settings import DetectorSettings
from detectors.statistics import BoolArray, FloatArray, IntArray
from ledger.errors import RefusedError

CONTEXT_DAYS = 3
CONTEXT_HOURS = CONTEXT_DAYS * DAY_HOURS
"""Hours before the first scored one that a score looks back on."""
_CALIBRATION_DAYS = 46
_FOREST_SERIES = 256
"""Series whose history is offered to the forest: 280,000 hours, of which it takes `forest_rows`."""


@dataclass(frozen=True, slots=True)
class Profiles:
    """What is known of each series at one midnight UTC."""

    expected: FloatArray
    """Shape (series, 240): the last 3 days of history, as they were expected, and the 7 days after it.

    NaN on days of which nothing was known.
    """
    calibration: Calibration
    trained: BoolArray
    """Series with enough history to be scored."""
    shapes: Shapes
    forest: Forest | None


def fit(
    history: FloatArray,
    *,
    first_weekday: int,
    settings: DetectorSettings,
    floor: float = 0.0,
    known: Profiles | None = None,
) -> Profiles:
    """Learn from (series, hours) of whole UTC days, the first of them `first_weekday` (Monday is 0).

    `floor` is the least one-hour scale in the unit of the series. With `known`, its seasonal shapes and
    forest are kept and only levels and scales are renewed. Raises RefusedError on NaN or too few hours.
    """
    check_matrix(history)
    check_length(history, settings)
    days = np.pad(history, ((0, 0), (first_weekday * DAY_HOURS, 0))).reshape(len(history), -1, DAY_HOURS)
    first_day = np.maximum(first_whole_day(days), first_weekday)
    shapes = fit_shapes(days, first_day, settings, known.shapes if known else None)
    expected = expected_hours(day_levels(days, first_day, WEEK_DAYS), shapes)
    past = slice(max(days.shape[1] - _CALIBRATION_DAYS, 0), days.shape[1])
    calibration = calibrate(days[:, past], expected[:, past], floor)
    trained = days.shape[1] - first_day >= settings.min_days
    ahead = expected[:, -CONTEXT_DAYS - WEEK_DAYS :].reshape(len(days), -1)
    profiles = Profiles(ahead, calibration, trained, shapes, known.forest if known else None)
    if known is not None:
        return profiles
    features = ordinary_features(days[:, past], expected[:, past], profiles, seed=settings.seed)
    return replace(profiles, forest=grow_forest(features, settings))


def expected_hours(levels: FloatArray, shapes: Shapes) -> FloatArray:
    """(series, days, 24) from the level of each day and the shares of its weekday."""
    weekday = np.arange(levels.shape[1]) % WEEK_DAYS
    return np.asarray(levels[..., None] * shapes.shares[:, weekday])


def ordinary_features(days: FloatArray, expected: FloatArray, profiles: Profiles, *, seed: int) -> FloatArray:
    """(rows, features) of the hours of history that had an expectation, of a sample of the series."""
    rows = np.flatnonzero(profiles.trained & (profiles.calibration.hourly_mean > 0))
    if len(rows) > _FOREST_SERIES:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _FOREST_SERIES, replace=False))
    forecast = expected[rows]
    known = ~np.isnan(forecast).reshape(len(rows), days.shape[1] * DAY_HOURS)
    mean = np.where(np.isnan(forecast), days[rows], forecast).reshape(known.shape)
    actual = days[rows].reshape(known.shape)
    calibration = select_series(profiles.calibration, rows)
    z = window_z(actual, mean, calibration)[known]
    drop = drop_scores(actual, mean, calibration)[known]
    return forest_features(z, drop)


def select_series(calibration: Calibration, rows: IntArray) -> Calibration:
    return Calibration(*(getattr(calibration, field.name)[rows] for field in fields(calibration)))


def score(profiles: Profiles, recent: FloatArray) -> Scores:
    """Score the hours after the fit, up to 7 days.

    `recent` is (series, 72 + hours): the last 72 hours of history, then the hours to score.
    """
    check_matrix(recent)
    hours = recent.shape[1]
    if not CONTEXT_HOURS < hours <= profiles.expected.shape[1]:
        raise RefusedError(
            f"{hours} h to score; from {CONTEXT_HOURS + 1} to {profiles.expected.shape[1]} h are right"
        )
    expected = np.where(np.isnan(profiles.expected[:, :hours]), recent, profiles.expected[:, :hours])
    scores = score_hours(recent, expected, profiles.calibration, profiles.forest)
    return _only(scores, slice(CONTEXT_HOURS, hours), profiles.trained)


def _only(scores: Scores, hours: slice, trained: BoolArray) -> Scores:
    def cut(values: FloatArray) -> FloatArray:
        return np.where(trained[:, None], values[:, hours], np.nan)

    return Scores(
        values=cut(scores.values),
        expected=cut(scores.expected),
        scale=cut(scores.scale),
        direction=cut(scores.direction),
        excess=cut(scores.excess),
        terms={name: cut(values) for name, values in scores.terms.items()},
    )


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
