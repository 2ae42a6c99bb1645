"""Which dollars a mechanism could have moved."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from ledger.scope import Dimension
from tests.ledger_builder import NO_USE, RATES, Use, leaves_of, use
from tools.entities import Entities
from tools.exposure import exposure
from tools.leaves import Leaves
from tools.split import MECHANISMS, Mechanism, Split, Weights, split_leaves

NOBODY = Entities({d: np.array([]) for d in ("team", "project", "key_id", "feature")}, {
    d: np.array([]) for d in ("team", "project", "key_id", "feature")}, {})  # fmt: skip
PLAIN = use(100)
CACHED = use(100, sent=100, cached=900)


def _weights(leaves: Leaves) -> Weights:
    rates = np.array([[float(rate or 0) for rate in RATES["gpt-big"]]] * len(leaves))
    return Weights(rates, rates)


def _exposed(
    mechanism: Mechanism,
    scopes: Sequence[Mapping[Dimension, str]],
    before: Sequence[Use],
    after: Sequence[Use],
    *,
    sign: int = 1,
) -> list[float]:
    leaves = leaves_of(scopes, before, after)
    weights = _weights(leaves)
    split = split_leaves(leaves, NOBODY, weights)
    return [float(pico) for pico in exposure(split, weights, mechanism, sign)]


def _of(mechanism: Mechanism, before: Use, after: Use, *, sign: int = 1) -> float:
    return _exposed(mechanism, [{"key_id": "k1"}], [before], [after], sign=sign)[0]


@pytest.mark.parametrize("mechanism", ["volume", "retries", "unpriced"])
def test_more_work_could_move_all_that_was_spent(mechanism: Mechanism) -> None:
    assert _of(mechanism, PLAIN, use(300)) == PLAIN.cost_pico


def test_lengths_could_move_the_dollars_of_their_own_text() -> None:
    sent, answered = (_of(m, PLAIN, use(300)) for m in ("input_length", "output_length"))
    assert sent == pytest.approx(100 * 1000 * 2_500_000)
    assert sent + answered == pytest.approx(PLAIN.cost_pico)


def test_a_key_without_a_cache_cannot_lose_it() -> None:
    assert _of("cache", PLAIN, PLAIN) == 0
    assert _of("cache", CACHED, PLAIN) == pytest.approx(100 * 900 * (2_500_000 - 250_000))


def test_a_cache_can_save_all_that_was_spent() -> None:
    assert _of("cache", PLAIN, CACHED, sign=-1) == PLAIN.cost_pico


def test_a_price_moves_what_the_window_would_have_cost_without_it() -> None:
    dearer = Use(100, 2 * PLAIN.cost_pico, PLAIN.tokens)
    assert _of("price", PLAIN, dearer) == pytest.approx(PLAIN.cost_pico)


def test_only_the_model_that_work_left_is_exposed_to_moves() -> None:
    scopes: list[Mapping[Dimension, str]] = [
        {"key_id": "k1", "model": "old"},
        {"key_id": "k1", "model": "new"},
        {"key_id": "k2", "model": "old"},
        {"key_id": "k3", "model": "other"},
    ]
    cheaper = Use(100, PLAIN.cost_pico // 10, PLAIN.tokens)
    exposed = _exposed("model_mix", scopes, [PLAIN, NO_USE, PLAIN, PLAIN], [NO_USE, cheaper, PLAIN, PLAIN])
    assert [e > 0 for e in exposed] == [True, False, True, False]


def test_keys_that_were_on_the_model_all_the_time_are_not_counted_otherwise_by_it() -> None:
    moved = [f"k{i}" for i in range(4)]
    scopes: list[Mapping[Dimension, str]] = [{"key_id": k, "model": m} for m in ("old", "new") for k in moved]
    scopes.append({"key_id": "k9", "model": "new"})
    before = [*[PLAIN] * 4, *[NO_USE] * 4, PLAIN]
    after = [*[NO_USE] * 4, *[use(100, sent=1300, answered=260)] * 4, PLAIN]
    exposed = _exposed("tokenizer", scopes, before, after)
    assert all(e > 0 for e in exposed[4:8])
    assert exposed[8] == 0


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("sign", [-1, 1])
def test_no_exposure_is_negative_or_undefined(mechanism: Mechanism, sign: int) -> None:
    scopes: list[Mapping[Dimension, str]] = [{"key_id": "k1"}, {"key_id": "k2"}, {"key_id": "k3"}]
    exposed = _exposed(mechanism, scopes, [PLAIN, NO_USE, CACHED], [NO_USE, CACHED, PLAIN], sign=sign)
    assert all(e >= 0 for e in exposed)


def test_nothing_is_exposed_where_nothing_is() -> None:
    nothing = np.zeros((len(MECHANISMS), 0), dtype=np.int64)
    leaves = leaves_of([], [], [])
    assert (
        exposure(Split(leaves, NOBODY, nothing), Weights(*[np.zeros((0, 5))] * 2), "model_mix", 1).size == 0
    )
