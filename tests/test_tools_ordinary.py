"""How far an effect strays in ordinary weeks."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from ledger.scope import Dimension, Scope
from tests.ledger_builder import RATES, Use, leaves_over, use
from tools.ordinary import LEAST_SHARE, UNTRIED, Ordinary, ordinary_weeks
from tools.scan import Scan, Slice
from tools.split import MECHANISMS, Mechanism, Weights

STEADY = [100.0, 100.0, 100.0, 100.0]
RESTLESS = [60.0, 150.0, 40.0, 150.0]


def _ordinary(*weekly: Sequence[Use], pinned: Dimension = "key_id") -> Ordinary:
    """What is ordinary for keys k0, k1 and so on, each with its use in every week."""
    scopes: list[Mapping[Dimension, str]] = [{pinned: f"k{i}"} for i in range(len(weekly))]
    leaves = leaves_over(scopes, list(zip(*weekly, strict=True)), [row[0] for row in weekly])
    rates = np.array([[float(rate or 0) for rate in RATES["gpt-big"]]] * len(leaves))
    return ordinary_weeks(Scan(leaves), Weights(rates, rates))


def _requests(*weekly: Sequence[float]) -> Ordinary:
    return _ordinary(*[[use(n) for n in row] for row in weekly])


def _spread(ordinary: Ordinary, *keys: str, mechanism: Mechanism = "volume") -> float:
    """Of the slice of some keys, as a part of its dollars."""
    leaves = np.isin(ordinary.scan.leaves.column("key_id"), keys)
    scope = Scope((("key_id", keys[0]),)) if len(keys) == 1 else Scope()
    found = Slice(scope, leaves, 1.0)
    return ordinary.spread(mechanism, found) / float(ordinary.before[leaves].sum())


def test_weeks_that_are_alike_leave_only_what_rounding_hides() -> None:
    assert _spread(_requests(STEADY, STEADY), "k0") == pytest.approx(LEAST_SHARE)


def test_a_restless_key_strays_further_than_a_steady_one() -> None:
    ordinary = _requests(RESTLESS, *[STEADY] * 6)
    assert _spread(ordinary, "k0") > 5 * _spread(ordinary, "k1")


def test_a_key_is_judged_by_keys_that_spend_about_as_much_too() -> None:
    lone = _requests(STEADY, *[[100 * n for n in STEADY]] * 6)
    beside_restless = _requests(STEADY, *[RESTLESS] * 6)
    assert _spread(beside_restless, "k0") > 10 * _spread(lone, "k0")


def test_many_restless_keys_together_stray_less() -> None:
    restless = [[n * (1 + 0.1 * i) for n in np.roll(RESTLESS, i)] for i in range(8)]
    ordinary = _requests(*restless)
    assert _spread(ordinary, *[f"k{i}" for i in range(8)]) < _spread(ordinary, "k0")


def test_each_mechanism_has_a_spread_of_its_own() -> None:
    longer = [[use(100, sent=s) for s in np.roll([800, 1200, 1000, 1500], i)] for i in range(6)]
    ordinary = _ordinary(*longer)
    assert _spread(ordinary, "k0", mechanism="input_length") > 0.1
    assert _spread(ordinary, "k0", mechanism="volume") == pytest.approx(LEAST_SHARE)


def test_a_roll_over_in_the_baseline_is_ordinary() -> None:
    old, new = [use(n) for n in (100, 100, 0, 0)], [use(n) for n in (0, 0, 100, 100)]
    ordinary = _ordinary(old, new, pinned="client")
    found = Slice(Scope((("client", "k1"),)), np.array([False, True]), 1.0)
    assert ordinary.spread("volume", found) == pytest.approx(LEAST_SHARE * float(ordinary.before[1]))


@pytest.mark.parametrize("weeks", [0, 1])
def test_without_two_weeks_a_tenth_of_the_dollars_is_ordinary(weeks: int) -> None:
    leaves = leaves_over([{"key_id": "k0"}], [[use(100)]] * weeks, [use(100)])
    ordinary = ordinary_weeks(Scan(leaves), Weights(np.ones((1, 5)), np.ones((1, 5))))
    dollars = float(leaves.before.cost_pico.sum())
    found = Slice(Scope((("key_id", "k0"),)), np.ones(1, dtype=bool), 1.0)
    assert ordinary.weekly.shape == (0, len(MECHANISMS), 1)
    assert ordinary.spread("volume", found) == pytest.approx(max(UNTRIED * dollars, 1.0))


def test_effects_of_a_week_add_up_to_its_distance_from_the_others() -> None:
    ordinary = _requests(RESTLESS, STEADY)
    weeks = np.array([week.cost_pico for week in ordinary.scan.leaves.weeks])
    others = (weeks.sum(axis=0) - weeks) / 3
    assert np.allclose(ordinary.weekly.sum(axis=1), weeks - others, atol=1)
