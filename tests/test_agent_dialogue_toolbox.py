"""The tools as the model calls them: checked arguments, bounded windows, nothing outside the question."""

import json
from dataclasses import replace
from functools import cache

import pytest
from pydantic import JsonValue

from agent.dialogue.toolbox import TOOLBOX, Desk, ToolCallError, prepared
from agent.evidence import Evidence
from agent.llm.port import ToolCall
from ledger.remembered import remembering
from ledger.scope import Scope
from tests.ledger_builder import Cell, LedgerBuilder, span

DAY = span(30)
BREAKDOWN: dict[str, JsonValue] = {"by": ["team"]}


@cache
def _desk() -> Desk:
    ledger = LedgerBuilder().run(Cell(), days=35).run(Cell(key_id="k2", team="ads"), days=35)
    return Desk(remembering(ledger.reader()), DAY)


def _asked(name: str, /, **arguments: JsonValue) -> Evidence:
    return prepared(_desk(), ToolCall(id="c", name=name, arguments=json.dumps(arguments))).answer()


def _refusal(name: str, text: str, desk: Desk | None = None) -> str:
    with pytest.raises(ToolCallError) as error:
        prepared(desk or _desk(), ToolCall(id="c", name=name, arguments=text))
    return str(error.value)


NEEDED: dict[str, dict[str, JsonValue]] = {
    "breakdown": BREAKDOWN, "mix": {"dimension": "model"}, "onset": {"lead": "volume"},
    "simulate": {"block": True},
}  # fmt: skip


@pytest.mark.parametrize("name", [t.name for t in TOOLBOX if t.name != "past_incidents"])
def test_every_tool_answers_about_the_incident_by_default(name: str) -> None:
    found = _asked(name, **NEEDED.get(name, {}))
    assert found.status in ("ok", "no_data")
    assert name == "simulate" or found.window == DAY


@pytest.mark.parametrize("tool", TOOLBOX, ids=lambda t: t.name)
def test_every_tool_tells_the_model_what_it_answers(tool: object) -> None:
    spec = tool.spec  # type: ignore[attr-defined]
    assert len(spec.description) > 100
    assert spec.parameters["type"] == "object"
    assert len(json.dumps(dict(spec.parameters))) < 900


def test_other_hours_and_scopes_can_be_asked_about() -> None:
    start, end = "2026-10-02T00:00:00Z", "2026-10-03T00:00:00Z"
    found = _asked("compare", where={"team": "ads"}, start_at=start, end_at=end)
    assert found.window.as_json() == {"start_at": start, "end_at": end}
    assert found.where == Scope.parse(["team=ads"])


def test_the_same_question_has_the_same_id_however_it_is_written() -> None:
    begins = DAY.start_at.isoformat()
    assert (
        _asked("breakdown", **BREAKDOWN).id == _asked("breakdown", **BREAKDOWN, start_at=begins, limit=10).id
    )


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("drop_table", "{}", "there is no such tool; known are breakdown"),
        ("breakdown", "{}", "by: Field required"),
        ("breakdown", '{"by": []}', "by: List should have at least 1 item"),
        ("breakdown", '{"by": ["team", "model", "user"]}', "at most 2 items"),
        ("breakdown", '{"by": ["server"]}', "by.0: Input should be 'provider'"),
        ("breakdown", '{"by": ["team"], "limit": 9999}', "limit: Input should be less than or equal to 20"),
        ("compare", '{"where": {"team": ""}}', "where.team"),
        ("compare", '{"where": {"host": "x"}}', "where.host"),
        ("compare", '{"sql": "select 1"}', "sql: Extra inputs are not permitted"),
        ("compare", "not json", "Invalid JSON"),
        ("compare", "[1]", "arguments"),
        ("compare", '{"start_at": "2026-10-02"}', "has no time zone; write it with Z"),
        (
            "compare",
            '{"start_at": "2026-10-02T00:00Z", "end_at": "2026-10-01T00:00Z"}',
            "not after its start",
        ),
        ("compare", '{"start_at": "2020-01-01T00:00Z"}', "days are too many"),
        ("compare", '{"start_at": "0001-01-01T00:00:00+14:00"}', "beyond the calendar"),
        ("simulate", "{}", "give exactly one measure"),
        ("simulate", '{"block": true, "tokens_per_minute": 5}', "give exactly one measure"),
        ("simulate", '{"price_ratio": "NaN"}', "price_ratio"),
        ("simulate", '{"max_usd_per_day": -1}', "max_usd_per_day"),
        ("past_incidents", "{}", "no past incidents are kept here"),
    ],
)
def test_what_is_wrong_is_told(name: str, text: str, told: str) -> None:
    assert told in _refusal(name, text)


def test_nothing_outside_the_question_is_shown() -> None:
    desk = replace(_desk(), within=Scope.parse(["team=ads"]))
    assert "ask within it" in _refusal("compare", '{"where": {"team": "search"}}', desk)
    call = ToolCall(id="c", name="breakdown", arguments='{"by": ["key_id"]}')
    assert prepared(desk, call).answer().where == Scope.parse(["team=ads"])
