"""What every detector has to hold to, whatever it is made of."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from detectors.causal import RangeScores, score_range
from detectors.model import fit, score
from detectors.profiles import CONTEXT_HOURS, History
from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray
from ledger.errors import RefusedError

SETTINGS = DetectorSettings()
HISTORY_HOURS = 28 * 24
NOON = HISTORY_HOURS + 2 * 24 + 12


def rhythm(series: int = 4, days: int = 35, noise: float = 0.1) -> FloatArray:
    """Spend with a working day and a quiet weekend, (series, hours), the first day a Monday."""
    hour = np.arange(days * 24)
    day = 1 + 0.6 * np.sin((hour % 24 - 8) / 24 * 2 * np.pi)
    week = np.where(hour // 24 % 7 < 5, 1.0, 0.5)
    jitter = np.exp(np.random.default_rng(3).normal(0, noise, (series, len(hour))))
    return np.asarray(10.0 * day * week * jitter)


def scored(values: FloatArray, settings: DetectorSettings = SETTINGS) -> RangeScores:
    return score_range(values, HISTORY_HOURS, settings, floor=settings.min_usd)


def score_at(values: FloatArray, hour: int) -> float:
    result = scored(values)
    return float(result.scores.values[0, hour - result.first_hour])


def test_the_same_seed_gives_the_same_scores() -> None:
    first, second = scored(rhythm()), scored(rhythm())
    np.testing.assert_array_equal(first.scores.values, second.scores.values)


def test_another_seed_moves_scores_only_a_little() -> None:
    values = rhythm()
    values[0, NOON : NOON + 4] *= 4
    other = scored(values, replace(SETTINGS, seed=11))
    np.testing.assert_array_equal(scored(values).flagged != 0, other.flagged != 0)


def test_a_larger_deviation_scores_higher() -> None:
    peaks = []
    for factor in (1.0, 1.5, 2.0, 4.0, 8.0, 100.0):
        values = rhythm()
        values[0, NOON : NOON + 4] *= factor
        peaks.append(score_at(values, NOON + 3))
    assert peaks == sorted(peaks)
    assert peaks[-1] > 10 * peaks[2]


def test_a_deeper_drop_scores_higher() -> None:
    peaks = []
    for factor in (0.9, 0.5, 0.2, 0.0):
        values = rhythm()
        values[0, NOON : NOON + 6] *= factor
        peaks.append(score_at(values, NOON + 5))
    assert peaks == sorted(peaks)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_value_that_is_no_number_is_refused_by_place(wrong: float) -> None:
    values = rhythm()
    values[2, 700] = wrong
    with pytest.raises(RefusedError, match=rf"series 2 holds {wrong} at hour 700"):
        scored(values)


@pytest.mark.parametrize("hours", [0, 24, 71])
def test_a_short_history_is_refused_with_what_would_be_right(hours: int) -> None:
    with pytest.raises(RefusedError, match=f"{hours} h of history; whole days are right, at least 72 h"):
        fit(History(rhythm()[:, :hours], 0), settings=SETTINGS)


def test_more_hours_than_a_week_ahead_are_refused() -> None:
    profiles = fit(History(rhythm()[:, :HISTORY_HOURS], 0), settings=SETTINGS)
    with pytest.raises(RefusedError, match="193 h to score; from 25 to 192 h are right"):
        score(profiles, np.ones((4, CONTEXT_HOURS + 169)))


@pytest.mark.parametrize("level", [0.0, 5.0, 1e9])
def test_a_flat_series_gives_no_spike(level: float) -> None:
    assert not scored(np.full((3, 35 * 24), level)).flagged.any()


def test_an_ordinary_rhythm_gives_no_spike() -> None:
    assert not scored(rhythm(series=20)).flagged.any()


def test_scores_do_not_depend_on_the_currency() -> None:
    values = rhythm()
    values[0, NOON : NOON + 4] *= 4
    dollars = score_range(values, HISTORY_HOURS, SETTINGS)
    yen = score_range(values * 150, HISTORY_HOURS, SETTINGS)
    np.testing.assert_allclose(dollars.scores.values, yen.scores.values, rtol=1e-6)


def test_fit_and_score_agree_with_the_range_driver() -> None:
    values = rhythm()
    settings = replace(SETTINGS, warmup_days=0)
    profiles = fit(History(values[:, :HISTORY_HOURS], 0), settings=settings)
    day = score(profiles, values[:, HISTORY_HOURS - CONTEXT_HOURS : HISTORY_HOURS + 24])
    driven = score_range(values, HISTORY_HOURS, settings).scores
    np.testing.assert_array_equal(day.values, driven.values[:, :24])
    assert set(day.terms) == {"z_1h", "z_3h", "z_6h", "z_24h", "drop_6h", "forest", "price"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (partial(DetectorSettings, keep_score=11.0), "keep_score 11.0"),
        (partial(DetectorSettings, min_days=2), "min_days 2"),
        (partial(DetectorSettings, warmup_days=8), "warmup_days 8"),
        (partial(DetectorSettings, quiet_hours=25), "quiet_hours 25"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_by_name(
    settings: Callable[[], DetectorSettings], message: str
) -> None:
    with pytest.raises(RefusedError, match=message):
        settings()
