"""`past_incidents`: what is alike comes first, only what ended before counts, and decisions are told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.scope import EVERYTHING, UNALLOCATED, Scope
from ledger.window import Window
from tests.ledger_builder import at, span
from tools import past_incidents
from tools.answer import ToolAnswer
from tools.past_incidents import MOST_NOTE, MOST_ROWS, Decided, History, PastIncident, similarity

DAY = span(30)
K1 = Scope.parse_text("team=search, key_id=k1")
SCOPES = [
    EVERYTHING,
    K1,
    Scope.parse_text("team=search"),
    Scope.parse_text("team=search, key_id=k2"),
    Scope.parse_text("team=ads, model=gpt-big"),
    Scope.parse_text("project=web"),
]
CAUSES = ["retry_storm", "key_leak", "volume_growth"]
ACTIONS = ["set_rate_limit", "block_key", "mark_expected", "accept_baseline"]
STATES = ["pending", "approved", "rejected", "expired", "done", "accepted"]


@dataclass(frozen=True, slots=True)
class Remembered:
    """A history by hand, in the order given; it forgets to leave out what came later."""

    incidents: Sequence[PastIncident]

    def incidents_before(self, at: datetime) -> Sequence[PastIncident]:  # noqa: ARG002
        return self.incidents


def past(
    name: str = "inc_1",
    *,
    day: int = 20,
    scope: Scope = K1,
    cause: str = "retry_storm",
    decisions: Sequence[tuple[str, str]] = (),
    note: str | None = None,
) -> PastIncident:
    window = span(day, hours=6)
    return PastIncident(
        id=name,
        window=window,
        scope=scope,
        cause=cause,
        verdict="confirmed",
        delta_usd=Decimal("83.70"),
        decisions=tuple(Decided(*decision) for decision in decisions),
        note=note,
        saved_at=window.end_at + timedelta(hours=1),
    )


def ask(*incidents: PastIncident, where: Scope = K1, cause: str | None = None, limit: int = 5) -> ToolAnswer:
    history: History = Remembered(incidents)
    return past_incidents(history, DAY, where=where, cause=cause, limit=limit)


def listed(answer: ToolAnswer) -> list[object]:
    return [row["incident"] for row in answer.rows]


anything = st.builds(
    past,
    st.integers(0, 999).map("inc_{}".format),
    day=st.integers(0, 45),
    scope=st.sampled_from(SCOPES),
    cause=st.sampled_from(CAUSES),
    decisions=st.lists(st.tuples(st.sampled_from(ACTIONS), st.sampled_from(STATES)), max_size=3),
)


@given(
    incidents=st.lists(anything, max_size=30, unique_by=lambda p: p.id),
    where=st.sampled_from(SCOPES),
    cause=st.sampled_from([None, *CAUSES]),
    limit=st.integers(-2, 50),
)
def test_whatever_is_remembered_the_answer_is_bounded_ranked_and_counted(
    incidents: list[PastIncident], where: Scope, cause: str | None, limit: int
) -> None:
    answer = ask(*incidents, where=where, cause=cause, limit=limit)
    before = {p.id: p for p in incidents if p.window.end_at <= DAY.start_at}
    similar = [p for p in before.values() if similarity(p, where, cause) > 0]
    assert len(answer.rows) == min(len(similar), max(limit, 1), MOST_ROWS)
    assert set(listed(answer)) <= before.keys()
    likeness = [float(str(row["similarity"])) for row in answer.rows]
    assert likeness == sorted(likeness, reverse=True)
    assert all(0 < value <= 1 for value in likeness)
    assert answer.facts["past_incidents"] == len(before)
    assert answer.facts["similar_incidents"] == len(similar)
    assert answer.status == ("ok" if similar else "no_data")
    assert ask(*reversed(incidents), where=where, cause=cause, limit=limit).rows == answer.rows


def test_alike_in_this_order_same_scope_key_team_and_wider() -> None:
    incidents = [
        past("wider", scope=EVERYTHING),
        past("team", scope=Scope.parse_text("team=search, key_id=k2")),
        past("key", scope=Scope.parse_text("team=ads, key_id=k1")),
        past("same"),
        past("stranger", scope=Scope.parse_text("team=ads")),
    ]
    assert listed(ask(*incidents)) == ["same", "key", "team", "wider"]


def test_more_places_in_common_are_more_alike() -> None:
    where = Scope.parse_text("team=search, project=web, model=gpt-big")
    one = past(scope=Scope.parse_text("team=search, region=eu"))
    two = past(scope=Scope.parse_text("team=search, project=web, region=eu"))
    assert similarity(two, where, None) > similarity(one, where, None) > 0


def test_spend_of_nobody_is_nothing_in_common() -> None:
    nobody = [Scope.of([("team", UNALLOCATED), ("model", model)]) for model in ("a", "b")]
    assert similarity(past(scope=nobody[0]), nobody[1], None) == 0


def test_the_latest_comes_first_among_equals() -> None:
    assert listed(ask(past("old", day=3), past("new", day=25), past("middle", day=9))) == [
        "new", "middle", "old",
    ]  # fmt: skip


def test_the_same_cause_lifts_an_incident_over_its_equals() -> None:
    leak, storm = past("leak", cause="key_leak", day=3), past("storm", day=25)
    assert listed(ask(leak, storm)) == ["storm", "leak"]
    assert listed(ask(leak, storm, cause="key_leak")) == ["leak", "storm"]
    assert similarity(leak, K1, "key_leak") == 1
    assert similarity(leak, K1, None) == 1


def test_a_cause_alone_is_some_likeness() -> None:
    elsewhere = past(scope=Scope.parse_text("team=ads"))
    assert ask(elsewhere).status == "no_data"
    assert ask(elsewhere, cause="retry_storm").facts["same_cause"] == 1


def test_what_ended_after_the_start_is_not_past() -> None:
    ends_at_start = replace(past("before"), window=Window(at(29), at(30)))
    overlaps = replace(past("now"), window=Window(at(29), at(30, 1)))
    answer = ask(ends_at_start, overlaps)
    assert listed(answer) == ["before"]
    assert answer.facts["past_incidents"] == 1


def test_decisions_are_told_as_text() -> None:
    row = ask(past(decisions=[("set_rate_limit", "approved"), ("block_key", "rejected")])).rows[0]
    assert row["decisions"] == "set_rate_limit approved; block_key rejected"
    assert ask(past()).rows[0]["decisions"] == "none"


def test_a_row_tells_the_incident() -> None:
    row = ask(past(note="campaign of the week")).rows[0]
    assert row["scope"] == {"team": "search", "key_id": "k1"}
    assert (row["start_at"], row["end_at"]) == ("2026-10-25T00:00:00Z", "2026-10-25T06:00:00Z")
    assert (row["cause"], row["verdict"], row["delta_usd"]) == ("retry_storm", "confirmed", Decimal("83.70"))
    assert row["note"] == "campaign of the week"


def test_a_long_note_is_cut() -> None:
    assert len(str(ask(past(note="x" * 9000)).rows[0]["note"])) == MOST_NOTE


@pytest.mark.parametrize(
    ("decision", "decided", "expected"),
    [
        (("mark_expected", "approved"), 1, 1),
        (("mark_expected", "done"), 1, 1),
        (("accept_baseline", "accepted"), 1, 1),
        (("mark_expected", "rejected"), 1, 0),
        (("mark_expected", "pending"), 0, 0),
        (("set_rate_limit", "approved"), 1, 0),
        (("set_rate_limit", "expired"), 0, 0),
    ],
)
def test_only_what_people_said_counts(decision: tuple[str, str], decided: int, expected: int) -> None:
    answer = ask(past(decisions=[decision]))
    assert (answer.facts["decided"], answer.facts["expected_by_people"]) == (decided, expected)
    assert answer.rows[0]["expected"] == expected


def test_counts_go_beyond_the_rows() -> None:
    answer = ask(*(past(f"inc_{i}", decisions=[("block_key", "done")]) for i in range(9)), limit=2)
    assert len(answer.rows) == 2
    assert (answer.facts["same_scope"], answer.facts["decided"]) == (9, 9)


def test_without_a_cause_none_is_counted() -> None:
    assert "same_cause" not in ask(past()).facts


def test_an_empty_history_is_no_data() -> None:
    answer = ask()
    assert (answer.status, answer.facts["past_incidents"]) == ("no_data", 0)
