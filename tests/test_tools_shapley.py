"""The split of a product's change among its factors."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tools.shapley import shapley_of_product

values = st.floats(min_value=0, max_value=1e6, allow_nan=False)
pairs = st.lists(st.tuples(values, values), min_size=1, max_size=6)


def _split(given_pairs: list[tuple[float, float]]) -> tuple[list[float], float]:
    before = np.array([[b] for b, _ in given_pairs])
    after = np.array([[a] for _, a in given_pairs])
    parts = shapley_of_product(before, after)[:, 0].tolist()
    return parts, float(after.prod() - before.prod())


@given(pairs)
def test_the_parts_add_up_to_the_change(given_pairs: list[tuple[float, float]]) -> None:
    parts, change = _split(given_pairs)
    size = max(1.0, *(abs(p) for p in parts), abs(change))
    assert abs(sum(parts) - change) <= 1e-9 * size


@given(pairs)
def test_turning_time_around_turns_every_sign(given_pairs: list[tuple[float, float]]) -> None:
    forth, _ = _split(given_pairs)
    back, _ = _split([(a, b) for b, a in given_pairs])
    assert np.allclose(forth, [-part for part in back], rtol=1e-9, atol=1e-6)


@given(pairs)
def test_a_factor_that_did_not_change_gets_nothing(given_pairs: list[tuple[float, float]]) -> None:
    parts, _ = _split([*given_pairs, (3.0, 3.0)])
    assert parts[-1] == 0.0


def test_two_equal_factors_share_alike() -> None:
    parts, change = _split([(2.0, 3.0), (2.0, 3.0)])
    assert parts == [2.5, 2.5]
    assert change == 5.0
