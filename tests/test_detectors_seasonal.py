import numpy as np
import pytest

from detectors.seasonal import (
    Shapes,
    day_levels,
    decompose,
    first_whole_day,
    fit_shapes,
    has_pattern,
    hindsight_levels,
)
from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray

SETTINGS = DetectorSettings()
OFFICE = np.where((np.arange(24) >= 8) & (np.arange(24) < 18), 10.0, 1.0)


def office_weeks(weeks: int, noise: float = 0.1) -> FloatArray:
    """One series (1, days, 24): office hours on working days, a flat 1 at weekends; Monday first."""
    days = np.where(np.arange(weeks * 7)[:, None] % 7 < 5, OFFICE, 1.0)
    return np.asarray(days * np.exp(np.random.default_rng(1).normal(0, noise, days.shape)))[None]


def starts(*days: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(days, dtype=np.int64)


def test_a_series_starts_on_the_day_after_its_first_usage() -> None:
    days = np.zeros((4, 5, 24))
    days[0, 0, 0] = 1
    days[1, 2, 7] = 1
    days[2, 2, 0] = 1
    assert first_whole_day(days).tolist() == [0, 3, 2, 5]


def test_the_decomposition_finds_office_hours_and_weekends() -> None:
    shares = decompose(office_weeks(8)[0], 0)
    assert shares.sum(axis=1) == pytest.approx(np.ones(7))
    assert shares[2, 12] / shares[2, 3] == pytest.approx(10, rel=0.25)
    assert shares[6, 12] == pytest.approx(1 / 24, rel=0.25)


def test_a_series_that_starts_in_midweek_keeps_its_weekdays() -> None:
    shares = decompose(office_weeks(8)[0, 3:], 3)
    assert shares[5, 12] == pytest.approx(1 / 24, rel=0.25)
    assert shares[0, 12] > 2 / 24


def test_under_three_weeks_all_weekdays_have_one_shape() -> None:
    shares = decompose(office_weeks(2)[0], 0)
    assert (shares == shares[0]).all()
    assert shares[0, 12] > 2 * shares[0, 3]


def test_a_burst_hardly_moves_the_shape() -> None:
    days = office_weeks(8)[0]
    days[20, 3] = 500
    assert decompose(days, 0)[6, 3] < 0.1


@pytest.mark.parametrize(
    ("age_days", "empty_hours", "decomposed"), [(28, 0, True), (6, 0, False), (28, 20, False)]
)
def test_young_and_mostly_empty_series_are_not_decomposed(
    age_days: int, empty_hours: int, *, decomposed: bool
) -> None:
    days = office_weeks(4)
    days[:, :, :empty_hours] = 0
    assert has_pattern(days, starts(28 - age_days), SETTINGS).tolist() == [decomposed]


def test_a_weekly_job_of_an_intermittent_series_is_expected_at_its_hour() -> None:
    days = np.zeros((1, 56, 24))
    days[0, 1::7, 4] = 100
    shapes = fit_shapes(days, starts(0), SETTINGS)
    assert not shapes.decomposed[0]
    assert shapes.shares[0, 1].argmax() == 4
    assert shapes.shares[0, 1, 4] > 0.7


def test_known_decompositions_are_kept() -> None:
    flat = Shapes(np.full((1, 7, 24), 1 / 24), np.array([True]))
    assert fit_shapes(office_weeks(4), starts(0), SETTINGS, flat).shares.std() == 0


def test_the_level_of_a_day_is_the_median_of_its_weekday_and_knows_the_past_only() -> None:
    days = office_weeks(8, noise=0)
    levels = day_levels(days, starts(0), ahead=7)
    assert levels[0, -7:] == pytest.approx([114] * 5 + [24] * 2)
    days[0, 50:] = 1e6
    np.testing.assert_array_equal(day_levels(days, starts(0), ahead=7)[:, :50], levels[:, :50])


def test_a_past_incident_does_not_move_the_level() -> None:
    days = office_weeks(8, noise=0)
    days[0, 42:45] *= 10
    assert day_levels(days, starts(0), ahead=7)[0, 56:59] == pytest.approx([114] * 3)


def test_a_young_series_has_the_median_of_its_days() -> None:
    days = np.repeat(np.array([10.0, 30.0, 20.0, 90.0])[:, None] / 24, 24, axis=1)[None]
    levels = day_levels(days, starts(0), ahead=1)[0]
    assert np.isnan(levels[0])
    assert levels[1:] == pytest.approx([10, 20, 20, 25])


def test_with_hindsight_the_first_weekends_are_known_as_weekends() -> None:
    days = office_weeks(4, noise=0)
    assert day_levels(days, starts(0), ahead=0)[0, [5, 13]] == pytest.approx([114] * 2)
    assert hindsight_levels(days, starts(0))[0, [5, 13, 20]] == pytest.approx([24] * 3)


def test_hindsight_changes_no_day_that_was_known_by_its_weekday() -> None:
    days = office_weeks(6)
    levels, hindsight = day_levels(days, starts(3), ahead=0), hindsight_levels(days, starts(3))
    np.testing.assert_array_equal(hindsight[:, 17:], levels[:, 17:])
    assert np.isnan(hindsight[0, :3]).all()
