from datetime import UTC, datetime

import numpy as np
import pytest

from detectors.leaves import Leaves
from detectors.statistics import FloatArray
from ledger.errors import RefusedError
from ledger.reader import HourlySeries
from ledger.scope import EVERYTHING, Scope
from ledger.window import HOUR, Window

START = datetime(2026, 11, 2, tzinfo=UTC)


def leaves(values: FloatArray, *scopes: str) -> Leaves:
    parsed = tuple(Scope.parse(scope.split()) for scope in scopes)
    return Leaves.of(HourlySeries(Window(START, START + values.shape[1] * HOUR), "cost_usd", parsed, values))


def window(start: int, hours: int) -> Window:
    return Window(START + start * HOUR, START + (start + hours) * HOUR)


def test_a_scope_holds_the_leaves_that_pin_its_values() -> None:
    three = leaves(np.ones((3, 24)), "team=a key=k1", "team=a key=k2", "team=b key=k3")
    assert three.members(Scope.parse(["team=a"])).tolist() == [True, True, False]
    assert three.members(EVERYTHING).all()
    with pytest.raises(RefusedError, match="`model=m` needs leaves by model; these are by team, key_id"):
        three.members(Scope.parse(["model=m"]))


def test_leaves_of_different_depth_are_refused() -> None:
    with pytest.raises(RefusedError, match="must pin the same dimensions; the first pins team"):
        leaves(np.ones((2, 24)), "team=a", "team=a key=k2")


def test_a_change_is_against_the_same_hours_of_the_weeks_before() -> None:
    values = np.ones((2, 4 * 168))
    values[0, 3 * 168 + 5 : 3 * 168 + 8] = 4
    values[0, 2 * 168 + 5 : 2 * 168 + 8] = 2.5
    two = leaves(values, "key=k", "key=other")
    change = two.change(np.array([0]), window(3 * 168 + 5, 3), "up")
    assert [change.total.expected, change.total.excess] == pytest.approx([4.5, 7.5])
    assert two.change(np.array([0]), window(3 * 168 + 5, 3), "down").excess[0] == pytest.approx(-7.5)
    assert two.change(np.array([0, 1]), window(3 * 168 + 5, 3), "up").excess == pytest.approx([7.5, 0])


def test_with_little_history_a_change_is_against_the_days_before() -> None:
    values = np.ones((1, 5 * 24))
    values[0, 100:103] = 3
    change = leaves(values, "key=k").change(np.array([0]), window(100, 3), "up")
    assert change.excess[0] == pytest.approx(6)


def test_what_has_no_past_was_not_expected() -> None:
    change = leaves(np.ones((1, 20)), "key=k").change(np.array([0]), window(10, 2), "up")
    assert (change.total.expected, change.total.excess) == (0, 2)
    assert change.total.ratio == np.inf


@pytest.mark.parametrize("start", [30, 200, 600])
def test_leaves_together_change_by_the_sum_of_each(start: int) -> None:
    values = np.random.default_rng(1).gamma(2.0, 3.0, (25, 5 * 168))
    many = leaves(values, *(f"key=k{i}" for i in range(25)))
    for rows in (np.array([3]), np.arange(25)):
        together = many.curve(rows)
        each = many.change(rows, window(start, 7), "down").total
        assert together.change(window(start, 7), "down") == pytest.approx(each)
        expected, actual = together.hourly(window(start, 7))
        assert expected.sum() - actual.sum() == pytest.approx(each.excess)


def test_an_hour_is_unlike_before_when_none_of_the_weeks_saw_as_much() -> None:
    values = np.ones((1, 4 * 168))
    values[0, [168 + 5, 3 * 168 + 5, 3 * 168 + 6]] = 2, 1.9, 1.9
    one = leaves(values, "key=k")
    rows = np.array([0])
    assert not one.is_unlike_before(rows, window(3 * 168 + 5, 1), "up")
    assert one.is_unlike_before(rows, window(3 * 168 + 6, 1), "up")
    assert not one.is_unlike_before(rows, window(3 * 168 + 6, 1), "down")
