from datetime import UTC, datetime

import numpy as np
import pytest

from detectors.leaves import Leaves
from detectors.places import Places
from ledger.errors import RefusedError
from ledger.reader import HourlySeries
from ledger.scope import Scope
from ledger.window import HOUR, Window

START = datetime(2026, 11, 2, tzinfo=UTC)


def places(*scopes: str) -> Places:
    """Three keys of two teams; k1 uses two models. Spend is 1, 2, 3 and 4 an hour."""
    texts = (
        "team=a model=m key=k1",
        "team=a model=n key=k1",
        "team=a model=m key=k2",
        "team=b model=m key=k3",
    )
    leaf_scopes = tuple(Scope.parse(text.split()) for text in texts)
    values = np.arange(1.0, 5.0)[:, None] * np.ones((4, 48))
    leaves = Leaves.of(HourlySeries(Window(START, START + 48 * HOUR), "cost_usd", leaf_scopes, values))
    return Places.of([Scope.parse(text.split()) for text in scopes], leaves)


def test_keys_are_deepest_then_scopes_by_spend_the_more_pinned_first() -> None:
    ordered = places("", "team=a", "key=k2", "team=a key=k2", "model=m", "team=b", "model=m team=b").scopes
    assert [str(scope) for scope in ordered] == [
        "team=a, key_id=k2", "key_id=k2", "model=m, team=b", "team=b", "team=a", "model=m", "all spend",
    ]  # fmt: skip


def test_a_place_holds_the_leaves_that_pin_its_values() -> None:
    some = places("team=a", "model=m team=a", "key=k3", "key=gone")
    rows = {str(scope): some.rows(place).tolist() for place, scope in enumerate(some.scopes)}
    assert rows == {"key_id=gone": [], "key_id=k3": [3], "model=m, team=a": [0, 2], "team=a": [0, 1, 2]}


def test_places_that_share_leaves_touch() -> None:
    some = places("team=a", "model=m", "key=k1", "key=k3")
    touching = {
        str(some.scopes[p]): n for p, n in some.touching(some.of_scope[Scope.parse(["model=m"])]).items()
    }
    assert touching == {"key_id=k1": 1, "key_id=k3": 1, "team=a": 2, "model=m": 3}


def test_the_deepest_place_that_covers_leaves_holds_all_of_them() -> None:
    some = places("team=a", "model=m", "key=k1")
    assert some.covering(np.array([0, 1])) == some.of_scope[Scope.parse(["key=k1"])]
    assert some.covering(np.array([0, 2])) == some.of_scope[Scope.parse(["team=a"])]
    assert some.covering(np.array([1, 3])) is None


def test_each_place_holds_the_sum_of_its_leaves() -> None:
    some = places("team=a", "model=m", "key=k1")
    sums = some.sums(np.array([0, 1, 3]), np.array([10.0, 20.0, 40.0]))
    assert {str(some.scopes[place]): held for place, held in sums.items()} == {
        "key_id=k1": 30, "team=a": 30, "model=m": 50,
    }  # fmt: skip


def test_a_scope_the_leaves_do_not_tell_is_refused() -> None:
    with pytest.raises(
        RefusedError, match="`region=eu` needs leaves by region; these are by model, team, key_id"
    ):
        places("region=eu")
