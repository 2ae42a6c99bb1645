import numpy as np

from detectors.envelope import ENVELOPE_WINDOWS
from detectors.envelope import fit_envelope as fit
from detectors.statistics import FloatArray

SATURDAY_1 = 5 * 24 + 1


def weeks(count: int) -> FloatArray:
    return np.ones((1, count * 7, 24))


def fitted(learnt: FloatArray, actual: FloatArray, age_days: int = 60) -> FloatArray:
    return fit(learnt, actual, np.array([age_days]))


def with_batch(days: FloatArray, week: int, size: float, day: int = 5, hour: int = 1) -> FloatArray:
    days = days.copy()
    days[0, week * 7 + day, hour] = size
    return days


def test_the_largest_of_past_weeks_stands_at_its_hour_of_week_and_beside_it() -> None:
    days = with_batch(with_batch(weeks(4), 0, 30.0), 2, 50.0)
    one_hour = fitted(days, days)[0, 0]
    assert one_hour[SATURDAY_1 - 1 : SATURDAY_1 + 2].tolist() == [50, 50, 50]
    assert np.delete(one_hour, range(SATURDAY_1 - 1, SATURDAY_1 + 2)).max() == 1


def test_longer_windows_hold_the_sum_that_ends_at_the_hour() -> None:
    days = with_batch(weeks(3), 1, 50.0)
    envelope = fitted(days, days)[0]
    assert [envelope[i, SATURDAY_1] for i in range(len(ENVELOPE_WINDOWS))] == [50, 52, 55, 73]
    assert envelope[2, SATURDAY_1 + 6] == 55


def test_history_that_ends_within_a_week_keeps_its_weekdays() -> None:
    days = with_batch(weeks(4), 2, 50.0)[:, :-3]
    assert fitted(days, days)[0, 0].argmax() == SATURDAY_1 - 1


def test_what_is_older_than_eight_weeks_is_forgotten() -> None:
    days = with_batch(weeks(9), 0, 50.0)
    assert fitted(days, days).max() == 24


def test_what_was_flagged_counts_from_its_second_time_on() -> None:
    learnt = weeks(4)
    once = with_batch(learnt, 1, 50.0)
    assert fitted(learnt, once)[0, 0].max() == 1
    assert fitted(learnt, with_batch(once, 3, 40.0))[0, 0, SATURDAY_1] == 40


def test_less_than_a_week_has_no_envelope() -> None:
    assert not fitted(weeks(1)[:, :6], weeks(1)[:, :6]).any()


def test_a_young_series_is_held_to_the_same_hours_of_all_days() -> None:
    days = with_batch(weeks(2), 1, 50.0, day=2)
    young = fitted(days, days, age_days=14)[0, 0].reshape(7, 24)
    assert young[:, 1].tolist() == [50] * 7
    assert young[:, 5].tolist() == [1] * 7
