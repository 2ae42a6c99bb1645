from datetime import UTC, datetime

import numpy as np

from detectors.incidents import SeriesKey, Spike
from detectors.scored import ScoredSeries
from detectors.settings import DetectorSettings
from detectors.spikes import extract_spikes, find_runs
from ledger.scope import EVERYTHING
from ledger.window import HOUR, Window

START = datetime(2026, 11, 2, tzinfo=UTC)


def spikes_of(actual: list[float], flagged: list[int], expected: float = 10.0) -> tuple[Spike, ...]:
    row = np.array([actual])
    scored = ScoredSeries(
        series=(SeriesKey("cost_usd", EVERYTHING),),
        window=Window(START, START + len(actual) * HOUR),
        actual=row,
        expected=np.full(row.shape, expected),
        scale=np.ones(row.shape),
        values=np.abs(row - expected),
        flagged=np.array([flagged], dtype=float),
        terms={"z_1h": row - expected},
    )
    return extract_spikes(scored, DetectorSettings())


def hours(spike: Spike) -> tuple[int, int]:
    return (spike.window.start_at - START) // HOUR, (spike.window.end_at - START) // HOUR


def test_runs_are_joined_over_pauses_and_split_by_direction_and_row() -> None:
    flagged = np.zeros((2, 60))
    flagged[0, [1, 2, 20]] = 1
    flagged[0, [30, 55]] = -1
    flagged[1, 56] = 1
    runs = [(run.row, run.start, run.end, run.sign) for run in find_runs(flagged, 24)]
    assert runs == [(0, 1, 21, 1), (0, 30, 31, -1), (0, 55, 56, -1), (1, 56, 57, 1)]
    assert not find_runs(np.zeros((2, 5)), 24)


def test_a_spike_adds_up_its_hours_and_says_when_it_was_flagged() -> None:
    (spike,) = spikes_of([10, 10, 40, 50, *[10] * 8], [0, 0, 1, 1, *[0] * 8])
    assert hours(spike) == (2, 4)
    assert (spike.expected, spike.actual, spike.excess) == (20, 90, 70)
    assert spike.detected_at == START + 3 * HOUR
    assert (spike.direction, spike.score, spike.terms) == ("up", 40, {"z_1h": 40})


def test_a_spike_begins_with_the_hours_that_led_to_it() -> None:
    (spike,) = spikes_of([10, 15, 15, 15, 15, *[10] * 8], [0, 0, 0, 1, 1, *[0] * 8])
    assert hours(spike) == (1, 5)
    assert spike.detected_at == START + 4 * HOUR


def test_a_closed_spike_ends_with_its_last_anomalous_hour() -> None:
    (spike,) = spikes_of([10, 40, 40, 10, 10, *[10] * 8], [0, 1, 1, 1, 1, *[0] * 8])
    assert hours(spike) == (1, 3)


def test_an_open_spike_ends_with_its_last_flagged_hour() -> None:
    (spike,) = spikes_of([10, 40, 40, 10], [0, 1, 1, 1])
    assert hours(spike) == (1, 4)


def test_a_drop_begins_when_spend_went_missing() -> None:
    (spike,) = spikes_of([10, 0, 0, 0, 0, *[10] * 8], [0, 0, 0, -1, -1, *[0] * 8])
    assert (hours(spike), spike.direction, spike.excess) == ((1, 5), "down", -40)


def test_the_onset_of_a_spike_does_not_reach_into_the_one_before() -> None:
    actual = [0.0, 0.0, 0.0, 40.0, 40.0, *[10.0] * 8]
    down, up = spikes_of(actual, [-1, -1, -1, 0, 1, *[0] * 8])
    assert (hours(down), hours(up)) == ((0, 3), (3, 5))


def test_without_flags_there_are_no_spikes() -> None:
    assert spikes_of([10.0, 99.0], [0, 0]) == ()
