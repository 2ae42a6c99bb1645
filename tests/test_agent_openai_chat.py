"""The adapter to Chat Completions over real sockets: a right answer, or one plain line in good time."""

import gzip
import re
import socket
import time
from dataclasses import dataclass, replace

import pytest
from pydantic import JsonValue

from agent.dialogue.asking import OFFERED
from agent.llm.openai_chat import Endpoint, OpenAIChat
from agent.llm.port import CallUsage, Completion, Message, ModelError, ToolCall, ToolSpec
from evals.fake_openai import (
    Drip,
    Driver,
    Reply,
    answering,
    completion,
    fake_openai,
    in_turn,
    json_reply,
    message,
    refusal,
    tool_call,
)
from ledger.errors import RefusedError

KEY = "sk-secret-0123456789"
ASKED = (Message(role="system", content="You look."), Message(role="user", content="Why?"))
TOOLS = (ToolSpec("mix", "How usage is mixed.", {"type": "object", "properties": {}}),)
FINE = completion("Because.")
SLACK_S = 1.5
"""Beyond the limit, for a busy machine."""


@pytest.fixture(autouse=True)
def _no_way_but_the_direct_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment must neither be needed nor used on loopback."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


def ask(url: str, *, seconds: float = 2.0, retries: int = 0) -> Completion:
    model = OpenAIChat(Endpoint(base_url=url, model="fake-1", api_key=KEY, retries=retries))
    return model.complete(ASKED, TOOLS, max_output_tokens=100, seconds=seconds)


def fault(url: str, *, seconds: float = 2.0, retries: int = 0) -> ModelError:
    """How asking fails: in time, on one printable line, without the key."""
    began = time.monotonic()
    with pytest.raises(ModelError) as failed:
        ask(url, seconds=seconds, retries=retries)
    assert time.monotonic() - began < seconds + SLACK_S
    told = str(failed.value)
    assert told.isprintable()
    assert 0 < len(told) < 400
    assert KEY not in told
    return failed.value


def answered(driver: Driver | Reply, *, retries: int = 0) -> Completion:
    with fake_openai(driver) as server:
        found = ask(server.base_url, retries=retries)
    assert server.faults == []
    return found


def raw(body: bytes, content_type: str | None = "application/json") -> Reply:
    return Reply(body, content_type=content_type)


def test_a_right_answer_is_read_and_the_request_is_one_a_strict_server_takes() -> None:
    with fake_openai(completion("Look.", ("breakdown", {"by": ["model"]}))) as server:
        found = ask(server.base_url)
    assert found == Completion(
        text="Look.",
        tool_calls=(ToolCall(id="call_0", name="breakdown", arguments='{"by": ["model"]}'),),
        usage=CallUsage(input_tokens=1000, output_tokens=50),
    )
    assert server.faults == []
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_every_tool_of_an_investigation_is_one_a_strict_server_takes() -> None:
    with fake_openai(FINE) as server:
        model = OpenAIChat(Endpoint(server.base_url, "fake-1", KEY, retries=0))
        model.complete(ASKED, OFFERED, max_output_tokens=100, seconds=2)


@dataclass(frozen=True, slots=True)
class Wrong:
    """An answer of no use, and what is said of it."""

    reply: Reply
    told: str
    retryable: bool = False
    seconds: float = 2.0


def _gzipped(plain: bytes) -> Reply:
    packed = Reply(gzip.compress(plain), headers=(("Content-Encoding", "gzip"),))
    return replace(packed, content_type="application/json")


BOMB = gzip.compress(b'{"choices": "' + b"x" * 300_000_000 + b'"}', 1)
WHOLE = len(FINE.body)

