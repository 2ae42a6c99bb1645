"""How a finding is read from what a model writes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialogue.submission import SUBMIT, SUBMIT_SPEC, UnreadableError, read_submission
from agent.llm.port import Message, ToolCall
from ledger.scope import Scope

FINDING = {
    "culprits": [{"scope": {"key_id": "k1"}, "cause": "retry_storm"}],
    "summary": "It retries.",
    "reasons": ["Retries rose {E1.retries_usd}."],
}


def _called(arguments: str) -> Message:
    return Message(role="assistant", tool_calls=(ToolCall(id="c", name=SUBMIT, arguments=arguments),))


def _said(text: str) -> Message:
    return Message(role="assistant", content=text)


def test_a_call_carries_the_finding() -> None:
    found = read_submission(_called(json.dumps(FINDING)))
    assert found.culprits[0].as_scope() == Scope.parse(["key_id=k1"])


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(FINDING),
        f"```json\n{json.dumps(FINDING)}\n```",
        f"As {{E1.usd}} shows: {json.dumps({SUBMIT: FINDING})} That is all.",
        f"<think>{{maybe}}</think>{json.dumps({'arguments': FINDING})}",
    ],
)
def test_plain_text_may_carry_it_too(text: str) -> None:
    assert read_submission(_said(text)).summary == "It retries."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no finding"),
        ("The key retries.", "no finding"),
        ("{}", "no finding"),
        ("[1, 2]", "no finding"),
        (json.dumps({**FINDING, "culprits": []}), "culprits: Tuple should have at least 1 item"),
        (json.dumps({**FINDING, "confidence": 1}), "confidence: Extra inputs"),
        (json.dumps({**FINDING, "culprits": [{"cause": "magic"}]}), "culprits.0.cause: Input should be"),
        (json.dumps({**FINDING, "culprits": [{"scope": {"server": "x"}, "cause": "unknown"}]}), "server"),
    ],
)
def test_what_is_no_finding_is_told(text: str, told: str) -> None:
    with pytest.raises(UnreadableError) as error:
        read_submission(_said(text))
    assert told in str(error.value)


def test_one_reason_needs_no_list() -> None:
    assert read_submission(_said(json.dumps({**FINDING, "reasons": "One."}))).reasons == ("One.",)


@given(st.text(max_size=200))
def test_any_text_is_a_finding_or_told_as_none(text: str) -> None:
    for message in (_called(text), _said(text)):
        with pytest.raises(UnreadableError):
            read_submission(message)


def test_the_schema_has_no_references_to_follow() -> None:
    text = json.dumps(SUBMIT_SPEC.parameters)
    assert "$ref" not in text
    assert "retry_storm" in text
