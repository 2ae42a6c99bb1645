"""Whatever the server of the model does, there is a report, and the finding is that of code alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from agent.finding import Finding
from agent.llm.port import Limits
from evals.fake_openai import (
    Document,
    Drip,
    Driver,
    FakeOpenAI,
    Reply,
    answering,
    fake_openai,
    in_turn,
    json_reply,
    message,
    refusal,
    tool_call,
)
from ledger.reader import Reader
from tests.cli_runner import contract_errors, run, run_json
from tests.model_runs import (
    KEY,
    LOOK,
    RIGHT,
    Books,
    Clock,
    Mode,
    assert_holds,
    assert_same,
    call,
    forget_proxies,
    gzipped,
    investigated,
    never_the_same,
    plain_finding,
    stormy_reader,
    write_ledger,
)
from tokensleuth.casebook import Casebook

JsonObject = dict[str, object]


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_proxies(monkeypatch)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return stormy_reader()


@pytest.fixture(scope="module")
def plain(reader: Reader) -> Finding:
    return plain_finding(reader)


DEAD = {
    "closed": (replace(RIGHT, cut_after=0), "no whole answer"),
    "closed within the headers": (replace(RIGHT, cut_after=40), "no whole answer"),
    "closed within the body": (replace(RIGHT, cut_after=300), "no whole answer"),
    "silent": (replace(RIGHT, delay_s=9), "no answer within"),
    "dripping": (replace(RIGHT, drip=Drip(3, 0.1)), "no answer within"),
    "HTML": (Reply(b"<html>Sign in</html>", content_type="text/html"), "text/html"),
    "HTML with 502": (Reply(b"<h1>Bad gateway</h1>", 502, "text/html"), "status 502"),
    "plain text": (Reply(b"ok", content_type="text/plain"), "text/plain"),
    "empty": (Reply(b""), "no complete JSON"),
    "truncated JSON": (Reply(RIGHT.body[:-30]), "no complete JSON"),
    "a list": (json_reply([]), "no chat completion"),
    "no choices": (json_reply({"choices": []}), "no chat completion"),
    "message null": (json_reply({"choices": [{"message": None}]}), "no chat completion"),
    "5 MB": (Reply(b" " * 5_000_000), "larger than"),
    "a gzip bomb": (gzipped(b" " * 200_000_000), "larger than"),
    "429": (refusal(429, "Rate limit reached"), "status 429"),
    "a spent quota": (refusal(429, "Quota", code="insufficient_quota"), "status 429"),
    "500": (refusal(500, "The server had an error"), "status 500"),
    "503": (refusal(503, "Overloaded"), "status 503"),
    "401 with our key": (refusal(401, f"Incorrect API key provided: {KEY}"), "status 401"),
    "403": (refusal(403, "Forbidden"), "status 403"),
    "404": (refusal(404, "No such model"), "status 404"),
    "too long a context": (refusal(400, "maximum context length is 1"), "status 400"),
    "a redirect": (Reply(b"", 307, headers=(("Location", "http://127.0.0.1:9/"),)), "status 307"),
    "an error with markup": (refusal(500, "# Pay [here](http://x)\n<script>" * 50), "status 500"),
}


@pytest.mark.parametrize("mode", DEAD)
def test_a_server_that_fails_at_once_leaves_the_finding_to_code(
    mode: str, reader: Reader, plain: Finding
) -> None:
    reply, because = DEAD[mode]
    assert_holds(Mode(reply, because, answered=0, request_seconds=0.3), reader, plain)


@pytest.mark.parametrize("mode", DEAD)
def test_a_server_that_fails_in_the_middle_leaves_the_finding_to_code(
    mode: str, reader: Reader, plain: Finding
) -> None:
    reply, because = DEAD[mode]
    broken = Mode(in_turn(LOOK, reply), because, answered=1, request_seconds=0.3)
    found, _ = assert_holds(broken, reader, plain)
    assert "breakdown" in {e.tool for e in found.evidence}


@pytest.mark.parametrize("answered", range(11))
def test_a_server_that_dies_after_so_many_answers_is_paid_for_these(
    answered: int, reader: Reader, plain: Finding
) -> None:
    turns = (
        call("hourly_series", {"where": {"team": "search"}, "metric": m}) for m in ("cost_usd", "requests")
    )
    looks = [*turns, *[LOOK] * 9][:answered]
    assert_holds(Mode(in_turn(*looks, replace(RIGHT, cut_after=0)), "no whole", answered), reader, plain)


def _limited(limits: Limits, because: str, answered: int | None) -> Mode:
    return Mode(never_the_same, because, answered, limits)


COSTLY = answering(
    message(None, tool_call("compare", {})), usage={"prompt_tokens": 25_000, "completion_tokens": 50}
)
LIMITED = {
    "one model call": _limited(Limits(model_calls=1), "1 model calls are made", 1),
    "two model calls": _limited(Limits(model_calls=2), "could not be used twice", 2),
    "three model calls": _limited(Limits(model_calls=3), "could not be used twice", 3),
    "no tool calls": _limited(Limits(tool_calls=0), "could not be used twice", 2),
    "one tool call": _limited(Limits(tool_calls=1), "could not be used twice", 3),
    "no tokens": _limited(Limits(tokens=1000), "beyond 1,000 tokens", 0),
    "few tokens": _limited(Limits(tokens=14_000), "could not be used twice", 2),
    "tokens spent": Mode(COSTLY, "beyond 30,000 tokens", 1, Limits(tokens=30_000)),
    "no dollars": _limited(Limits(usd=0), "could cost more than $0.00", 0),
    "few dollars": _limited(Limits(usd=0.02), "could not be used twice", 2),
    "dollars spent": Mode(COSTLY, "could cost more than $0.03", 1, Limits(usd=0.03)),
    "dollars of the day spent": Mode(COSTLY, "beyond today's $0.03", 1, Limits(usd_per_day=0.03)),
    "no dollars a day": _limited(Limits(usd_per_day=0), "today's $0.00", 0),
}


@pytest.mark.parametrize("mode", LIMITED)
def test_no_limit_is_passed_and_the_report_names_it(mode: str, reader: Reader, plain: Finding) -> None:
    limited = LIMITED[mode]
    found, _ = assert_holds(limited, reader, plain)
    assert found.finding.spent.tokens <= limited.limits.tokens
    assert found.finding.spent.cost_pico <= limited.limits.usd * 10**12


def test_what_other_investigations_spent_today_counts(reader: Reader, plain: Finding) -> None:
    mode = Mode(RIGHT, "today's", limits=Limits(usd_per_day=1))
    with fake_openai(RIGHT) as server:
        found = investigated(reader, server, mode, Books(spent_before_pico=10**12)).finding
    assert_same(found, plain)
    assert server.asked == []
    assert "today's $1.00" in found.degraded_because[0]


def test_an_investigation_that_takes_too_long_is_ended(reader: Reader, plain: Finding) -> None:
    clock = Clock()

    def slow(document: Document, number: int) -> Reply:
        clock.now += timedelta(seconds=70)
        return never_the_same(document, number)

    mode = Mode(slow, limits=Limits(seconds=180))
    with fake_openai(slow) as server:
        found = investigated(reader, server, mode, Books(), clock).finding
    assert_same(found, plain)
    assert found.degraded_because == ("180 seconds are over",)
    assert len(server.asked) == 3


def test_the_last_question_offers_no_tools_and_a_call_in_its_answer_is_not_run(
    reader: Reader, plain: Finding
) -> None:
    mode = Mode(never_the_same, "could not be used twice", 3, Limits(model_calls=3))
    found, server = assert_holds(mode, reader, plain)
    assert [("tools" in asked.document) for asked in server.asked] == [True, False, False]
    assert found.finding.spent.tool_calls == 1


def test_by_default_at_most_twelve_calls_and_twenty_four_tools(reader: Reader, plain: Finding) -> None:
    found, server = assert_holds(Mode(never_the_same, "twice", limits=Limits()), reader, plain)
    assert len(server.asked) <= 12
    assert found.finding.spent.tool_calls <= 24


def test_a_server_that_is_gone_leaves_the_finding_to_code(reader: Reader, plain: Finding) -> None:
    with fake_openai(RIGHT) as server:
        pass
    found = investigated(reader, server, Mode(RIGHT), Books()).finding
    assert_same(found, plain)
    assert "not reachable" in found.degraded_because[0]


@pytest.fixture(scope="module")
def ledger_file(reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "ledger.duckdb"
    write_ledger(reader, path)
    return path


@pytest.fixture
def home(ledger_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger of our own, and settings under which nothing is asked twice."""
    (tmp_path / "ledger.duckdb").write_bytes(ledger_file.read_bytes())
    settings = f'[store]\nledger = "{tmp_path}/ledger.duckdb"\n[llm]\nretries = 0\nrequest_seconds = 1\n'
    (tmp_path / "tokensleuth.toml").write_text(settings, "utf-8")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TOKENSLEUTH_LLM_MODEL", "gpt-4.1")
    monkeypatch.setenv("TOKENSLEUTH_LLM_API_KEY", KEY)
    return tmp_path


