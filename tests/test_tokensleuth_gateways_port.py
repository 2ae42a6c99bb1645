"""What all gateways have in common: states that mean the same, places that survive a restart, errors."""

import json

import pytest

from tokensleuth.gateways.port import (
    GONE,
    CannotError,
    GatewayError,
    NotSentError,
    Place,
    RefusedCallError,
    State,
    UnsureError,
    same_state,
)


@pytest.mark.parametrize(("one", "other"), [
    ({"tpm": 5}, {"tpm": 5}),
    ({"tpm": 5}, {"tpm": 5.0}),
    ({"tpm": None}, {}),
    ({"aliases": {}}, {}),
    ({"models": []}, {"models": None}),
    (None, None),
    (GONE, {"exists": False}),
])  # fmt: skip
def test_states_that_mean_the_same(one: State | None, other: State | None) -> None:
    assert same_state(one, other)
    assert same_state(other, one)


@pytest.mark.parametrize(("one", "other"), [
    ({"tpm": 5}, {"tpm": 6}),
    ({"tpm": 5}, {"tpm": "5"}),
    ({"tpm": 0}, {}),
    ({"blocked": False}, {"blocked": True}),
    ({"models": ["a", "b"]}, {"models": ["a"]}),
    (None, {}),
    (None, GONE),
    ({}, GONE),
])  # fmt: skip
def test_states_that_do_not(one: State | None, other: State | None) -> None:
    assert not same_state(one, other)
    assert not same_state(other, one)


def test_a_limit_of_zero_and_a_block_that_is_off_are_values() -> None:
    assert not same_state({"tpm": 0, "blocked": False}, {"tpm": None, "blocked": None})


def test_a_place_is_found_again_from_its_json() -> None:
    place = Place("key", {"key": "k1", "project": "p"}, ("tpm", "rpm"))
    kept = json.loads(json.dumps(place.as_json()))
    assert Place(kept["kind"], kept["ids"], tuple(kept["fields"])) == place


@pytest.mark.parametrize("kind", [CannotError, RefusedCallError, NotSentError, UnsureError])
def test_each_failure_is_a_gateways_and_keeps_its_words(kind: type[GatewayError]) -> None:
    assert issubclass(kind, GatewayError)
    assert str(kind("the reason")) == "the reason"


def test_no_failure_is_another_ones() -> None:
    kinds = (CannotError, RefusedCallError, NotSentError, UnsureError)
    assert not [(a, b) for a in kinds for b in kinds if a is not b and issubclass(a, b)]


def test_a_provider_may_say_when_to_come_back() -> None:
    assert NotSentError("busy", retry_after_s=7.0).retry_after_s == 7.0
    assert NotSentError("down").retry_after_s is None