WRONG = {
    "closed before the answer": Wrong(replace(FINE, cut_after=0), "no whole answer", True),
    "closed within the headers": Wrong(replace(FINE, cut_after=30), "no whole answer", True),
    "closed within the body": Wrong(replace(FINE, cut_after=200), "no whole answer", True),
    "no HTTP at all": Wrong(replace(FINE, headers=(("bad header\x00", "x"),)), "no whole answer", True),
    "silent": Wrong(replace(FINE, delay_s=5), "no answer within", True, 0.4),
    "dripping body": Wrong(replace(FINE, drip=Drip(1, 0.1)), "no answer within", True, 0.5),
    "dripping headers": Wrong(replace(FINE, drip=Drip(1, 0.1, headers_too=True)), "no answer", True, 0.5),
    "a drip just within the time of each read": Wrong(
        replace(FINE, drip=Drip(40, 0.45)), "no answer", True, 0.5
    ),
    "HTML with 200": Wrong(raw(b"<html>Welcome</html>", "text/html"), "'text/html'"),
    "HTML with 502": Wrong(Reply(b"<h1>Bad\nGateway</h1>", 502, "text/html"), "status 502", True),
    "plain text": Wrong(raw(b"hello", "text/plain"), "'text/plain'"),
    "no content type": Wrong(raw(FINE.body, None), "'nothing'"),
    "empty body": Wrong(raw(b""), "0 bytes is no complete JSON", True),
    "truncated JSON": Wrong(raw(FINE.body[:-20]), "is no complete JSON", True),
    "a list": Wrong(json_reply([]), "no chat completion"),
    "a text": Wrong(json_reply("x"), "no chat completion"),
    "null": Wrong(json_reply(None), "no chat completion"),
    "an empty object": Wrong(json_reply({}), "choices"),
    "no choices": Wrong(json_reply({"choices": []}), "choices"),
    "choices null": Wrong(json_reply({"choices": None}), "choices"),
    "message null": Wrong(json_reply({"choices": [{"message": None}]}), "choices.0.message"),
    "message missing": Wrong(json_reply({"choices": [{}]}), "choices.0.message"),
    "content a number": Wrong(answering({"content": 7}), "content"),
    "calls a text": Wrong(answering({"content": None, "tool_calls": "breakdown"}), "tool_calls"),
    "a call without a name": Wrong(answering({"tool_calls": [{"function": {}}]}), "name"),
    "an error with 200": Wrong(json_reply({"error": {"message": "overloaded"}}), "no chat completion"),
    "invalid UTF-8": Wrong(raw(b'{"choices": "\xff\xfe\xfa"}'), "no complete JSON", True),
    "deep nesting": Wrong(raw(b"[" * 100_000), "no complete JSON", True),
    "a number of 5000 digits": Wrong(raw(b'{"choices": ' + b"9" * 5000 + b"}"), "no complete JSON", True),
    "5 MB": Wrong(raw(b'{"choices": "' + b"x" * 5_000_000 + b'"}'), "larger than", True),
    "a gzip bomb": Wrong(replace(raw(BOMB), headers=(("Content-Encoding", "gzip"),)), "larger than", True),
    "no gzip though it says so": Wrong(
        replace(FINE, headers=(("Content-Encoding", "gzip"),)), "no gzip", True
    ),
    "gzip cut off": Wrong(replace(_gzipped(FINE.body), body=gzip.compress(FINE.body)[:60]), "cut off", True),
    "gzip within gzip": Wrong(
        replace(raw(gzip.compress(BOMB)), headers=(("Content-Encoding", "gzip, gzip"),)), "gzip, gzip", True
    ),
    "401": Wrong(refusal(401, "Incorrect API key"), "status 401: .*Incorrect"),
    "403": Wrong(refusal(403, "Country not supported"), "status 403"),
    "404": Wrong(refusal(404, "The model fake-1 does not exist"), "status 404"),
    "too long a context": Wrong(
        refusal(400, "maximum context length is 8192 tokens", code="context_length_exceeded"),
        "status 400: .*8192",
    ),
    "a spent quota": Wrong(refusal(429, "You exceeded your quota", code="insufficient_quota"), "status 429"),
    "a code that is no text": Wrong(refusal(429, "no", code={"a": []}), "status 429", True),
    "an error that is a list": Wrong(json_reply([["x"]], status=400), "status 400"),
    "an error of many lines": Wrong(Reply(b"a\r\n\x1b[31mb\n" * 900, 500, "text/plain"), "status 500", True),
    "a status nobody knows": Wrong(Reply(b"{}", 599), "status 599"),
    "a redirect to nowhere": Wrong(Reply(b"", 302), "status 302"),
    "our key in the error": Wrong(refusal(401, f"Incorrect key {KEY}."), r"\*\*\*"),
    "our key in the content type": Wrong(raw(b"x", f"text/{KEY}"), "'text/"),
}


