"""The casebook as a history: incidents with what became of their proposals, accepted levels, nothing else."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args

import pytest
from sqlalchemy import event, insert, select, update

from detectors.accepted import Baseline
from ledger.scope import Dimension, Scope
from ledger.window import Window, instant_text
from tokensleuth.casebook import BaselineChange, Casebook, InvestigationRecord, ProposalState
from tokensleuth.casebook.baselines import BaselineState
from tokensleuth.casebook.history import MOST_INCIDENTS, CasebookHistory
from tokensleuth.casebook.records import range_incident_id
from tokensleuth.casebook.schema import incidents, proposals
from tools import past_incidents
from tools.past_incidents import APPROVED, Decided, History, PastIncident

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SCOPE: dict[Dimension, str] = {"team": "search", "key_id": "k1"}
LATER = Window(NOW, NOW + timedelta(days=1))


def day(number: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, number, hour, tzinfo=UTC)


def save(
    casebook: Casebook,
    name: str = "inc_1",
    *,
    start_at: datetime | None = None,
    hours: int = 6,
    actions: Sequence[str] = (),
    saved_at: datetime = NOW,
    cause: str = "retry_storm",
) -> None:
    """An incident of 3 November; its proposals are named after it, their action and their place."""
    start_at = start_at or day(3)
    incident = {
        "id": name,
        "start_at": instant_text(start_at),
        "end_at": instant_text(start_at + timedelta(hours=hours)),
        "scope": SCOPE,
        "expected_usd": "12.40",
        "actual_usd": "96.10",
        "delta_usd": "83.70",
        "verdict": "confirmed",
        "cause": cause,
        "confidence": 0.9,
        "effects": [],
        "culprits": [],
        "analyst": "deterministic",
        "degraded": False,
        "proposals": [_proposal(name, action) for action in actions],
    }
    casebook.save(InvestigationRecord(incident=incident, evidence=(), saved_at=saved_at))


def _proposal(incident: str, action: str) -> dict[str, object]:
    return {
        "id": f"{incident}_{action}",
        "action": action,
        "target": {"gateway": "litellm", "key_id": "k1"},
        "parameters": {},
        "reversible": True,
        "expected_saving_usd_per_day": "1.00",
        "expires_at": instant_text(day(10)),
    }


def decide(casebook: Casebook, proposal_id: str, state: str) -> None:
    with casebook.engine.begin() as connection:
        connection.execute(update(proposals).where(proposals.c.id == proposal_id).values(state=state))


def accept(
    casebook: Casebook,
    *,
    from_at: datetime,
    scope: Scope | None = None,
    reason: str | None = "a new product",
    state: BaselineState = "accepted",
) -> None:
    level = Baseline(scope or Scope.of(SCOPE), from_at, from_at + timedelta(days=2))
    casebook.save_baseline(BaselineChange(state, level, "10.00", "20.00", reason, "ada", NOW))


def before(casebook: Casebook, at: datetime = NOW) -> Sequence[PastIncident]:
    history: History = CasebookHistory(casebook)
    return history.incidents_before(at)


def test_an_incident_comes_back_typed(casebook: Casebook) -> None:
    save(casebook)
    assert before(casebook) == [
        PastIncident(
            id="inc_1",
            window=Window(day(3), day(3, 6)),
            scope=Scope.of(SCOPE),
            cause="retry_storm",
            verdict="confirmed",
            delta_usd=Decimal("83.70"),
            decisions=(),
            note=None,
            saved_at=NOW,
        )
    ]


def test_an_empty_casebook_has_no_past(casebook: Casebook) -> None:
    assert before(casebook) == []


def test_only_what_ended_by_then_latest_first(casebook: Casebook) -> None:
    for name, number in (("a", 3), ("b", 5), ("c", 4)):
        save(casebook, name, start_at=day(number))
    assert [past.id for past in before(casebook, day(5, 6))] == ["b", "c", "a"]
    assert [past.id for past in before(casebook, day(5, 5))] == ["c", "a"]


def test_whole_ranges_that_were_explained_are_left_out(casebook: Casebook) -> None:
    window = Window(day(3), day(3, 6))
    save(casebook, range_incident_id(Scope.of(SCOPE), window))
    save(casebook, "inc_found")
    assert [past.id for past in before(casebook)] == ["inc_found"]


def test_the_last_investigation_counts(casebook: Casebook) -> None:
    save(casebook)
    save(casebook, cause="key_leak", saved_at=NOW + timedelta(hours=1))
    assert [(past.cause, past.saved_at) for past in before(casebook)] == [
        ("key_leak", NOW + timedelta(hours=1))
    ]


def test_proposals_are_told_in_their_order_with_their_states(casebook: Casebook) -> None:
    save(casebook, actions=["set_rate_limit", "block_key"])
    decide(casebook, "inc_1_set_rate_limit", "approved")
    decide(casebook, "inc_1_block_key", "rejected")
    past = before(casebook)[0]
    assert past.decisions == (Decided("set_rate_limit", "approved"), Decided("block_key", "rejected"))


def test_what_is_no_longer_proposed_is_left_out_unless_decided(casebook: Casebook) -> None:
    save(casebook, actions=["set_rate_limit", "block_key", "notify_owner"])
    decide(casebook, "inc_1_block_key", "done")
    save(casebook, actions=["notify_owner"])
    assert before(casebook)[0].decisions == (
        Decided("notify_owner", "expired"),
        Decided("block_key", "done"),
    )


def test_an_open_proposal_expires_by_the_instant_asked_about(casebook: Casebook) -> None:
    save(casebook, actions=["notify_owner"])
    states = [before(casebook, at)[0].decisions[0].state for at in (day(9), day(10), day(11))]
    assert states == ["pending", "expired", "expired"]


def test_proposals_stay_with_their_incident(casebook: Casebook) -> None:
    save(casebook, "inc_1", actions=["set_rate_limit"])
    save(casebook, "inc_2", start_at=day(4), actions=["block_key"])
    assert [past.decisions[0].action for past in before(casebook)] == ["block_key", "set_rate_limit"]


@pytest.mark.parametrize(
    ("from_at", "scope", "covered"),
    [
        (day(3), None, True),
        (day(2), Scope.parse_text("team=search"), True),
        (day(3, 6), None, False),
        (day(1), None, False),
        (day(3), Scope.of(SCOPE).with_value("model", "gpt-big"), False),
        (day(3), Scope.parse_text("team=ads"), False),
    ],
)
def test_an_accepted_level_covers_incidents_in_its_scope_and_days(
    casebook: Casebook, from_at: datetime, scope: Scope | None, covered: bool
) -> None:
    save(casebook)
    accept(casebook, from_at=from_at, scope=scope)
    past = before(casebook)[0]
    assert past.is_expected == past.is_decided == covered
    assert past.note == ("a new product" if covered else None)


def test_a_baseline_that_was_undone_covers_nothing(casebook: Casebook) -> None:
    save(casebook)
    accept(casebook, from_at=day(3))
    accept(casebook, from_at=day(3), state="undone", reason="a mistake")
    assert before(casebook)[0].decisions == ()
    assert before(casebook)[0].note is None


def test_two_baselines_are_one_decision_with_the_reason_that_is_known(casebook: Casebook) -> None:
    save(casebook)
    accept(casebook, from_at=day(2))
    accept(casebook, from_at=day(3), reason=None)
    past = before(casebook)[0]
    assert (past.decisions, past.note) == ((Decided("accept_baseline", "accepted"),), "a new product")


def test_every_state_of_a_proposal_is_known_to_the_tool() -> None:
    undecided = {"pending", "expired", "superseded", "rejected"}
    assert set(get_args(ProposalState)) - undecided == APPROVED - {"accepted"}


def test_only_the_latest_thousand_are_read_in_three_statements(casebook: Casebook) -> None:
    save(casebook, "inc_latest", start_at=day(15), actions=["notify_owner"])
    _crowd(casebook, MOST_INCIDENTS + 3)
    asked: list[str] = []
    event.listen(casebook.engine, "before_cursor_execute", lambda _c, _u, sql, *_: asked.append(sql))
    found = before(casebook)
    assert len(found) == MOST_INCIDENTS
    assert (found[0].id, found[1].id) == ("inc_latest", f"inc_{MOST_INCIDENTS + 2}")
    assert found[0].decisions == (Decided("notify_owner", "expired"),)
    assert len([sql for sql in asked if sql.lstrip().upper().startswith("SELECT")]) == 3


def _crowd(casebook: Casebook, count: int) -> None:
    """Copies of the incident that is there, each a minute later, from 1 November."""
    with casebook.engine.begin() as connection:
        one = dict(connection.execute(select(incidents)).mappings().one())
        starts = [day(1) + timedelta(minutes=i) for i in range(count)]
        rows = [
            one | {"id": f"inc_{i}", "start_at": start, "end_at": start + timedelta(hours=1)}
            for i, start in enumerate(starts)
        ]
        connection.execute(insert(incidents), rows)


def test_the_tool_answers_from_the_casebook_and_a_second_run_is_the_same(casebook: Casebook) -> None:
    save(casebook, actions=["mark_expected"])
    decide(casebook, "inc_1_mark_expected", "approved")
    first = past_incidents(CasebookHistory(casebook), LATER, where=Scope.of(SCOPE), cause="retry_storm")
    save(casebook, "inc_now", start_at=NOW)
    again = past_incidents(CasebookHistory(casebook), LATER, where=Scope.of(SCOPE), cause="retry_storm")
    assert first == again
    assert (first.rows[0]["decisions"], first.facts["expected_by_people"]) == ("mark_expected approved", 1)
