import numpy as np
import pytest

from detectors.causal import score_range, scoring_blocks
from detectors.flags import FlagState, flag_hours, onset_hours
from detectors.scoring import Scores
from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray

SETTINGS = DetectorSettings()
FIRST = 28 * 24


def rhythm(series: int = 6, days: int = 42) -> FloatArray:
    hour = np.arange(days * 24)
    day = 1 + 0.6 * np.sin((hour % 24 - 8) / 24 * 2 * np.pi)
    jitter = np.exp(np.random.default_rng(5).normal(0, 0.15, (series, len(hour))))
    return np.asarray(10.0 * day * jitter)


def with_events(values: FloatArray) -> FloatArray:
    values = values.copy()
    values[0, FIRST + 40 : FIRST + 44] *= 5
    values[1, FIRST + 100 : FIRST + 110] = 0
    values[2, FIRST + 60 :] *= 3
    return values


@pytest.mark.parametrize("known_hours", [FIRST + 41, FIRST + 96, FIRST + 200])
def test_changing_the_future_changes_no_score_and_no_flag_of_the_past(known_hours: int) -> None:
    values = with_events(rhythm())
    altered = values.copy()
    altered[:, known_hours:] = altered[::-1, known_hours:] * 40 + 7
    first, second = (score_range(v, FIRST, SETTINGS, floor=1.0) for v in (values, altered))
    until = known_hours - first.first_hour
    np.testing.assert_array_equal(first.scores.values[:, :until], second.scores.values[:, :until])
    np.testing.assert_array_equal(first.scores.expected[:, :until], second.scores.expected[:, :until])
    np.testing.assert_array_equal(first.flagged[:, :until], second.flagged[:, :until])
    assert (first.flagged[:, until:] != second.flagged[:, until:]).any()


def test_a_range_that_ends_earlier_has_the_same_scores() -> None:
    values = with_events(rhythm())
    whole, part = (score_range(v, FIRST, SETTINGS, floor=1.0) for v in (values, values[:, : FIRST + 77]))
    np.testing.assert_array_equal(whole.scores.values[:, : part.scores.hours], part.scores.values)


def test_an_incident_is_not_learnt_so_a_level_shift_stays_flagged() -> None:
    values = rhythm()
    values[2, FIRST + 60 : FIRST + 60 + 7 * 24] *= 3
    result = score_range(values, FIRST, SETTINGS, floor=1.0)
    shift = result.flagged[2, FIRST + 60 - result.first_hour :][: 7 * 24]
    assert (shift > 0).mean() > 0.95
    after = result.scores.expected[2, -24:].sum()
    assert after == pytest.approx(240, rel=0.15)


def test_what_began_before_the_range_is_known_at_its_start() -> None:
    values = rhythm()
    values[2, FIRST - 30 :] *= 3
    result = score_range(values, FIRST, SETTINGS, floor=1.0)
    assert result.first_hour == FIRST - 7 * 24
    assert result.flagged[2, 7 * 24 - 28] == 1


def test_a_range_may_start_at_any_hour_and_gets_the_scores_of_its_day() -> None:
    values = rhythm()
    midnight, noon = (score_range(values, start, SETTINGS) for start in (FIRST, FIRST + 12))
    np.testing.assert_array_equal(midnight.scores.values, noon.scores.values)


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    score_range(rhythm(), FIRST, SETTINGS, lambda done, total: told.append((done, total)))
    assert told == [(i, 15) for i in range(1, 16)]


def test_the_warm_up_is_left_out_where_history_is_short() -> None:
    assert next(scoring_blocks(14 * 24, 15 * 24, SETTINGS)) == (14 * 24, 15 * 24)
    assert next(scoring_blocks(21 * 24, 22 * 24, SETTINGS)) == (14 * 24, 21 * 24)


def scores_of(values: list[float], direction: float = 1.0) -> Scores:
    row = np.array([values])
    ones = np.ones_like(row)
    signed = 10 * direction * ones
    return Scores(row, ones, ones, direction * ones, signed, signed, ones, {})


def flags_of(values: list[float]) -> list[int]:
    scores = scores_of(values)
    flags, _ = flag_hours(scores, scores.values > 0, FlagState.closed(1), SETTINGS)
    return [int(flag) for flag in flags.flagged[0]]


def test_a_spike_opens_high_and_stays_open_while_lower() -> None:
    assert flags_of([4, 6, 4, 4, 2, 4, 1]) == [0, 1, 1, 1, 0, 1, 0]


def test_a_spike_closes_after_six_quiet_hours() -> None:
    assert flags_of([6, 1, 1, 1, 1, 1, 4, 1]) == [1, 0, 0, 0, 0, 0, 1, 0]
    assert flags_of([6, 1, 1, 1, 1, 1, 1, 4]) == [1, 0, 0, 0, 0, 0, 0, 0]


def test_the_state_carries_over_from_one_day_to_the_next() -> None:
    matters = np.ones((1, 2), dtype=bool)
    _, state = flag_hours(scores_of([6, 4]), matters, FlagState.closed(1), SETTINGS)
    flags, _ = flag_hours(scores_of([4, 4]), matters, state, SETTINGS)
    assert flags.flagged.tolist() == [[1, 1]]
    flags, _ = flag_hours(scores_of([4, 4], direction=-1), matters, state, SETTINGS)
    assert flags.flagged.tolist() == [[0, 0]]


def test_a_change_that_lasts_longer_than_the_mask_is_learnt() -> None:
    hours = 15 * 24
    flags, _ = flag_hours(scores_of([12.0] * hours), np.ones((1, hours), bool), FlagState.closed(1), SETTINGS)
    assert flags.flagged.all()
    assert flags.masked[0, : 14 * 24].all()
    assert not flags.masked[0, 14 * 24 + 1 :].any()


def test_the_hours_that_led_to_a_flag_are_not_learnt_either() -> None:
    flagged = np.array([[0.0] * 8 + [1.0, 1.0, 0.0, -1.0]])
    rises = np.array([[True, True, False, True, True, True, True, True, True, True, False, False]])
    onset = onset_hours(flagged, rises, np.zeros_like(rises))
    assert onset[0].nonzero()[0].tolist() == [3, 4, 5, 6, 7]


def test_a_price_step_is_told_although_the_amount_is_ordinary() -> None:
    values = rhythm()
    tokens = values * 1000
    tokens[0, FIRST + 100 :] /= 1.3
    with_price = score_range(values, FIRST, SETTINGS, floor=1.0, tokens=tokens)
    assert not score_range(values, FIRST, SETTINGS, floor=1.0).flagged.any()
    told = with_price.flagged[:, FIRST + 100 - with_price.first_hour :]
    assert told[0, :24].any()
    assert not told[1:].any()


def test_a_job_that_comes_every_week_is_told_twice_and_then_a_habit() -> None:
    values = rhythm(days=63)
    for week in range(4):
        values[0, FIRST + 30 + week * 168 : FIRST + 34 + week * 168] *= 6
    result = score_range(values, FIRST, SETTINGS, floor=1.0)
    told = [result.flagged[0, FIRST + 30 - result.first_hour + week * 168 :][:4].any() for week in range(4)]
    assert told == [True, True, False, False]
