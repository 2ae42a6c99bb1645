"""Moves of requests between leaves of a group."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.transfers import paired_moves, quotient

sizes = st.one_of(st.just(0.0), st.floats(min_value=1e-3, max_value=1e9))
leaf = st.tuples(sizes, sizes, st.integers(0, 2))


def _moves(*leaves: tuple[float, float]) -> list[float]:
    """Moves within one group, leaves as requests before and after."""
    before, after = np.array(leaves, dtype=np.float64).T
    groups = np.zeros(len(leaves), dtype=np.int64)
    return [round(moved, 9) for moved in paired_moves(after - before, before, groups).tolist()]


def _dense(groups: list[int]) -> np.ndarray:
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


@given(st.lists(leaf, min_size=1, max_size=12))
def test_moves_sum_to_nothing_in_every_group(leaves: list[tuple[float, float, int]]) -> None:
    before, after = (np.array([leaf[i] for leaf in leaves]) for i in (0, 1))
    groups = _dense([leaf[2] for leaf in leaves])
    moved = paired_moves(after - before, before, groups)
    assert np.abs(np.bincount(groups, moved)).max() <= 1e-9 * max(before.max(), after.max(), 1.0)


@given(st.lists(leaf, min_size=1, max_size=12))
def test_nothing_moves_further_or_the_other_way_than_it_changed(
    leaves: list[tuple[float, float, int]],
) -> None:
    before, after = (np.array([leaf[i] for leaf in leaves]) for i in (0, 1))
    change = after - before
    moved = paired_moves(change, before, _dense([leaf[2] for leaf in leaves]))
    slack = 1e-9 * max(before.max(), after.max(), 1.0)
    assert (moved * np.sign(change) >= -slack).all()
    assert (np.abs(moved) <= np.abs(change) + slack).all()


def test_what_falls_is_paid_to_what_rises_in_proportion() -> None:
    assert _moves((100, 0), (10, 40), (10, 80)) == [-100, 30, 70]


def test_what_nobody_pays_back_is_no_move() -> None:
    assert _moves((100, 40), (10, 110)) == [-60, 60]
    assert _moves((100, 200), (10, 20)) == [0, 0]


def test_groups_do_not_pay_for_each_other() -> None:
    moved = paired_moves(np.array([-80.0, 80.0]), np.array([100.0, 20.0]), np.array([0, 1]))
    assert moved.tolist() == [0, 0]


def test_a_small_fall_beside_what_was_there_is_noise() -> None:
    assert _moves((1000, 800), (200, 500)) == [0, 0]


def test_a_small_fall_pays_for_what_is_new() -> None:
    assert _moves((1000, 800), (0, 200)) == [-200, 200]
    assert _moves((1000, 960), (0, 40)) == [0, 0]


def test_large_falls_pay_before_small_ones() -> None:
    assert _moves((100, 0), (1000, 800), (0, 100)) == [-100, 0, 100]
    assert _moves((100, 0), (1000, 800), (0, 250)) == [-100, -150, 250]


def test_what_is_new_is_paid_before_other_rises() -> None:
    assert _moves((100, 0), (50, 120), (0, 60)) == [-100, 40, 60]


@pytest.mark.parametrize("whole", [0.0, -1.0])
def test_a_part_of_nothing_is_nothing(whole: float) -> None:
    assert quotient(np.array([3.0]), np.array([whole])).tolist() == [0.0]
