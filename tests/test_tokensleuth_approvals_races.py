"""Clicks race from two processes: a slice of `python -m evals.races`, and that its judge is not blind."""

import pytest

from evals.races import Word, figures, race, what_is_wrong
from evals.unavailable import Unavailable

ALICE, BOB, NO = Word("approve", "alice"), Word("approve", "bob"), Word("reject", "carol")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_eight_clicks_from_two_processes_are_one_decision_and_at_most_one_effect(database: str) -> None:
    try:
        raced = race(database, trials=10, seed=61)
    except Unavailable as missing:
        pytest.skip(str(missing))
    assert raced.faults == []
    assert (raced.trials, raced.clicks, raced.effects) == (10, 80, raced.approved)
    assert raced.approved > 0
    assert raced.rejected > 0
    assert all(figure.met for figure in figures([raced]))


@pytest.mark.parametrize(
    ("needed", "outcomes", "words", "state", "executions", "effects"),
    [
        (1, ["approved", "refused"], [ALICE], "done", 1, 1),
        (1, ["refused", "rejected"], [NO], "rejected", 0, 0),
        (2, ["waiting", "approved"], [ALICE, BOB], "done", 1, 1),
        (2, ["waiting", "rejected"], [ALICE, NO], "rejected", 0, 0),
        (2, ["waiting", "refused"], [ALICE], "pending", 0, 0),
    ],
)
def test_what_is_right_is_not_called_wrong(
    needed: int, outcomes: list[str], words: list[Word], state: str, executions: int, effects: int
) -> None:
    assert what_is_wrong(needed, outcomes, words, state, executions, effects) == []


@pytest.mark.parametrize(
    ("needed", "outcomes", "words", "state", "executions", "effects"),
    [
        (1, ["approved", "approved"], [ALICE], "done", 1, 1),
        (1, ["approved"], [ALICE, BOB], "done", 1, 1),
        (1, ["approved", "rejected"], [ALICE, NO], "rejected", 1, 1),
        (1, ["approved"], [ALICE], "done", 1, 2),
        (1, ["approved"], [ALICE], "done", 1, 0),
        (1, ["approved"], [ALICE], "done", 2, 1),
        (1, ["approved"], [ALICE], "executing", 1, 1),
        (1, ["rejected"], [NO], "rejected", 0, 1),
        (2, ["approved"], [ALICE, ALICE], "done", 1, 1),
        (2, ["waiting"], [ALICE], "pending", 1, 1),
    ],
)
def test_what_is_lost_or_doubled_is_called_wrong(
    needed: int, outcomes: list[str], words: list[Word], state: str, executions: int, effects: int
) -> None:
    assert what_is_wrong(needed, outcomes, words, state, executions, effects) != []
