"""Whatever the model asks and says, there is a report, and people are asked what code alone asks."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import JsonValue

from agent.finding import Finding
from agent.investigation import investigate_incident
from agent.llm.openai_chat import Endpoint, OpenAIChat
from agent.llm.port import Llm
from evals.fake_openai import (
    Reply,
    answering,
    completion,
    fake_openai,
    message,
    said_by,
    tool_call,
)
from ledger.reader import Reader
from ledger.scope import Scope
from tests.model_runs import (
    CULPRIT,
    FINDING,
    KEY,
    LOOK,
    RIGHT,
    Books,
    Clock,
    Mode,
    assert_holds,
    assert_same,
    call,
    deps_of,
    forget_proxies,
    gzipped,
    never_the_same,
    plain_finding,
    stormy_reader,
    subject_of,
    submit,
    then_right,
)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_proxies(monkeypatch)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return stormy_reader()


@pytest.fixture(scope="module")
def plain(reader: Reader) -> Finding:
    return plain_finding(reader)


WINDOWS: dict[str, dict[str, JsonValue]] = {
    "year 1": {"start_at": "0001-01-01T00:00Z", "end_at": "0001-01-02T00:00Z"},
    "before year 1": {"start_at": "0001-01-01T00:00+14:00", "end_at": "0001-01-01T03:00Z"},
    "year 9999": {"start_at": "9999-12-30T00:00Z", "end_at": "9999-12-31T23:00Z"},
    "after year 9999": {"start_at": "9999-12-31T22:00Z", "end_at": "9999-12-31T23:00-12:00"},
    "ten years": {"start_at": "2016-11-01T00:00Z", "end_at": "2026-11-01T00:00Z"},
    "end before start": {"start_at": "2026-11-02T00:00Z", "end_at": "2026-11-01T00:00Z"},
    "nothing": {"start_at": "2026-11-02T00:00Z", "end_at": "2026-11-02T00:00Z"},
    "within an hour": {"start_at": "2026-11-02T00:10Z", "end_at": "2026-11-02T00:50Z"},
    "naive": {"start_at": "2026-11-02T00:00", "end_at": "2026-11-03T00:00"},
    "a date": {"start_at": "2026-11-02", "end_at": "2026-11-03"},
    "a number": {"start_at": 10**30, "end_at": -5},
    "another offset": {"start_at": "2026-11-02T00:30+05:30", "end_at": "2026-11-03T00:30+05:45"},
    "before the ledger": {"start_at": "2020-01-01T00:00Z", "end_at": "2020-01-02T00:00Z"},
    "after the ledger": {"start_at": "2030-01-01T00:00Z", "end_at": "2030-01-02T00:00Z"},
    "only a start": {"start_at": "2026-12-01T00:00Z"},
}
WINDOWED = (
    "compare", "hourly_series", "earlier_weeks", "effects", "slices", "key_activity", "switchers",
    "price_changes", "changes",
)  # fmt: skip


@pytest.mark.parametrize("window", WINDOWS)
def test_an_absurd_window_is_refused_or_answered_and_the_talk_goes_on(
    window: str, reader: Reader, plain: Finding
) -> None:
    asked = completion(None, *[(name, WINDOWS[window]) for name in WINDOWED])
    _, server = assert_holds(then_right(asked), reader, plain)
    assert len(said_by(server.asked[-1].document, "tool")) == len(WINDOWED)


ODD_CALLS: dict[str, Sequence[tuple[str, JsonValue]]] = {
    "an unknown tool": [("delete_everything", {})],
    "a tool with a prefix": [("functions.breakdown", {"by": ["model"]})],
    "a name with control characters": [("mix\n\x00\x1b[31m", {})],
    "no name": [("", {})],
    "a long name": [("x" * 5000, {})],
    "a name in another script": [("検索", {})],
    "no JSON": [("compare", "not json {")],
    "truncated JSON": [("compare", '{"where": {"team": "sea')],
    "a list": [("compare", "[1, 2]")],
    "null": [("compare", "null")],
    "no arguments": [("compare", "")],
    "not a number": [("simulate", '{"price_ratio": NaN}')],
    "an infinite number": [("simulate", '{"max_usd_per_day": 1e999}')],
    "an absurd number": [("simulate", '{"tokens_per_minute": ' + "9" * 4000 + "}")],
    "a huge limit": [("simulate", {"max_usd_per_day": "1e300"}), ("simulate", {"tokens_per_minute": 10**18})],
    "deep nesting": [("compare", '{"where":' * 3000 + "1" + "}" * 3000)],
    "half a character": [("compare", '{"where": {"team": "\\ud800"}}')],
    "a null byte": [("compare", {"where": {"team": "a\x00b"}})],
    "wrong types": [("breakdown", {"by": "model", "limit": "many"}), ("mix", {"dimension": 5})],
    "unknown arguments": [("compare", {"sql": "drop table usage"})],
    "an unknown dimension": [("compare", {"where": {"planet": "mars"}})],
    "an empty value": [("compare", {"where": {"team": ""}})],
    "a value that is code": [("compare", {"where": {"team": "'; drop table usage; --"}})],
    "a megabyte": [("compare", {"where": {"team": "x" * 1_000_000}})],
    "two measures": [("simulate", {"block": True, "price_ratio": 0.5})],
    "no measure": [("simulate", {})],
    "the same dimension twice": [("breakdown", {"by": ["team", "team"]})],
    "no history": [("past_incidents", {})],
    "the same thrice in a turn": [("breakdown", {"by": ["team"]})] * 3,
    "sixteen at once": [("breakdown", {"by": ["team"], "limit": i + 1}) for i in range(16)],
    "fifty at once": [("breakdown", {"by": ["team"], "limit": i % 20 + 1}) for i in range(50)],
}


@pytest.mark.parametrize("mode", ODD_CALLS)
def test_an_odd_call_is_told_what_is_wrong_and_the_talk_goes_on(
    mode: str, reader: Reader, plain: Finding
) -> None:
    _, server = assert_holds(then_right(completion("Hm.", *ODD_CALLS[mode])), reader, plain)
    assert said_by(server.asked[-1].document, "tool")


def test_calls_without_ids_or_with_the_same_are_answered_one_by_one(reader: Reader, plain: Finding) -> None:
    made = [
        tool_call("compare", {}, ""),
        tool_call("mix", {"dimension": "model"}, ""),
        tool_call("slices", {}),
    ]
    _, server = assert_holds(then_right(answering(message(None, *made))), reader, plain)
    assert len(said_by(server.asked[-1].document, "tool")) == 3


UNENDING = {
    "the same call again and again": Mode(LOOK, "could not be used twice"),
    "other calls for ever": Mode(never_the_same, "could not be used twice"),
    "sixteen calls for ever": Mode(completion(None, *[("compare", {})] * 16), "could not be used twice"),
    "only text": Mode(completion("I think it is the weather."), "could not be used twice", 2),
    "nothing at all": Mode(completion(None), "could not be used twice", 2),
    "blanks": Mode(completion(" \n "), "could not be used twice", 2),
    "a refusal": Mode(answering(message() | {"refusal": "No."}), "could not be used twice", 2),
    "filtered": Mode(completion(None, finish="content_filter"), "could not be used twice", 2),
    "cut at the limit of tokens": Mode(
        completion('{"culprits": [{"scope"', finish="length"), "could not be used twice", 2
    ),
    "cut calls": Mode(
        completion(None, ("submit_finding", '{"culprits": [{"sc'), finish="length"), "it was no finding", 2
    ),
    "a megabyte of text": Mode(completion("x " * 500_000), "could not be used twice", 2),
    "a thousand braces": Mode(completion("{" * 100_000), "could not be used twice", 2),
    "deep JSON": Mode(completion('{"culprits":' * 9000), "could not be used twice", 2),
    "an unknown tool for ever": Mode(call("think_harder", {}), "could not be used twice"),
}


@pytest.mark.parametrize("mode", UNENDING)
def test_a_model_that_never_comes_to_an_end_is_ended(mode: str, reader: Reader, plain: Finding) -> None:
    assert_holds(UNENDING[mode], reader, plain)


BAD_FINDINGS: dict[str, Reply] = {
    "an empty object": call("submit_finding", {}),
    "a list": call("submit_finding", "[]"),
    "null": call("submit_finding", "null"),
    "no culprits": submit(culprits=[]),
    "an unknown cause": submit(culprits=[{"scope": {}, "cause": "aliens"}]),
    "a cause that is a list": submit(culprits=[{"scope": {}, "cause": ["retry_storm"]}]),
    "a harmless cause": submit(culprits=[{"scope": {}, "cause": "normal_variation"}]),
    "unknown": submit(culprits=[{"scope": {}, "cause": "unknown"}]),
    "a cause the evidence speaks against": submit(culprits=[{"scope": {}, "cause": "price_change"}]),
    "a key that does not exist": submit(culprits=[{"scope": {"key_id": "k9"}, "cause": "key_leak"}]),
    "one right and one invented": submit(
        culprits=[CULPRIT, {"scope": {"key_id": "k9", "region": "mars"}, "cause": "key_leak"}]
    ),
    "a key that did nothing": submit(culprits=[{"scope": {"key_id": "k2"}, "cause": "key_leak"}]),
    "an unknown dimension": submit(culprits=[{"scope": {"planet": "mars"}, "cause": "key_leak"}]),
    "an empty value": submit(culprits=[{"scope": {"team": ""}, "cause": "retry_storm"}]),
    "a hundred culprits": submit(culprits=[CULPRIT] * 100),
    "a hundred reasons": submit(reasons=["Spend rose by {E1.delta_usd}."] * 100),
    "no reasons": submit(reasons=[]),
    "reasons without evidence": submit(reasons=["I am sure.", "Everybody knows it."]),
    "reasons with invented numbers": submit(reasons=["Spend rose by $9,999,999.99 on Mars."]),
    "references to nothing": submit(reasons=["Spend rose by {E99.delta_usd}.", "{E1.rows.999.usd}", "{}"]),
    "a megabyte of summary": submit(summary="x" * 1_000_000),
    "an unknown field": submit(verdict="benign", confidence=1.0),
    "unknown fields with odd names": submit(**{"\n# Pay\x1b[31m" + "x" * 20_000: 1}),
    "an unknown field of half a character": submit(**{"\ud800": 2}),
    "prose that would like to be more": submit(
        reasons=[
            "Key \x1b[31mevil\n# Pay at https://evil.example now" + "!" * 300,
            "<b>It cost 7,777</b> |\r\n",
        ]
    ),
    "half a character": submit(summary="Retries \ud800."),
    "half a character in a reason": submit(reasons=["Spend rose by {E1.delta_usd} \udfff."]),
    "an unknown action": submit(actions=[{"action": "delete_account", "scope": {}}]),
    "not a number": call("submit_finding", '{"culprits": NaN}'),
    "text beside it": completion("Done!", ("submit_finding", '{"culprits": 1}')),
    "nonsense twice in a turn": completion(None, ("submit_finding", {}), ("submit_finding", {})),
}


@pytest.mark.parametrize("mode", BAD_FINDINGS)
def test_a_finding_that_does_not_hold_is_corrected_once(mode: str, reader: Reader, plain: Finding) -> None:
    assert_holds(then_right(BAD_FINDINGS[mode]), reader, plain)


@pytest.mark.parametrize("mode", BAD_FINDINGS)
def test_a_finding_that_does_not_hold_twice_is_left(mode: str, reader: Reader, plain: Finding) -> None:
    assert_holds(Mode(BAD_FINDINGS[mode], "could not be used twice", 2), reader, plain)


GOOD_FINDINGS: dict[str, Reply] = {
    "at once": RIGHT,
    "with calls beside it": completion(None, ("compare", {}), ("submit_finding", FINDING), ("mix", {})),
    "twice in a turn": completion(None, ("submit_finding", FINDING), ("submit_finding", {})),
    "as text": completion(json.dumps(FINDING)),
    "in a fence": completion(f"Here it is:\n```json\n{json.dumps(FINDING)}\n```\nBye."),
    "wrapped": completion(json.dumps({"submit_finding": FINDING})),
    "with an object for arguments": answering(
        {"tool_calls": [{"id": "a", "function": {"name": "submit_finding", "arguments": FINDING}}]}
    ),
    "without usage": answering(message(json.dumps(FINDING)), usage={}),
    "packed": gzipped(RIGHT.body),
    "for everything": submit(culprits=[{"scope": {}, "cause": "retry_storm"}]),
    "with a reason that is one text": submit(reasons="Spend rose by {E1.delta_usd}."),
    "with actions of its own": submit(
        actions=[{"action": "revoke_key", "scope": {"key_id": "k1"}}, {"action": "block_key", "scope": {}}]
    ),
    "with sentences that are not backed": submit(
        summary="It cost $5,000,000.", open_questions=["Was it 77?"]
    ),
}


@pytest.mark.parametrize("mode", GOOD_FINDINGS)
def test_a_finding_that_holds_is_taken(mode: str, reader: Reader, plain: Finding) -> None:
    assert_holds(replace(then_right(), driver=GOOD_FINDINGS[mode]), reader, plain)


def test_a_culprit_outside_the_question_is_none(reader: Reader) -> None:
    within = subject_of(Scope.parse(["team=ads"]))
    alone = investigate_incident(within, deps_of(reader), InMemorySaver()).finding
    foreign = submit(culprits=[{"scope": {"team": "search"}, "cause": "retry_storm"}])
    with fake_openai(foreign) as server:
        llm = Llm(OpenAIChat(Endpoint(server.base_url, "fake-1", KEY)), Books(), Clock())
        found = investigate_incident(within, deps_of(reader, llm), InMemorySaver()).finding
    assert_same(found, alone)
    assert "outside the incident" in " ".join(found.degraded_because)


def test_what_was_asked_before_is_not_run_again(reader: Reader, plain: Finding) -> None:
    found, server = assert_holds(then_right(LOOK, LOOK, LOOK), reader, plain)
    assert len({e.id for e in found.evidence}) == len(found.evidence)
    assert sum("exactly this before" in t for t in said_by(server.asked[-1].document, "tool")) == 2
