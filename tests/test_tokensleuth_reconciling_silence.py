"""When a source that is silent has stopped, by its own rhythm."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.window import HOUR
from tokensleuth.reconciling.silence import Hours, Silence, rhythm_of, silence_of

MONDAY = datetime(2026, 10, 5, tzinfo=UTC)


def heard(when: Callable[[datetime], bool], hours: int = 28 * 24) -> Hours:
    """Up to its last hour with data."""
    flags = np.array([when(MONDAY + i * HOUR) for i in range(hours)])
    return flags[: np.flatnonzero(flags)[-1] + 1]


def silent(flags: Hours, hours: int) -> Silence:
    """After so many hours of silence."""
    last = MONDAY + (len(flags) - 1) * HOUR
    return silence_of(rhythm_of(flags, MONDAY), last, last + (hours + 1) * HOUR)


def at_work(instant: datetime) -> bool:
    return instant.weekday() < 5 and 8 <= instant.hour < 18


def noticed(flags: Hours) -> int:
    """Hours of silence after which it has stopped; 999 where never."""
    return next((n for n in range(1, 300) if silent(flags, n).stopped_at is not None), 999)


def test_a_source_that_is_always_heard_has_stopped_after_its_fourth_silent_hour() -> None:
    assert noticed(heard(lambda _: True)) == 4


def test_silence_at_night_and_at_the_weekend_is_no_stop() -> None:
    flags = heard(at_work)
    assert flags[-1]
    assert silent(flags, 2 * 24 + 14).stopped_at is None


def test_a_working_day_without_data_is_a_stop_by_noon() -> None:
    flags = heard(at_work)
    weekend = 2 * 24 + 14
    found = silent(flags, weekend + 8)
    assert found.stopped_at is not None
    assert found.stopped_at.hour <= 12


def test_the_instant_of_the_stop_does_not_move_while_it_lasts() -> None:
    flags = heard(lambda _: True)
    assert {silent(flags, n).stopped_at for n in (4, 10, 200)} == {MONDAY + (28 * 24 + 4) * HOUR}


@pytest.mark.parametrize("days", [1, 13])
def test_nothing_is_said_of_a_source_without_history(days: int) -> None:
    assert noticed(heard(lambda _: True, days * 24)) == 999


def test_a_source_that_is_hardly_ever_heard_never_stops() -> None:
    assert noticed(heard(lambda at: at.hour == 3 and at.weekday() == 2)) == 999


def test_one_that_paused_for_a_day_is_given_two() -> None:
    paused = heard(lambda at: not 10 <= (at - MONDAY).days < 11)
    assert 30 < noticed(paused) <= 48


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 1), st.integers(0, 400))
def test_more_silence_never_takes_a_stop_back(seed: int, share: float, hours: int) -> None:
    flags = np.random.default_rng(seed).random(28 * 24) < share
    flags[-1] = True
    now, later = silent(flags, hours), silent(flags, hours + 24)
    assert later.gathered >= now.gathered
    assert now.stopped_at is None or later.stopped_at == now.stopped_at


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 1))
def test_no_silence_of_its_own_history_is_a_stop(seed: int, share: float) -> None:
    """Judged by what was learnt from it, each ordinary gap stays under the limit."""
    flags = np.random.default_rng(seed).random(28 * 24) < share
    flags[-1] = True
    rhythm = rhythm_of(flags, MONDAY)
    at = np.flatnonzero(flags)
    gaps = pairwise(at)
    assert all(
        silence_of(rhythm, MONDAY + int(a) * HOUR, MONDAY + int(b) * HOUR).stopped_at is None for a, b in gaps
    )
