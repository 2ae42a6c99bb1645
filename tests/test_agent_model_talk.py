"""An investigation in which a model takes part: what it adds, what it takes, what it cannot do."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import JsonValue

from agent.investigation import Deps, Investigation, Subject, investigate_incident
from agent.llm.port import CallUsage, Limits, Llm, Message, ModelCall, ModelError
from evals.scripted import Script, ScriptedModel, Turn, calls, in_turn, says, submits
from ledger.money import PICO_PER_USD
from ledger.reader import Reader
from playbooks import load_playbooks
from tests.ledger_builder import Cell, LedgerBuilder, at, span

DAY = span(30)
KEY: dict[str, JsonValue] = {"team": "search", "key_id": "k1"}
RIGHT: dict[str, JsonValue] = {
    "culprits": [{"scope": KEY, "cause": "retry_storm"}],
    "summary": "Spend rose by {E1.delta_usd}.",
    "reasons": ["Retries cost {E1.retries_usd} more.", "The bill of key k1 was $7,777,777."],
}


@dataclass(slots=True)
class Books:
    """A meter that keeps its calls in memory."""

    pico_per_token: int | None = 10**6
    calls: list[ModelCall] = field(default_factory=list)

    def cost_pico(self, model: str, usage: CallUsage, at: datetime) -> int | None:  # noqa: ARG002
        return None if self.pico_per_token is None else usage.total * self.pico_per_token

    def book(self, call: ModelCall) -> None:
        self.calls.append(call)

    def spent_pico(self, since: datetime) -> int:
        return sum(c.cost_pico or 0 for c in self.calls if c.at >= since)


@cache
def _reader() -> Reader:
    def storm(_: datetime, cell: Cell) -> Cell:
        stormy = replace(
            cell, requests=4 * cell.requests, failed=3 * cell.requests, retried=3 * cell.requests
        )
        return stormy if cell.key_id == "k1" else cell

    quiet = LedgerBuilder().run(Cell(), days=35).run(Cell(key_id="k2", team="ads"), days=35)
    return quiet.change(DAY, storm).reader()


def _investigated(
    model: ScriptedModel | None, *, books: Books | None = None, limits: Limits | None = None
) -> Investigation:
    clock = iter(datetime(2026, 11, 5, 12, 0, i // 10, i % 10, tzinfo=UTC) for i in range(600))
    llm = Llm(model, books or Books(), lambda: next(clock), limits or Limits()) if model else None
    deps = Deps(reader=_reader(), playbooks=load_playbooks(), now=at(31), llm=llm)
    subject = Subject(incident_id="inc_1", window=DAY, explain=True)
    return investigate_incident(subject, deps, InMemorySaver())


def _talk(*turns: Turn) -> tuple[Investigation, ScriptedModel]:
    model = ScriptedModel(in_turn(*turns))
    return _investigated(model), model


def _last_of(model: ScriptedModel, role: str) -> Sequence[Message]:
    return [m for m in model.seen[-1] if m.role == role]


def test_without_a_model_the_report_says_so() -> None:
    found = _investigated(None).finding
    assert found.analyst == "deterministic"
    assert not found.degraded
    assert "No language model is configured" in found.report
    assert found.as_json(())["cost"] == {
        "llm_calls": 0, "input_tokens": 0, "output_tokens": 0, "usd": "0.00", "unpriced_calls": 0,
        "tool_calls": 0,
    }  # fmt: skip


def test_what_the_evidence_backs_is_told_in_the_words_of_the_model() -> None:
    found = _talk(submits(**RIGHT))[0].finding
    effects = {e.name: e.usd for e in found.effects}
    assert found.analyst == "llm"
    assert f"Spend rose by ${found.delta_usd:,}." in found.report
    assert f"- Retries cost ${effects['retries']:,} more." in found.report


def test_what_it_made_up_is_dropped_and_counted() -> None:
    found = _talk(submits(**RIGHT))[0].finding
    assert "7,777,777" not in found.report
    assert found.unsupported_claims == 1
    assert "One sentence of it is left out" in found.report


def test_the_numbers_of_the_finding_are_those_of_the_rules() -> None:
    alone, with_model = _investigated(None).finding, _talk(submits(**RIGHT))[0].finding
    for name in ("verdict", "cause", "effects", "delta_usd", "expected_usd", "proposals", "changes"):
        assert getattr(with_model, name) == getattr(alone, name)
    assert [c.scope for c in with_model.culprits] == [c.scope for c in alone.culprits]


def test_calls_of_one_turn_are_answered_in_order_and_by_label() -> None:
    found, model = _talk(calls(("compare", {}), ("breakdown", {"by": ["region"]})), submits(**RIGHT))
    answers = _last_of(model, "tool")
    assert ['tool="compare"' in answers[0].content, 'tool="breakdown"' in answers[1].content] == [True, True]
    assert [m.tool_call_id for m in answers] == ["call_1_0", "call_1_1"]
    assert found.finding.spent.tool_calls == 2


def test_what_the_model_asked_for_is_kept_as_evidence() -> None:
    found, _ = _talk(calls(("hourly_series", {"where": {"team": "ads"}})), submits(**RIGHT))
    assert found.evidence[-1].tool == "hourly_series"
    assert "hourly series" in found.finding.report


def test_what_the_model_asked_for_does_not_weigh_causes() -> None:
    other_day: dict[str, JsonValue] = {"start_at": "2026-10-20T00:00Z", "end_at": "2026-10-21T00:00Z"}
    where: dict[str, JsonValue] = {"where": KEY, **other_day}
    asked = calls(*((name, where) for name in ("compare", "key_activity", "slices")))
    found, _ = _talk(asked, submits(**RIGHT))
    alone = _investigated(None).finding
    assert [a.cause for a in found.finding.alternatives] == [a.cause for a in alone.alternatives]


def test_the_same_question_is_answered_once() -> None:
    same = calls(("earlier_weeks", {}))
    found, model = _talk(same, same, submits(**RIGHT))
    first, second = _last_of(model, "tool")
    assert first.content.startswith("<data")
    assert second.content.startswith("You have asked exactly this before")
    assert sum(e.tool == "earlier_weeks" for e in found.evidence) == 1


def test_a_finding_may_be_corrected_once() -> None:
    found, model = _talk(submits(summary="?"), submits(**RIGHT))
    assert found.finding.analyst == "llm"
    assert "culprits: Field required" in _last_of(model, "tool")[-1].content


@pytest.mark.parametrize("turn", [says("It is the retries."), submits(summary="?")])
def test_after_the_second_fault_the_rules_stand(turn: Turn) -> None:
    found = _talk(turn)[0].finding
    alone = _investigated(None).finding
    assert (found.analyst, found.degraded) == ("deterministic", True)
    assert (found.cause, found.proposals) == (alone.cause, alone.proposals)
    assert found.spent.model_calls == 2
    assert "Its answer was not used" in found.report


def test_a_cause_against_the_evidence_is_not_taken() -> None:
    wrong: dict[str, JsonValue] = {**RIGHT, "culprits": [{"scope": KEY, "cause": "key_leak"}]}
    found, model = _talk(submits(**wrong))
    assert found.finding.cause == "retry_storm"
    assert found.finding.degraded
    assert "the evidence speaks for retry_storm" in _last_of(model, "tool")[-1].content


def test_reasons_without_evidence_are_no_reasons() -> None:
    bare: dict[str, JsonValue] = {**RIGHT, "reasons": ["Retries went up.", "It cost $7,777,777."]}
    found, _ = _talk(submits(**bare))
    assert found.finding.degraded
    assert found.finding.unsupported_claims


def test_measures_are_put_in_the_order_the_model_wants_and_no_others_appear() -> None:
    wanted: list[JsonValue] = [
        {"action": "notify_owner", "scope": KEY},
        {"action": "revoke_key", "scope": {"key_id": "k1"}},
        {"action": "block_key", "scope": {"key_id": "k2"}},
    ]
    found = _talk(submits(**RIGHT, actions=wanted))[0].finding
    alone = _investigated(None).finding
    assert found.proposals[0].action == "notify_owner"
    assert {p.id for p in found.proposals} == {p.id for p in alone.proposals}
    assert [(r.action, r.reason) for r in found.refused] == [
        ("revoke_key", "it is not among the actions for retry_storm"),
        ("block_key", "its target is no culprit of this investigation"),
    ]
    assert "The policy refused 2 measures" in found.report


def test_a_model_that_cannot_be_reached_leaves_a_whole_report() -> None:
    found = _talk(ModelError("not reachable: refused", retryable=True))[0].finding
    assert found.degraded_because == ("not reachable: refused",)
    assert "Degraded: not reachable: refused." in found.report
    assert "## Where the change comes from" in found.report


def test_the_last_question_offers_no_tools() -> None:
    model = ScriptedModel(_asks_for_ever())
    found = _investigated(model).finding
    assert found.spent.model_calls == 12
    assert model.offered[9] != ()
    assert model.offered[10:] == [(), ()]
    assert found.degraded


def _asks_for_ever() -> Script:
    hours = iter(range(1, 24))
    return lambda _m, _t: calls(("compare", {"end_at": f"2026-11-04T{next(hours):02}:00Z"}))


def test_every_call_is_booked_with_its_cost() -> None:
    books = Books()
    found = _investigated(ScriptedModel(in_turn(calls(("compare", {})), submits(**RIGHT))), books=books)
    assert len({c.id for c in books.calls}) == 2
    assert sum(c.cost_pico or 0 for c in books.calls) == found.finding.spent.cost_pico > 0


def test_a_model_without_a_price_is_asked_and_said_to_have_none() -> None:
    found = _investigated(ScriptedModel(in_turn(submits(**RIGHT))), books=Books(pico_per_token=None)).finding
    assert found.spent.unpriced_calls == 1
    assert "price unknown" in found.report


def test_the_cap_of_the_day_stops_the_first_question() -> None:
    spent = ModelCall(
        id="c", incident_id="i", at=datetime(2026, 11, 5, 1, tzinfo=UTC), model="m", usage=CallUsage(),
        cost_pico=10 * PICO_PER_USD,
    )  # fmt: skip
    model = ScriptedModel(in_turn(submits(**RIGHT)))
    found = _investigated(model, books=Books(calls=[spent])).finding
    assert model.seen == []
    assert "today's $10.00" in found.degraded_because[0]


def test_the_first_look_is_short() -> None:
    _, model = _talk(submits(**RIGHT))
    system, first = model.seen[0]
    assert len(system.content) + len(first.content) < 3 * 6_000


def test_the_words_of_a_finding_that_was_not_taken_are_shown_nowhere() -> None:
    bare: dict[str, JsonValue] = {**RIGHT, "reasons": ["Team zebracorp wired $9,999,999."]}
    found = _talk(submits(**bare))[0].finding
    assert "9,999,999" not in found.report + str(found.as_json(()))
    assert "no reason is left that evidence backs" in found.degraded_because[0]


def test_what_a_refused_target_is_called_is_told_only_if_somebody_is() -> None:
    wanted: list[JsonValue] = [{"action": "revoke_key", "scope": {"key_id": "<b>approved by the CFO</b>"}}]
    found = _talk(submits(**RIGHT, actions=wanted))[0].finding
    assert "CFO" not in str(found.as_json(()))
    assert len(found.refused) == 1
