import numpy as np
import pytest

from detectors.forest import forest_features, grow_forest, surprise
from detectors.scale import Calibration, calibrate, measure, missing_share
from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray, rolling_sum, row_mean, row_median, row_quantiles


def noise(series: int, days: int, sigma: float = 1.0) -> FloatArray:
    return np.asarray(np.random.default_rng(2).normal(10, sigma, (series, days, 24)))


def calibrated(actual: FloatArray, expected: float = 10.0) -> Calibration:
    return calibrate(measure(actual, np.full(actual.shape, expected)), 0.0)


def test_rolling_sums_start_with_what_there_is() -> None:
    assert rolling_sum(np.array([[1.0, 2.0, np.nan, 4.0]]), 2).tolist() == [[1, 3, 2, 4]]


def test_row_statistics_leave_out_missing_values() -> None:
    rows = np.array([[3.0, np.nan, 1.0, 2.0], [np.nan] * 4])
    assert row_median(rows)[0] == 2
    assert row_quantiles(rows, 0.0, 1.0)[1][0] == 3
    assert row_mean(rows).tolist() == [2, 0]
    assert np.isnan(row_median(rows)[1])


def test_one_sigma_of_gaussian_noise_is_found() -> None:
    scale = calibrated(noise(20, 46)).scale.mean(axis=(0, 2))
    assert scale[0] == pytest.approx(1.0 + 0.2, rel=0.25)
    assert scale[1] == pytest.approx(3**0.5 + 0.6, rel=0.35)


def test_a_noisy_hour_of_day_has_a_larger_scale_and_so_have_its_neighbours() -> None:
    actual = noise(1, 46)
    actual[:, :, 9] += np.random.default_rng(3).normal(0, 30, (1, 46))
    scale = calibrated(actual).scale[0, 0]
    assert scale[[8, 9, 10]].min() > 5 * scale[[3, 15, 20]].max()


def test_a_young_series_is_drawn_to_what_is_usual() -> None:
    steady = noise(30, 46, sigma=3)
    young = noise(1, 46, sigma=0.01)
    expected = np.full((31, 46, 24), 10.0)
    expected[30, :-2] = np.nan
    scale = calibrate(measure(np.concatenate([steady, young]), expected), 0.0).scale[:, 0].mean(axis=1)
    assert scale[30] > 0.6 * np.median(scale[:30])


def test_the_floor_keeps_a_dead_series_from_scoring_cents() -> None:
    dead = calibrate(measure(np.zeros((1, 30, 24)), np.zeros((1, 30, 24))), 0.5)
    assert dead.scale[0, :, 0] == pytest.approx(0.5 * np.sqrt([1, 3, 6, 24]))


def test_missing_spend_counts_where_enough_was_expected() -> None:
    share = missing_share(np.array([[2.0, 0.0, 1.0]]), np.array([[4.0, 4.0, 0.0]]), np.array([4.0]), 1)
    assert share[0, :2].tolist() == [0.5, 1.0]
    assert np.isnan(share[0, 2])


def test_a_series_that_is_often_silent_has_no_drops() -> None:
    silent = noise(2, 46)
    silent[0, ::3] = 0
    assert calibrated(silent).drop_limit[0].min() > 0.9
    assert calibrated(silent).drop_limit[1].max() < 0.3


def test_the_forest_is_surprised_by_what_history_has_not_seen() -> None:
    ordinary = forest_features(np.abs(np.random.default_rng(4).normal(size=(3000, 4))), np.zeros((3000, 2)))
    forest = grow_forest(ordinary, DetectorSettings())
    strange = forest_features(np.array([[0.5] * 4, [8.0] * 4]), np.zeros((2, 2)))
    calm, alarm = surprise(forest, strange)
    assert calm < 1 < 3 < alarm


def test_without_enough_history_there_is_no_forest_and_no_surprise() -> None:
    assert grow_forest(np.zeros((10, 6)), DetectorSettings()) is None
    assert surprise(None, np.ones((3, 6))).tolist() == [0, 0, 0]
