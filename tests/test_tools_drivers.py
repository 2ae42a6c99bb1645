"""What the leaves of a slice did per request."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from ledger.scope import Dimension
from tests.ledger_builder import NO_USE, Use, leaves_of, use
from tools.answer import Scalar
from tools.drivers import driver_facts

PLAIN = use(100)


def _facts(*leaves: tuple[Use, Use]) -> Mapping[str, Scalar]:
    """Of keys k0, k1 and so on, each with its use before and after."""
    scopes: list[Mapping[Dimension, str]] = [{"key_id": f"k{i}"} for i in range(len(leaves))]
    built = leaves_of(scopes, [b for b, _ in leaves], [a for _, a in leaves])
    return driver_facts(built, np.ones(len(leaves), dtype=bool))


def _common(*factors: tuple[float, float]) -> Scalar:
    """Keys whose prompts and answers grew by these factors."""
    pairs = [(PLAIN, use(50, sent=1000 * sent, answered=200 * answered)) for sent, answered in factors]
    return _facts(*pairs)["common_length_ratio"]


def test_more_requests_change_nothing_per_request() -> None:
    facts = _facts((PLAIN, use(300)))
    assert facts["requests_ratio"] == facts["cost_ratio"] == 3
    assert facts["input_tokens_per_request_ratio"] == facts["usd_per_mtok_ratio"] == 1
    assert facts["failed_share_rise"] == 0


@pytest.mark.parametrize(
    ("after", "name", "value"),
    [
        (use(100, sent=2500), "input_tokens_per_request_ratio", 2.5),
        (use(100, answered=100), "output_tokens_per_request_ratio", 0.5),
        (use(100, sent=250, cached=750), "cache_read_share_rise", 0.75),
        (use(100, sent=250, cached=750), "input_tokens_per_request_ratio", 1),
        (replace(PLAIN, cost_pico=3 * PLAIN.cost_pico), "usd_per_mtok_ratio", 3),
        (replace(PLAIN, failed=40.0), "failed_share_rise", 0.4),
        (replace(PLAIN, retried=30.0), "retried_share_rise", 0.3),
    ],
)
def test_each_driver_tells_its_own_change(after: Use, name: str, value: float) -> None:
    assert _facts((PLAIN, after))[name] == value


def test_only_the_leaves_of_the_slice_are_told() -> None:
    scopes: Sequence[Mapping[Dimension, str]] = [{"key_id": "k0"}, {"key_id": "k1"}]
    leaves = leaves_of(scopes, [PLAIN, PLAIN], [use(700), PLAIN])
    assert driver_facts(leaves, np.array([False, True]))["requests_ratio"] == 1


@pytest.mark.parametrize("pair", [(NO_USE, PLAIN), (PLAIN, NO_USE), (NO_USE, NO_USE)])
def test_one_side_without_use_says_nothing_per_request(pair: tuple[Use, Use]) -> None:
    facts = _facts(pair)
    assert facts["input_tokens_per_request_ratio"] is None
    assert facts["cache_read_share_rise"] is None
    assert "common_length_ratio" not in facts


def test_keys_that_rose_by_one_factor_share_it() -> None:
    assert _common((1.3, 1.3), (1.32, 1.31), (1.29, 1.3)) == pytest.approx(1.3, abs=0.02)


def test_prompts_alone_or_keys_apart_share_no_factor() -> None:
    assert _common((1.3, 1.0), (1.3, 1.0), (1.3, 1.0)) == 1
    assert _common((1.1, 1.1), (1.6, 1.6), (2.4, 2.4)) == 1


def test_keys_are_counted() -> None:
    assert _facts((PLAIN, PLAIN), (PLAIN, NO_USE))["keys"] == 2
