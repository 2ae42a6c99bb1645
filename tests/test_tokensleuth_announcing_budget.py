"""No hour, wherever it begins, has more messages than its limit."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.incident_documents import NOW
from tokensleuth.announcing.budget import HOUR, allowance, fits

MINUTES = st.lists(st.integers(-150, 150), max_size=12)


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def test_an_hour_is_half_open() -> None:
    assert not fits(NOW, 1, [NOW - minutes(59)], 1)
    assert fits(NOW, 1, [NOW - HOUR], 1)


def test_messages_that_wait_for_later_count_too() -> None:
    assert not fits(NOW, 1, [NOW + minutes(59)], 1)
    assert fits(NOW, 1, [NOW + HOUR], 1)


def test_messages_before_and_after_count_together_only_within_one_hour() -> None:
    assert fits(NOW, 1, [NOW - minutes(40), NOW + minutes(40)], 2)
    assert not fits(NOW, 1, [NOW - minutes(20), NOW + minutes(20)], 2)


@given(MINUTES, st.integers(1, 4), st.integers(1, 12))
def test_it_fits_exactly_when_no_hour_that_holds_the_new_ones_gets_too_full(
    taken: list[int], more: int, limit: int
) -> None:
    fullest = max(sum(begin <= at < begin + 60 for at in taken) + more for begin in range(-59, 1))
    assert fits(NOW, more, [NOW + minutes(at) for at in taken], limit) == (fullest <= limit)


def test_some_of_the_hour_is_kept_for_high_severity_and_half_where_others_wait() -> None:
    assert allowance(19, "high", waits=False) == 19
    assert allowance(19, "medium", waits=False) == allowance(19, "low", waits=False) == 16
    assert allowance(19, "low", waits=True) == 9
    assert allowance(1, "low", waits=True) == allowance(1, "medium", waits=False) == 1
