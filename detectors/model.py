"""Fit on whole days of the past, score the hours after it: the detector as two functions over matrices."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace

import numpy as np

from detectors.arrays import joined, taken
from detectors.calendar import calibrated, days_of
from detectors.envelope import fit_envelope
from detectors.forest import grow_forest
from detectors.ordinary import expected_hours, ordinary_features, sampled_rows
from detectors.price import PriceProfile, fit_price
from detectors.profiles import AHEAD_DAYS, CONTEXT_DAYS, CONTEXT_HOURS, Ahead, History, Lesson, Profiles
from detectors.scale import Measured, calibrate, measure
from detectors.scoring import Known, Scores, score_hours
from detectors.seasonal import (
    DAY_HOURS,
    WEEK_DAYS,
    Shapes,
    day_levels,
    first_whole_day,
    fit_shapes,
    hindsight_levels,
)
from detectors.settings import DetectorSettings
from detectors.statistics import BoolArray, FloatArray, IntArray
from ledger.errors import RefusedError

BLOCK_SERIES = 256
"""Series fitted at once: their matrices stay in the cache, and memory does not grow with the number."""


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
        learn(history.rows(rows), settings, taken(known.shapes, rows) if known else None)
        for rows in blocks(len(history.learnt))
    ]
    profiles = conclude(joined_lesson(lessons), history, floor)
    if known is not None:
        return replace(profiles, forest=known.forest)
    rows = sampled_rows(profiles.trained, profiles.calibration, seed=settings.seed)
    if not len(rows):
        return profiles
    shapes, calibration = taken(profiles.shapes, rows), taken(profiles.calibration, rows)
    features = ordinary_features(history.rows(rows), shapes, calibration)
    return replace(profiles, forest=grow_forest(features, settings))


def blocks(series: int, most: int = BLOCK_SERIES) -> Iterator[slice]:
    """Slices of at most so many series; one of none when there are none."""
    for start in range(0, max(series, 1), most):
        yield slice(start, min(start + most, series))


def learn(history: History, settings: DetectorSettings, known: Shapes | None = None) -> Lesson:
    """What a block shows by itself; `known` shapes are kept."""
    days = days_of(history.learnt, history.first_weekday)
    first_day = np.maximum(first_whole_day(days), history.first_weekday)
    shapes = fit_shapes(days, first_day, settings, known)
    expected = expected_hours(day_levels(days, first_day, AHEAD_DAYS), shapes)
    spent = history.learnt if history.actual is None else history.actual
    age_days = days.shape[1] - first_day
    return Lesson(
        expected=expected[:, -CONTEXT_DAYS - AHEAD_DAYS :].reshape(len(days), -1),
        envelope=fit_envelope(days, days_of(spent, history.first_weekday), age_days),
        measured=_measured(days, first_day, expected, shapes),
        trained=np.asarray(age_days >= settings.min_days),
        price=None if history.tokens is None else fit_price(spent, history.tokens),
        shapes=shapes,
    )


def _measured(days: FloatArray, first_day: IntArray, expected: FloatArray, shapes: Shapes) -> Measured:
    """Of the last days. In its first week a series may lose everything: its weekend may be free."""
    past = calibrated(days)
    hindsight = expected_hours(hindsight_levels(days, first_day), shapes)
    measured = measure(days[:, past], expected[:, past], hindsight[:, past])
    young = days.shape[1] - first_day < WEEK_DAYS
    return replace(measured, drop_limit=np.where(young[:, None], 1.0, measured.drop_limit))


def joined_lesson(lessons: Sequence[Lesson]) -> Lesson:
    """Block after block; all with a price channel, or none."""
    prices = [lesson.price for lesson in lessons if lesson.price is not None]
    return Lesson(
        expected=np.concatenate([lesson.expected for lesson in lessons]),
        envelope=np.concatenate([lesson.envelope for lesson in lessons]),
        measured=joined(Measured, [lesson.measured for lesson in lessons]),
        trained=np.concatenate([lesson.trained for lesson in lessons]),
        price=joined(PriceProfile, prices) if prices else None,
        shapes=joined(Shapes, [lesson.shapes for lesson in lessons]),
    )


def conclude(lesson: Lesson, history: History, floor: float) -> Profiles:
    """Profiles without a forest: scales are drawn to what is usual among all series."""
    days = history.learnt.shape[1] // DAY_HOURS
    return Profiles(
        expected=lesson.expected,
        envelope=lesson.envelope,
        first_weekday=(history.first_weekday + days - CONTEXT_DAYS) % WEEK_DAYS,
        calibration=calibrate(lesson.measured, floor),
        trained=lesson.trained,
        price=lesson.price,
        shapes=lesson.shapes,
        forest=None,
    )


def score(profiles: Profiles, recent: FloatArray, tokens: FloatArray | None = None) -> Scores:
    """Score the hours after the fit, up to 7 days.

    `recent` is (series, 24 + hours): the last 24 hours of history, then the hours to score; so are `tokens`.
    """
    return score_ahead(profiles.ahead(recent.shape[1]), recent, tokens)


def score_ahead(ahead: Ahead, recent: FloatArray, tokens: FloatArray | None) -> Scores:
    """Like `score`, by what is known of exactly these hours."""
    check_matrix(recent)
    known = Known(
        expected=np.where(np.isnan(ahead.expected), recent, ahead.expected),
        calibration=ahead.calibration,
        envelope=ahead.envelope,
        forest=ahead.forest,
        tokens=tokens,
        price=ahead.price,
    )
    return _only(score_hours(recent, known, CONTEXT_HOURS), ahead.trained)


def _only(scores: Scores, trained: BoolArray) -> Scores:
    if trained.all():
        return scores

    def cut(values: FloatArray) -> FloatArray:
        return np.where(trained[:, None], values, np.nan)

    plain = {f.name: cut(getattr(scores, f.name)) for f in fields(scores) if f.name != "terms"}
    return Scores(**plain, terms={name: cut(values) for name, values in scores.terms.items()})


def check_matrix(values: FloatArray) -> None:
    """Raise RefusedError naming the first hour that is not a finite number."""
    if np.isfinite(values).all():
        return
    row, hour = np.argwhere(~np.isfinite(values))[0]
    raise RefusedError(
        f"series {row} holds {values[row, hour]} at hour {hour}; only finite numbers are scored"
    )


def check_length(history: FloatArray, settings: DetectorSettings) -> None:
    hours = history.shape[1]
    if hours % DAY_HOURS or hours < settings.min_days * DAY_HOURS:
        raise RefusedError(
            f"{hours} h of history; whole days are right, at least {settings.min_days * DAY_HOURS} h"
        )