@pytest.mark.parametrize("mode", WRONG)
def test_an_answer_of_no_use_is_one_plain_line_in_good_time(mode: str) -> None:
    wrong = WRONG[mode]
    with fake_openai(wrong.reply) as server:
        error = fault(server.base_url, seconds=wrong.seconds)
    assert error.retryable == wrong.retryable, str(error)
    assert re.search(wrong.told, str(error)), str(error)
    assert server.faults == []
    assert len(server.asked) == 1


def test_a_server_that_is_not_there_is_said_to_be() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    assert "not reachable" in str(fault(url))


def test_a_server_that_takes_connections_and_never_answers_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
        error = fault(f"http://127.0.0.1:{deaf.getsockname()[1]}/v1", seconds=0.4)
    assert "no answer within" in str(error)


def test_a_host_nobody_knows_is_a_plain_error() -> None:
    assert "not reachable" in str(fault("http://nowhere.invalid/v1"))


@pytest.mark.parametrize("url", ["", "nowhere", "http://", "http://[::1", "http://\x00/", "http://a:b:c/"])
def test_an_address_that_is_none_is_refused_before_anything_is_asked(url: str) -> None:
    with pytest.raises(RefusedError, match=r"llm\.base_url"):
        Endpoint(url, "fake-1", KEY)


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY} \x00", "sk-sécret-0123456789", f"\n{KEY}\r\nX: y"])
def test_a_key_no_header_can_hold_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(RefusedError) as refused:
        Endpoint("http://127.0.0.1:9/v1", "fake-1", key)
    assert "0123456789" not in str(refused.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed_and_the_key_goes_nowhere_else(status: int) -> None:
    with fake_openai(FINE) as other:
        elsewhere = Reply(b"", status, headers=(("Location", f"{other.base_url}/chat/completions"),))
        with fake_openai(elsewhere) as server:
            error = fault(server.base_url)
    assert f"status {status}" in str(error)
    assert other.asked == []


RIGHT: dict[str, tuple[Reply, Completion]] = {
    "gzip": (_gzipped(FINE.body), Completion(text="Because.")),
    "text in parts": (
        answering({"content": [{"type": "text", "text": "Be"}, {"type": "text", "text": "cause."}]}),
        Completion(text="Because."),
    ),
    "no content": (answering({"role": "assistant"}), Completion()),
    "an unknown finish": (completion("Because.", finish="whatever"), Completion(text="Because.")),
    "cut at the limit": (completion("Beca", finish="length"), Completion(text="Beca", cut=True)),
    "filtered": (completion(None, finish="content_filter"), Completion()),
    "refused": (answering(message() | {"refusal": "I will not."}), Completion()),
    "calls null": (answering(message("Because.") | {"tool_calls": None}), Completion(text="Because.")),
    "a call without an id": (
        answering({"tool_calls": [{"function": {"name": "mix", "arguments": "{}"}}]}),
        Completion(tool_calls=(ToolCall(id="call_0", name="mix", arguments="{}"),)),
    ),
    "arguments that are an object": (
        answering({"tool_calls": [{"id": "a", "function": {"name": "mix", "arguments": {"b": 1}}}]}),
        Completion(tool_calls=(ToolCall(id="a", name="mix", arguments='{"b": 1}'),)),
    ),
    "arguments null": (
        answering({"tool_calls": [{"id": "a", "function": {"name": "mix", "arguments": None}}]}),
        Completion(tool_calls=(ToolCall(id="a", name="mix", arguments="{}"),)),
    ),
    "fields of other servers": (
        answering(message("Because.") | {"reasoning_content": "hm", "annotations": [], "audio": None}),
        Completion(text="Because."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("mode", RIGHT)
def test_an_odd_but_right_answer_is_read(mode: str) -> None:
    reply, expected = RIGHT[mode]
    found = answered(reply)
    assert found == expected.model_copy(update={"usage": found.usage})
    assert found.usage == CallUsage(input_tokens=1000, output_tokens=50)


def test_of_fifty_calls_sixteen_are_read() -> None:
    found = answered(completion(None, *[("mix", {})] * 50))
    assert len(found.tool_calls) == 16


def test_names_and_ids_are_cut_and_megabytes_of_text_too() -> None:
    calls = tool_call("x" * 1000, '{"a": "' + "y" * 100_000 + '"}', "i" * 1000)
    found = answered(answering(message("z" * 1_000_000, calls)))
    (call,) = found.tool_calls
    assert (len(call.id), len(call.name)) == (64, 64)
    assert max(len(call.arguments), len(found.text)) <= 40_000


COUNTED: dict[str, tuple[JsonValue, CallUsage]] = {
    "cached": (
        {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
        CallUsage(input_tokens=6, cache_read_tokens=4, output_tokens=2),
    ),
    "more cached than sent": (
        {"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 40}},
        CallUsage(cache_read_tokens=10, output_tokens=2),
    ),
    "reasoning": (
        {"prompt_tokens": 1, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}},
        CallUsage(input_tokens=1, output_tokens=9, reasoning_tokens=7),
    ),
    "more reasoning than output": (
        {"prompt_tokens": 1, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 70}},
        CallUsage(input_tokens=1, output_tokens=9, reasoning_tokens=9),
    ),
    "details null": (
        {"prompt_tokens": 1, "completion_tokens": 9, "prompt_tokens_details": None},
        CallUsage(input_tokens=1, output_tokens=9),
    ),
    "numbers as text": (
        {"prompt_tokens": "1", "completion_tokens": "9"},
        CallUsage(input_tokens=1, output_tokens=9),
    ),
}  # fmt: skip


@pytest.mark.parametrize("mode", COUNTED)
def test_tokens_are_counted_by_disjoint_class(mode: str) -> None:
    told, expected = COUNTED[mode]
    assert answered(answering(message("Because."), usage=told)).usage == expected


@pytest.mark.parametrize(
    "usage",
    [
        "many", [], {"prompt_tokens": 1}, {"prompt_tokens": None, "completion_tokens": None},
        {"prompt_tokens": -1, "completion_tokens": 5}, {"prompt_tokens": 1e30, "completion_tokens": 5},
        {"prompt_tokens": 1.5, "completion_tokens": 5}, {"prompt_tokens": "a few", "completion_tokens": 5},
        {"prompt_tokens": 10**12, "completion_tokens": 5}, {"prompt_tokens": {}, "completion_tokens": 5},
    ],
)  # fmt: skip
def test_a_usage_that_makes_no_sense_is_estimated_rather_too_high(usage: JsonValue) -> None:
    found = answered(answering(message("Because."), usage=usage)).usage
    assert found.estimated
    assert 50 < found.input_tokens < 200
    assert 0 < found.output_tokens < 20


def test_halves_of_characters_become_question_marks() -> None:
    body = b'{"choices": [{"message": {"content": "a\\ud800b"}}]}'
    assert answered(raw(body)).text == "a?b"


def test_a_name_with_control_characters_is_read_as_it_is() -> None:
    (call,) = answered(completion(None, ("mix\n\x00\x1b[31m", {}))).tool_calls
    assert call.name == "mix\n\x00\x1b[31m"


WAITS = {
    "a short wait": ("0.05", 1, 0.0),
    "no wait": ("0", 1, 0.0),
    "a negative wait": ("-5", 1, 0.0),
    "a date": ("Sun, 22 Nov 2026 14:00:00 GMT", 1, 0.4),
    "nonsense": ("soon", 1, 0.4),
    "no number": ("nan", 1, 0.0),
    "a long wait": ("3600", 0, 0.0),
    "an absurd wait": ("1e400", 0, 0.0),
}


@pytest.mark.parametrize("mode", WAITS)
def test_a_server_that_asks_to_wait_is_asked_again_where_there_is_time(mode: str) -> None:
    header, again, least_s = WAITS[mode]
    busy = refusal(429, "Rate limit", headers={"Retry-After": header})
    began = time.monotonic()
    with fake_openai(in_turn(busy, FINE)) as server:
        if again:
            assert ask(server.base_url, seconds=3, retries=1).text == "Because."
        else:
            assert "status 429" in str(fault(server.base_url, seconds=3, retries=1))
    assert len(server.asked) == 1 + again
    assert least_s <= time.monotonic() - began < SLACK_S


def test_a_spent_quota_and_a_wrong_key_are_not_asked_again() -> None:
    for reply in (
        refusal(429, "quota", code="insufficient_quota"),
        refusal(401, "key"),
        refusal(400, "long"),
    ):
        with fake_openai(reply) as server:
            fault(server.base_url, retries=3)
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "first",
    [
        refusal(500, "oops"), refusal(503, "busy"), Reply(b"<html>", 502, "text/html"), refusal(529, "full"),
        replace(FINE, cut_after=0), replace(FINE, cut_after=200), raw(FINE.body[:-9]), refusal(408, "slow"),
    ],
)  # fmt: skip
def test_what_may_pass_is_asked_again(first: Reply) -> None:
    with fake_openai(in_turn(first, FINE)) as server:
        assert ask(server.base_url, retries=1).text == "Because."
    assert len(server.asked) == 2


def test_a_server_that_is_always_busy_is_asked_as_often_as_configured() -> None:
    busy = refusal(503, "busy", headers={"Retry-After": "0.01"})
    with fake_openai(busy) as server:
        assert "status 503" in str(fault(server.base_url, retries=4))
    assert len(server.asked) == 5


def test_all_attempts_together_keep_the_time() -> None:
    with fake_openai(replace(FINE, delay_s=5)) as server:
        fault(server.base_url, seconds=0.6, retries=10)
    assert len(server.asked) <= 2


def test_one_slow_request_does_not_take_the_time_of_all() -> None:
    with fake_openai(in_turn(replace(FINE, delay_s=5), FINE)) as server:
        endpoint = Endpoint(server.base_url, "fake-1", KEY, request_seconds=0.3, retries=1)
        found = OpenAIChat(endpoint).complete(ASKED, TOOLS, max_output_tokens=100, seconds=5)
    assert found.text == "Because."


def test_without_tools_none_are_offered() -> None:
    with fake_openai(FINE) as server:
        model = OpenAIChat(Endpoint(server.base_url, "fake-1", KEY))
        model.complete(ASKED, (), max_output_tokens=100, seconds=2)
    assert "tools" not in server.asked[0].document
    assert server.faults == []


def test_neither_the_endpoint_nor_the_adapter_shows_the_key() -> None:
    endpoint = Endpoint("http://127.0.0.1:9/v1", "fake-1", KEY)
    assert KEY not in f"{endpoint!r} {OpenAIChat(endpoint)!r} {OpenAIChat(endpoint).__dict__!r}"


def test_nothing_that_is_logged_shows_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with fake_openai(in_turn(refusal(500, f"not {KEY}"), FINE)) as server:
        ask(server.base_url, retries=1)
    assert "asking again" in caplog.text
    assert KEY not in caplog.text
