"""Runs whole investigations with a model behind a server, and holds what comes out against code alone."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import JsonValue

from agent.finding import Finding
from agent.investigation import Deps, Investigation, Subject, investigate_incident
from agent.llm.openai_chat import Endpoint, OpenAIChat
from agent.llm.port import CallUsage, Limits, Llm, ModelCall
from evals.fake_openai import Document, Driver, FakeOpenAI, Reply, completion, fake_openai, in_turn
from ledger.engine import DuckDbEngine
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from playbooks import load_playbooks
from tests.ledger_builder import Cell, LedgerBuilder, at, span

KEY = "sk-secret-0123456789"
DAY = span(30)
PLAYBOOKS = load_playbooks()
SCHEMA = Path(__file__).parent.parent / "docs" / "contract" / "investigate.schema.json"
CONTRACT = Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
PICO_PER_TOKEN = 1_000_000


def storm(_: datetime, cell: Cell) -> Cell:
    stormy = replace(cell, requests=4 * cell.requests, failed=3 * cell.requests, retried=3 * cell.requests)
    return stormy if cell.key_id == "k1" else cell


def stormy_reader() -> Reader:
    """Two quiet keys for five weeks, and a storm of retries of one of them on one day."""
    quiet = LedgerBuilder().run(Cell(), days=35).run(Cell(key_id="k2", team="ads"), days=35)
    return quiet.change(DAY, storm).reader()


@dataclass(slots=True)
class Books:
    """Books in memory; every token costs the same."""

    spent_before_pico: int = 0
    booked: list[ModelCall] = field(default_factory=list)

    def cost_pico(self, model: str, usage: CallUsage, at: datetime) -> int | None:  # noqa: ARG002
        return usage.total * PICO_PER_TOKEN

    def book(self, call: ModelCall) -> None:
        self.booked.append(call)

    def spent_pico(self, since: datetime) -> int:  # noqa: ARG002
        return self.spent_before_pico + sum(call.cost_pico or 0 for call in self.booked)


@dataclass(slots=True)
class Clock:
    """A clock that a script moves on; it starts on the day of the incident."""

    now: datetime = datetime(2026, 11, 5, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


def deps_of(reader: Reader, llm: Llm | None = None) -> Deps:
    return Deps(reader=reader, playbooks=PLAYBOOKS, now=at(31), llm=llm)


def subject_of(scope: Scope = EVERYTHING) -> Subject:
    return Subject(incident_id="inc_1", window=DAY, scope=scope, explain=True)


def plain_finding(reader: Reader) -> Finding:
    """What code alone finds."""
    return investigate_incident(subject_of(), deps_of(reader), InMemorySaver()).finding


LIMITS = Limits(seconds=8)


@dataclass(frozen=True, slots=True)
class Mode:
    """One way in which a model or its server misbehaves, and what comes of it."""

    driver: Driver | Reply
    because: str = ""
    """Part of the reason why the report is degraded; empty: it is not."""
    answered: int | None = None
    """Calls that were paid for."""
    limits: Limits = LIMITS
    by_model: bool = False
    """Whether the model's finding is taken."""
    request_seconds: float = 2.0


def investigated(
    reader: Reader, server: FakeOpenAI, mode: Mode, books: Books, clock: Callable[[], datetime] | None = None
) -> Investigation:
    endpoint = Endpoint(server.base_url, "fake-1", KEY, request_seconds=mode.request_seconds, retries=0)
    llm = Llm(OpenAIChat(endpoint), books, clock or Clock(), mode.limits)
    return investigate_incident(subject_of(), deps_of(reader, llm), InMemorySaver())


def assert_holds(mode: Mode, reader: Reader, plain: Finding) -> tuple[Investigation, FakeOpenAI]:
    """The report is whole, the finding that of code, and the cost what was answered."""
    books = Books()
    with fake_openai(mode.driver) as server:
        found = investigated(reader, server, mode, books)
    finding = found.finding
    assert server.faults == []
    assert_same(finding, plain)
    assert finding.analyst == ("llm" if mode.by_model else "deterministic"), finding.degraded_because
    assert (finding.degraded, bool(finding.degraded_because)) == (bool(mode.because),) * 2, (
        finding.degraded_because
    )
    assert mode.because in " ".join(finding.degraded_because)
    assert_paid(finding, books, len(server.asked), mode)
    document = found.as_json(seconds=0.1)
    assert list(CONTRACT.iter_errors({"range": DAY.as_json(), "incidents": [document]})) == []
    assert KEY not in json.dumps(document)
    return found, server


def assert_same(finding: Finding, plain: Finding) -> None:
    """Nothing that people act on differs, and the report is one."""
    assert (finding.verdict, finding.cause) == (plain.verdict, plain.cause)
    assert [(c.scope, c.cause, c.delta_usd) for c in finding.culprits] == [
        (c.scope, c.cause, c.delta_usd) for c in plain.culprits
    ]
    assert finding.effects == plain.effects
    assert [p.as_json() for p in finding.proposals] == [p.as_json() for p in plain.proposals]
    assert finding.report.startswith("# ")
    assert plain.report.splitlines()[0] == finding.report.splitlines()[0]
    assert all(len(why) < 600 and why.isprintable() for why in finding.degraded_because)


def assert_paid(finding: Finding, books: Books, requests: int, mode: Mode) -> None:
    """Every call that was answered is booked, and counted in the report; none is beyond the limit."""
    spent = finding.spent
    assert requests <= mode.limits.model_calls
    assert spent.model_calls == len(books.booked) <= requests
    assert mode.answered in (None, spent.model_calls)
    assert spent.tokens == sum(call.usage.total for call in books.booked)
    assert spent.cost_pico == sum(call.cost_pico or 0 for call in books.booked)
    assert spent.tool_calls <= mode.limits.tool_calls
    assert len({call.id for call in books.booked}) == len(books.booked)


CULPRIT: JsonValue = {"scope": {"team": "search", "key_id": "k1"}, "cause": "retry_storm"}
FINDING: dict[str, JsonValue] = {
    "culprits": [CULPRIT],
    "summary": "Retries of one key drove the spend up.",
    "reasons": ["Spend rose by {E1.delta_usd}."],
}


def submit(**other: JsonValue) -> Reply:
    return completion(None, ("submit_finding", {**FINDING, **other}))


RIGHT = submit()
LOOK = completion(None, ("breakdown", {"by": ["model"]}))


def call(name: str, arguments: JsonValue) -> Reply:
    return completion(None, (name, arguments))


def then_right(*replies: Reply) -> Mode:
    """These turns, then a finding that stands."""
    return Mode(in_turn(*replies, RIGHT), by_model=True, answered=len(replies) + 1)


def gzipped(body: bytes) -> Reply:
    return Reply(gzip.compress(body, 1), headers=(("Content-Encoding", "gzip"),))


def never_the_same(_: Document, number: int) -> Reply:
    return call("breakdown", {"by": ["team"], "limit": number % 20 + 1, "where": {"region": f"r{number}"}})


def write_ledger(reader: Reader, path: Path) -> None:
    """The ledger as a file."""
    assert isinstance(reader.engine, DuckDbEngine)
    for statement in (f"attach '{path}' as copied", "copy from database memory to copied", "detach copied"):
        reader.engine.connection.execute(statement)


def forget_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is asked directly, whatever this machine goes through to the outside."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
