"""Root-cause answers are judged by the leaves their slices cover."""

import pytest

from evals.rca.case import Answer, Case, Culprit
from evals.rca.grading import Grade, grade, overlap
from ledger.scope import EVERYTHING, Dimension, Scope
from playbooks import Cause
from tests.rca_cases import case, table, truth

LEAVES = table(
    [
        ({"team": "search", "key_id": "k1", "model": "a"}, 10, 30),
        ({"team": "search", "key_id": "k2", "model": "a"}, 10, 30),
        ({"team": "search", "key_id": "k3", "model": "b"}, 0.1, 0.1),
        ({"team": "legal", "key_id": "k4", "model": "a"}, 10, 10),
        ({"team": "legal", "key_id": "k5", "model": "b"}, 10, 10),
    ]
)
SEARCH = Scope.parse(["team=search"])


def culprit(*pins: str, cause: Cause = "volume_growth", usd: float = 40) -> Culprit:
    return Culprit(Scope.parse(pins), cause, usd, 0.9)


def graded(planted: Case, *culprits: Culprit) -> Grade:
    return grade(planted, Answer(culprits, 0.0))


@pytest.fixture
def growth() -> Case:
    return case(LEAVES, truth(LEAVES, SEARCH, "volume_growth", delta_usd=40))


def test_the_same_rows_under_the_right_name_are_right(growth: Case) -> None:
    found = graded(growth, culprit("team=search"))
    assert (found.is_exact, found.is_named, found.dollar_error) == (True, True, 0)


def test_another_scope_of_the_same_rows_is_as_right() -> None:
    one_key = truth(LEAVES, Scope.parse(["key_id=k1"]), "runaway_loop", delta_usd=20)
    assert graded(case(LEAVES, one_key), culprit("team=search", "key_id=k1")).is_exact


def test_leaves_of_under_a_percent_may_differ(growth: Case) -> None:
    assert graded(growth, culprit("team=search", "model=a")).is_exact


def test_a_subset_is_a_miss_and_something_too_much(growth: Case) -> None:
    found = graded(growth, culprit("key_id=k1", usd=20))
    assert (found.hits, len(found.extra), found.is_exact) == (0, 1, False)
    assert found.dollar_error == 0.5


def test_a_superset_is_a_miss(growth: Case) -> None:
    assert not graded(growth, culprit("model=a")).is_exact


def test_what_may_be_covered_does_no_harm() -> None:
    lenient = truth(LEAVES, SEARCH, "volume_growth", delta_usd=40, may=Scope.parse(["team=legal", "model=a"]))
    assert not graded(case(LEAVES, lenient), culprit("model=b"), culprit("team=search")).is_exact
    assert graded(case(LEAVES, lenient), culprit("model=a")).is_exact


def test_right_rows_under_a_wrong_name_are_exact_only(growth: Case) -> None:
    found = graded(growth, culprit("team=search", cause="retry_storm"))
    assert (found.is_exact, found.is_named) == (True, False)


def test_a_slice_too_many_spoils_the_answer(growth: Case) -> None:
    found = graded(growth, culprit("team=search"), culprit("key_id=k5"))
    assert (found.hits, len(found.extra), found.is_exact) == (1, 1, False)


def test_blaming_everything_blames_nobody() -> None:
    everything = Culprit(EVERYTHING, "volume_growth", 40, 0.9)
    assert graded(case(LEAVES), everything).is_exact
    assert not graded(case(LEAVES), culprit("team=search")).is_exact


def test_no_answer_is_wrong_by_all_its_dollars(growth: Case) -> None:
    found = graded(growth)
    assert (found.is_exact, found.dollar_error) == (False, 1)


def test_of_two_causes_both_must_be_found() -> None:
    planted = case(
        LEAVES,
        truth(LEAVES, Scope.parse(["key_id=k1"]), "runaway_loop", delta_usd=20),
        truth(LEAVES, Scope.parse(["key_id=k4"]), "volume_drop", delta_usd=-5),
    )
    first, second = culprit("key_id=k1", cause="runaway_loop"), culprit("key_id=k4", cause="volume_drop")
    assert graded(planted, second, first).is_named
    assert not graded(planted, first).is_exact
    assert graded(planted, first).dollar_error is None


def test_overlap_is_the_share_of_dollars_in_both(growth: Case) -> None:
    assert overlap(LEAVES, growth.truths[0], culprit("key_id=k1")) == pytest.approx(30 / 60.1)


def test_only_dimensions_with_several_values_inform() -> None:
    expected: tuple[Dimension, ...] = ("model", "team", "key_id")
    assert LEAVES.informative == expected
