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
    values = np.ones((1, 4 * 168))
    values[0, 3 * 168 + 5 : 3 * 168 + 8] = 4
    values[0, 2 * 168 + 5 : 2 * 168 + 8] = 2.5
    one = leaves(values, "key=k")
    change = one.change(window(3 * 168 + 5, 3), "up")
    assert (change.expected[0], change.excess[0]) == (pytest.approx(4.5), pytest.approx(7.5))
    assert one.change(window(3 * 168 + 5, 3), "down").excess[0] == pytest.approx(-7.5)


def test_with_little_history_a_change_is_against_the_days_before() -> None:
    values = np.ones((1, 5 * 24))
    values[0, 100:103] = 3
    assert leaves(values, "key=k").change(window(100, 3), "up").excess[0] == pytest.approx(6)


def test_what_has_no_past_was_not_expected() -> None:
    change = leaves(np.ones((1, 20)), "key=k").change(window(10, 2), "up")
    assert (change.expected[0], change.excess[0]) == (0, 2)
    assert change.ratio_of(np.array([True])) == np.inf


def test_keys_are_judged_with_their_leaves_taken_together() -> None:
    values = np.ones((4, 4 * 168))
    values[:, -2:] = [[0, 0], [5, 5], [1, 1], [1, 1]]
    change = leaves(
        values, "model=old key=k1", "model=new key=k1", "model=old key=k2", "model=new key=k2"
    ).change(window(4 * 168 - 2, 2), "up")
    assert change.share_risen(np.ones(4, dtype=bool), 1.0) == pytest.approx(0.5)