def command(
    home: Path, driver: Driver | Reply, monkeypatch: pytest.MonkeyPatch
) -> tuple[JsonObject, FakeOpenAI]:
    """The one incident that `investigate --json` prints, by a model behind this server."""
    with fake_openai(driver) as server:
        monkeypatch.setenv("TOKENSLEUTH_LLM_BASE_URL", server.base_url)
        ran = run_json("investigate", "2026-11-04", "--explain", "--config", home / "tokensleuth.toml")
    assert ran.exit_code == 0
    assert KEY not in ran.stdout + ran.stderr
    assert not list(contract_errors("investigate", ran.document))
    (incident,) = cast("list[JsonObject]", ran.document["incidents"])
    return incident, server


def test_the_command_takes_a_models_finding_and_says_what_it_cost(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident, server = command(home, in_turn(LOOK, RIGHT), monkeypatch)
    assert (incident["analyst"], incident["degraded"], incident["model"]) == ("llm", False, "gpt-4.1")
    assert incident["cost"] == {
        "llm_calls": 2, "input_tokens": 2000, "output_tokens": 100, "usd": "0.0048", "unpriced_calls": 0,
        "tool_calls": 1,
    }  # fmt: skip
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("mode", ["HTML", "429", "truncated JSON", "closed", "silent", "401 with our key"])
def test_the_command_reports_without_the_model_where_its_server_fails(
    mode: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply, because = DEAD[mode]
    incident, _ = command(home, in_turn(LOOK, reply), monkeypatch)
    assert (incident["analyst"], incident["cause"], incident["degraded"]) == (
        "deterministic",
        "retry_storm",
        True,
    )
    assert because in str(incident["degraded_because"])
    assert incident["proposals"]


def test_the_command_prints_a_servers_words_as_they_are(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_openai(refusal(500, "[/red] [link=https://evil.example]x # <b> `y`\x1b[2J\r\n[bold")) as server:
        monkeypatch.setenv("TOKENSLEUTH_LLM_BASE_URL", server.base_url)
        ran = run("investigate", "2026-11-04", "--explain", "--config", home / "tokensleuth.toml")
    assert ran.exit_code == 0
    assert "status 500" in ran.stdout
    assert "\x1b[2J" not in ran.stdout


def test_asked_again_the_command_has_one_incident_and_the_same_proposals(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = command(home, DEAD["503"][0], monkeypatch)
    second, _ = command(home, RIGHT, monkeypatch)
    with Casebook.open(f"sqlite:///{home}/ledger.casebook.sqlite") as casebook:
        pending = casebook.proposals("pending", now=datetime(2026, 11, 22, tzinfo=UTC))
        (incident,) = casebook.incidents(now=datetime(2026, 11, 22, tzinfo=UTC))
    assert proposal_ids(first) == proposal_ids(second) == proposal_ids(incident)
    assert len(pending) == len(proposal_ids(first)) > 0


def proposal_ids(incident: JsonObject) -> list[str]:
    return sorted(str(p["id"]) for p in cast("list[JsonObject]", incident["proposals"]))


def test_the_command_refuses_a_key_no_header_can_hold(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENSLEUTH_LLM_API_KEY", f"{KEY}\n")
    ran = run("investigate", "2026-11-04", "--explain", "--config", home / "tokensleuth.toml")
    assert ran.exit_code == 2
    assert "API key" in ran.stderr
    assert KEY not in ran.stdout + ran.stderr
