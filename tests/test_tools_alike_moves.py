"""Keys that moved to another model and then count more tokens by one factor."""

import numpy as np
import pytest

from tests.ledger_builder import NO_USE, Use, side_of, use
from tools.alike_moves import Move, counted_otherwise
from tools.leaves import Mask

SENT, ANSWERED = 1000.0, 200.0
PRICES = np.array([1.0, 0.1, 1.25, 2.0, 5.0])


def _told(
    after: list[Use],
    *,
    price_ratio: float = 1.0,
    targets: list[int] | None = None,
    keys: list[int] | None = None,
) -> Mask:
    """Places that all left model 0 for another; each is two leaves, the old model and the new, of one key."""
    count = len(after)
    moved = np.full(count, 100.0)
    none = np.zeros(count)
    models = np.concatenate([np.zeros(count, dtype=np.int64), np.array(targets or [1] * count)])
    move = Move(
        risen=np.concatenate([none, moved]),
        fallen=np.concatenate([moved, none]),
        places=np.tile(np.arange(count), 2),
        keys=np.tile(np.array(keys or range(count)), 2),
        models=models,
        weights=np.vstack([np.tile(PRICES, (count, 1)), np.tile(PRICES * price_ratio, (count, 1))]),
    )
    before = side_of([use(100, sent=SENT, answered=ANSWERED)] * count + [NO_USE] * count)
    return counted_otherwise(before, side_of([NO_USE] * count + after), move)


def _longer(*factors: float, answers: float | None = None) -> list[Use]:
    return [use(100, sent=SENT * f, answered=ANSWERED * (answers or f)) for f in factors]


def test_keys_that_rose_by_one_factor_are_counted_otherwise() -> None:
    assert _told(_longer(1.30, 1.31, 1.32, 1.29)).all()


def test_two_keys_are_too_few() -> None:
    assert not _told(_longer(1.3, 1.3)).any()


def test_three_features_of_one_key_are_too_few() -> None:
    assert not _told(_longer(1.3, 1.3, 1.3), keys=[0, 0, 0]).any()


def test_all_features_of_a_key_are_told_with_it() -> None:
    assert _told(_longer(1.3, 1.3, 1.3, 1.3), keys=[0, 0, 1, 2]).all()


def test_prompts_that_were_rewritten_differently_are_no_tokenizer() -> None:
    assert not _told(_longer(1.0, 2.2, 1.1, 3.0)).any()


def test_longer_prompts_alone_are_no_tokenizer() -> None:
    assert not _told(_longer(1.3, 1.3, 1.3, answers=1.0)).any()


def test_a_factor_under_5_percent_says_nothing() -> None:
    assert not _told(_longer(1.03, 1.03, 1.03)).any()


@pytest.mark.parametrize("price_ratio", [0.5, 1.2])
def test_another_price_is_a_choice_of_the_model(price_ratio: float) -> None:
    assert not _told(_longer(1.3, 1.3, 1.3), price_ratio=price_ratio).any()


def test_a_cohort_is_one_pair_of_models() -> None:
    assert not _told(_longer(1.3, 1.3, 1.3, 1.3), targets=[1, 1, 2, 2]).any()
    told = _told(_longer(1.3, 1.3, 1.3, 1.3), targets=[1, 1, 1, 2])
    assert told.tolist() == [True, True, True, False]


def test_without_moves_nothing_is_told() -> None:
    nothing, none = np.zeros(0), np.zeros(0, dtype=np.int64)
    move = Move(nothing, nothing, none, none, none, np.zeros((0, 5)))
    assert counted_otherwise(side_of([]), side_of([]), move).size == 0
