"""The model's choice: a strong witness where causes compete, nothing against what is clear."""

from decimal import Decimal

import pytest

from agent.analyst import Judged
from agent.dialogue.submission import Submission
from agent.look import Subject
from agent.scoring import LEAST_SCORE, Scored
from agent.weighing import VOTE, new_scopes, weigh, with_vote
from ledger.scope import Scope
from playbooks import Cause, load_playbooks
from tests.ledger_builder import span

PLAYBOOKS = {p.cause: p for p in load_playbooks()}
DAY = span(30)
SUBJECT = Subject(incident_id="inc_1", window=DAY, explain=True)
KEY = Scope.parse(["team=search", "key_id=k1"])
OTHER = Scope.parse(["team=ads"])


def _judged(scope: Scope = KEY, usd: int = 100, **scores: float) -> Judged:
    ranked = [Scored(PLAYBOOKS[c], scores.get(c, -9.0), 0.0, ()) for c in PLAYBOOKS]
    ranked.sort(key=lambda s: -s.score)
    return Judged(scope, Decimal(usd), "ev_1", {}, tuple(ranked))


def _submission(*culprits: tuple[dict[str, str], Cause]) -> Submission:
    return Submission.model_validate(
        {
            "culprits": [{"scope": scope, "cause": cause} for scope, cause in culprits],
            "summary": "So it is.",
            "reasons": ["It is so."],
        }
    )


def _weighed(judged: Judged, cause: Cause, **scope: str) -> tuple[Cause, tuple[str, ...]]:
    found = weigh(SUBJECT, [judged], (), tuple(PLAYBOOKS.values()), _submission((scope, cause)))
    return found.judged[0].best.cause, found.refused


def test_a_close_call_is_turned() -> None:
    judged = _judged(runaway_loop=8.0, volume_growth=8.0 - VOTE + 0.1)
    turned = with_vote(judged, "volume_growth")
    assert turned.best.cause == "volume_growth"
    assert turned.turned_from == "runaway_loop"


def test_what_is_clear_is_not_turned() -> None:
    cause, refused = _weighed(_judged(runaway_loop=9.0, volume_growth=5.0), "volume_growth")
    assert cause == "runaway_loop"
    assert refused == (
        "the evidence speaks for runaway_loop and against volume_growth in that team and key_id",
    )


def test_a_cause_without_support_of_its_own_gains_nothing() -> None:
    judged = _judged(unknown=LEAST_SCORE, volume_growth=LEAST_SCORE - 0.1)
    assert with_vote(judged, "volume_growth").best.cause == "unknown"


def test_agreeing_changes_nothing() -> None:
    judged = _judged(runaway_loop=8.0, volume_growth=7.0)
    assert with_vote(judged, "runaway_loop") is judged


def test_no_vote_makes_an_alert_of_what_is_normal() -> None:
    found, refused = _weighed(_judged(normal_variation=5.0, runaway_loop=4.9), "runaway_loop")
    assert found == "normal_variation"
    assert "nothing is there to name" in refused[0]


@pytest.mark.parametrize("cause", ["normal_variation", "unknown"])
def test_no_vote_ends_an_alert(cause: Cause) -> None:
    found, refused = _weighed(_judged(key_leak=4.0, normal_variation=3.9, unknown=3.9), cause)
    assert found == "key_leak"
    assert refused == ("the evidence for key_leak does not go away by itself",)


def test_a_scope_within_the_suspect_is_the_suspect() -> None:
    judged = _judged(retry_storm=8.0)
    wider: tuple[dict[str, str], ...] = (
        {},
        {"team": "search"},
        {"team": "search", "key_id": "k1", "model": "m"},
    )
    for scope in wider:
        assert _weighed(judged, "retry_storm", **scope) == ("retry_storm", ())


def test_a_scope_outside_the_question_is_refused() -> None:
    subject = SUBJECT.model_copy(update={"scope": Scope.parse(["team=search"])})
    found = weigh(
        subject, [_judged()], (), tuple(PLAYBOOKS.values()), _submission(({"team": "ads"}, "key_leak"))
    )
    assert found.refused == ("the scope of key_leak lies outside the incident",)


def test_a_scope_nobody_looked_at_is_refused() -> None:
    _, refused = _weighed(_judged(retry_storm=8.0), "volume_growth", team="ads")
    assert refused == ("that team is in no evidence, or has no usage",)


def test_dollars_that_a_culprit_already_has_are_not_told_again() -> None:
    _, refused = _weighed(_judged(retry_storm=8.0), "volume_growth", client="sdk/1")
    assert refused == ("that client may be the dollars of a culprit told already",)


def test_one_suspect_has_one_cause() -> None:
    submission = _submission((KEY.as_dict(), "retry_storm"), ({"team": "search"}, "runaway_loop"))  # type: ignore[arg-type]
    judged = _judged(retry_storm=8.0, runaway_loop=7.0)
    found = weigh(SUBJECT, [judged], (), tuple(PLAYBOOKS.values()), submission)
    assert found.refused == ("that team and key_id is given two causes",)


def test_only_scopes_of_known_values_are_looked_at() -> None:
    submission = _submission(({"team": "ads"}, "volume_growth"), ({"team": "made-up"}, "volume_growth"))
    assert new_scopes(SUBJECT, [_judged()], {"ads", "search", "k1"}, submission) == (OTHER,)


def test_all_confidences_still_sum_to_one() -> None:
    voted = with_vote(_judged(runaway_loop=4.0, volume_growth=3.5, key_leak=3.0), "volume_growth")
    assert sum(s.confidence for s in voted.ranked) == pytest.approx(1.0, abs=0.01)
