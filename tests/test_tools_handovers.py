"""Work that clients, regions and users pass to each other takes its past along."""

from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.scope import Dimension
from tests.ledger_builder import NO_USE, Use, leaves_of, use
from tools.handovers import handed_over
from tools.leaves import GRAIN, Leaves, Side

amounts = st.one_of(st.just(0), st.integers(0, 10**6))
uses = st.builds(
    Use,
    requests=amounts.map(float),
    cost_pico=st.integers(0, 10**14),
    tokens=st.tuples(*[amounts.map(float)] * 5),
    failed=amounts.map(float),
    unpriced=amounts.map(float),
)
values = st.sampled_from(["a", "b", "c"])
scopes = st.fixed_dictionaries({"key_id": values, "region": values, "client": values, "user": values})


class Row(NamedTuple):
    """A leaf and its requests before and after."""

    scope: dict[Dimension, str]
    before: float
    after: float


def _followed(*rows: Row) -> list[float]:
    """Requests before by leaf, after what was handed over was followed."""
    leaves = _leaves(*rows)
    return [round(n, 6) for n in handed_over(leaves, leaves.before, leaves.after).requests.tolist()]


def _leaves(*rows: Row) -> Leaves:
    return leaves_of([r.scope for r in rows], [use(r.before) for r in rows], [use(r.after) for r in rows])


def _sums(leaves: Leaves, side: Side, name: str) -> list[float]:
    column = getattr(side, name).reshape(len(leaves), -1).sum(axis=1)
    return [float(n) for n in np.bincount(leaves.groups(GRAIN), column)]


def _money(leaves: Leaves, side: Side) -> dict[int, int]:
    found: dict[int, int] = {}
    for group, pico in zip(leaves.groups(GRAIN).tolist(), side.cost_pico.tolist(), strict=True):
        found[group] = found.get(group, 0) + pico
    return found


@settings(deadline=None)
@given(st.lists(st.tuples(scopes, uses, uses), min_size=1, max_size=10))
def test_every_grain_keeps_its_sums_and_its_money_exactly(
    rows: list[tuple[dict[Dimension, str], Use, Use]],
) -> None:
    leaves = leaves_of([s for s, _, _ in rows], [b for _, b, _ in rows], [a for _, _, a in rows])
    followed = handed_over(leaves, leaves.before, leaves.after)
    assert _money(leaves, followed) == _money(leaves, leaves.before)
    for name in ("requests", "failed", "tokens", "unpriced"):
        assert np.allclose(_sums(leaves, followed, name), _sums(leaves, leaves.before, name), rtol=1e-9)


@settings(deadline=None)
@given(st.lists(st.tuples(scopes, uses, uses), min_size=1, max_size=10))
def test_no_past_becomes_negative(rows: list[tuple[dict[Dimension, str], Use, Use]]) -> None:
    leaves = leaves_of([s for s, _, _ in rows], [b for _, b, _ in rows], [a for _, _, a in rows])
    followed = handed_over(leaves, leaves.before, leaves.after)
    assert (followed.cost_pico >= 0).all()
    assert (followed.requests >= 0).all()
    assert (followed.tokens >= -1e-6).all()


def test_a_client_roll_over_is_no_change_of_any_leaf() -> None:
    leaves = _leaves(Row({"client": "sdk/1"}, 100, 0), Row({"client": "sdk/2"}, 0, 100))
    followed = handed_over(leaves, leaves.before, leaves.after)
    assert followed.requests.tolist() == leaves.after.requests.tolist()
    assert followed.cost_pico.tolist() == leaves.after.cost_pico.tolist()


def test_a_region_that_fails_over_gives_its_past_to_the_other() -> None:
    assert _followed(Row({"region": "us"}, 100, 0), Row({"region": "eu"}, 50, 150)) == [0, 150]


def test_two_keys_pass_nothing_to_each_other() -> None:
    first, second = Row({"key_id": "k1"}, 100, 0), Row({"key_id": "k2"}, 0, 100)
    assert _followed(first, second) == [100, 0]


def test_growth_beside_a_roll_over_stays_growth() -> None:
    assert _followed(Row({"client": "sdk/1"}, 100, 0), Row({"client": "sdk/2"}, 0, 300)) == [0, 100]


def test_work_stays_in_its_region_where_it_can() -> None:
    rows = (
        Row({"region": "us", "client": "1"}, 100, 0),
        Row({"region": "us", "client": "2"}, 0, 100),
        Row({"region": "eu", "client": "1"}, 60, 0),
        Row({"region": "eu", "client": "2"}, 0, 60),
    )
    assert _followed(*rows) == [0, 100, 0, 60]


def test_a_small_fall_beside_a_rise_is_noise() -> None:
    assert _followed(Row({"client": "sdk/1"}, 1000, 800), Row({"client": "sdk/2"}, 200, 500)) == [1000, 200]


def test_characters_that_were_not_logged_stay_unknown_where_they_arrive() -> None:
    leaves = _leaves(Row({"client": "sdk/1"}, 100, 0), Row({"client": "sdk/2"}, 0, 100))
    assert np.isnan(handed_over(leaves, leaves.before, leaves.after).characters[1]).all()


def test_nothing_moves_where_nothing_was() -> None:
    leaves = leaves_of([{"client": "sdk/1"}], [NO_USE], [use(100)])
    assert handed_over(leaves, leaves.before, leaves.after) is leaves.before
