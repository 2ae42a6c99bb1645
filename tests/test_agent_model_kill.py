"""Killed anywhere, an investigation goes on or begins anew: one incident, one set of proposals."""

import multiprocessing
import os
import random
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from threading import Event
from typing import cast

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.investigation import Subject
from agent.llm.openai_chat import Endpoint, OpenAIChat
from evals.fake_openai import Document, FakeOpenAI, Reply, completion, fake_openai, refusal, said_by
from tests.model_runs import DAY, FINDING, stormy_reader, write_ledger
from tokensleuth.app import App
from tokensleuth.casebook import Casebook
from tokensleuth.investigation import Asked, investigate_subjects
from tokensleuth.settings import Settings, Store
from tokensleuth.unpriced import Unpriced

JsonObject = dict[str, object]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONGEST_S = 60
TURNS = (
    completion("Look.", ("breakdown", {"by": ["model"]}), ("earlier_weeks", {})),
    completion(None, ("hourly_series", {"metric": "requests"}), ("no_such_tool", {})),
    completion(None, ("submit_finding", {})),
    completion(None, ("submit_finding", FINDING)),
)
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["pytest", "tokensleuth.investigation", "agent.llm.openai_chat", "tests.model_runs"]
)


@dataclass(frozen=True, slots=True)
class Point:
    """A call in the investigating process at which it dies."""

    owner: type[object]
    method: str
    number: int = 1
    """Which of the calls."""
    after: bool = False

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.method} {self.number}"


def arm(point: Point) -> None:
    """From now on this process kills itself at the point."""
    done: Callable[..., object] = getattr(point.owner, point.method)
    count = 0

    def dying(*given: object, **named: object) -> object:
        nonlocal count
        count += 1
        if count == point.number and not point.after:
            os.kill(os.getpid(), signal.SIGKILL)
        found = done(*given, **named)
        if count == point.number:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    setattr(point.owner, point.method, dying)


def investigate(home: Path, base_url: str, point: Point | None) -> None:
    """What the child does: one investigation, from the ledger to the casebook."""
    if point:
        arm(point)
    endpoint = Endpoint(base_url, "gpt-4.1", "sk-test", retries=0)
    app = App(Settings(store=Store(ledger=home / "ledger.duckdb")), OpenAIChat(endpoint))
    subject = Subject(incident_id="inc_1", window=DAY, explain=True)
    asked = Asked(DAY, (subject,), 0, Decimal(0), Unpriced())
    with app.ledger() as ledger:
        investigate_subjects(app, ledger.reader, asked, now=NOW, progress=lambda _done, _all, _what: None)


@dataclass(slots=True)
class Script:
    """Answers each turn of the conversation, however often it is asked; one request may be held back."""

    hold: int | None = None
    held: Event = field(default_factory=Event)

    def __call__(self, document: Document, number: int) -> Reply:
        reply = TURNS[turn_of(document)]
        if number == self.hold:
            self.held.set()
            return replace(reply, delay_s=LONGEST_S)
        return reply


def turn_of(document: Document) -> int:
    """How many answers the conversation has."""
    return len(said_by(document, "assistant"))


def started(home: Path, server: FakeOpenAI, point: Point | None = None) -> ForkServerProcess:
    process = FORKS.Process(target=investigate, args=(home, server.base_url, point))
    process.start()
    return process


def exit_code(process: ForkServerProcess) -> int | None:
    process.join(LONGEST_S)
    return process.exitcode


@dataclass(frozen=True, slots=True)
class Kept:
    """What the casebook holds."""

    incidents: tuple[JsonObject, ...]
    proposals: tuple[str, ...]
    """Of every state."""
    calls: tuple[str, ...]


def casebook_url(home: Path) -> str:
    return f"sqlite:///{home}/ledger.casebook.sqlite"


def kept(home: Path) -> Kept:
    with Casebook.open(casebook_url(home)) as casebook:
        return Kept(
            tuple(casebook.incidents(now=NOW)),
            tuple(sorted(str(p["id"]) for p in casebook.proposals(now=NOW))),
            tuple(booked.call.id for booked in casebook.model_calls()),
        )


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "ledger.duckdb"
    write_ledger(stormy_reader(), path)
    with Casebook.open(casebook_url(path.parent)):
        """Made once: it takes half of a child's time."""
    return path.parent


@pytest.fixture
def home(stores: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stores, tmp_path / "home"))


@pytest.fixture(scope="module")
def undisturbed(stores: Path, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """What an investigation that nobody kills leaves."""
    home = Path(shutil.copytree(stores, tmp_path_factory.mktemp("undisturbed") / "home"))
    with fake_openai(Script()) as server:
        assert exit_code(started(home, server)) == 0
    found = kept(home)
    assert len(found.calls) == len(TURNS)
    assert found.incidents[0]["analyst"] == "llm"
    assert found.proposals
    return found


def assert_restarted(home: Path, server: FakeOpenAI, undisturbed: Kept, *, again: int = 1) -> None:
    """The next process ends with what an undisturbed one has; so many answers at most were asked again."""
    assert exit_code(started(home, server)) == 0
    found = kept(home)
    assert [i["id"] for i in found.incidents] == ["inc_1"]
    assert found.proposals == undisturbed.proposals
    assert found.incidents[0]["analyst"] == "llm"
    assert cast("JsonObject", found.incidents[0]["cost"])["llm_calls"] == len(TURNS)
    turns = Counter(turn_of(asked.document) for asked in server.asked)
    assert sorted(turns) == list(range(len(TURNS)))
    assert len(server.asked) <= len(TURNS) + again
    assert len(TURNS) <= len(set(found.calls)) == len(found.calls) <= len(server.asked)
    assert server.faults == []


POINTS = (
    *(Point(SqliteSaver, "put", number, after=True) for number in (1, 2, 4, 6, 9, 12)),
    Point(Casebook, "save_model_call"),
    *(Point(Casebook, "save_model_call", number, after=True) for number in (1, 2, 4)),
)


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_killed_at_this_point_it_goes_on(point: Point, home: Path, undisturbed: Kept) -> None:
    with fake_openai(Script()) as server:
        assert exit_code(started(home, server, point)) == -signal.SIGKILL
        assert_restarted(home, server, undisturbed)


@pytest.mark.parametrize("after", [False, True])
def test_killed_as_it_saves_what_it_found_it_begins_anew(after: bool, home: Path, undisturbed: Kept) -> None:
    with fake_openai(Script()) as server:
        assert exit_code(started(home, server, Point(Casebook, "save", after=after))) == -signal.SIGKILL
        assert_restarted(home, server, undisturbed, again=len(TURNS))


@pytest.mark.parametrize("request_number", range(len(TURNS)))
def test_killed_while_the_server_answers_only_that_answer_is_asked_for_again(
    request_number: int, home: Path, undisturbed: Kept
) -> None:
    script = Script(hold=request_number)
    with fake_openai(script) as server:
        process = started(home, server)
        assert script.held.wait(LONGEST_S)
        process.kill()
        assert exit_code(process) == -signal.SIGKILL
        assert_restarted(home, server, undisturbed)
    turns = [turn_of(asked.document) for asked in server.asked]
    assert turns == [*range(request_number + 1), *range(request_number, len(TURNS))]


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_time_it_goes_on(seed: int, home: Path, undisturbed: Kept) -> None:
    with fake_openai(Script()) as server:
        process = started(home, server)
        process.join(random.Random(seed).uniform(0.05, 0.8))  # noqa: S311
        process.kill()
        killed = exit_code(process) == -signal.SIGKILL
        answered = len(server.asked)
        if killed:
            assert_restarted(home, server, undisturbed, again=len(TURNS))
    assert killed or answered == len(TURNS)


def test_killed_twice_it_goes_on(home: Path, undisturbed: Kept) -> None:
    with fake_openai(Script()) as server:
        for number in (6, 4):
            point = Point(SqliteSaver, "put", number, after=True)
            assert exit_code(started(home, server, point)) == -signal.SIGKILL
        assert_restarted(home, server, undisturbed)


def test_killed_and_the_model_is_gone_the_report_is_degraded_and_has_the_same_proposals(
    home: Path, undisturbed: Kept
) -> None:
    with fake_openai(Script()) as server:
        assert exit_code(started(home, server, Point(Casebook, "save_model_call", 2))) == -signal.SIGKILL
    with fake_openai(refusal(503, "down")) as server:
        assert exit_code(started(home, server)) == 0
    found = kept(home)
    (incident,) = found.incidents
    assert (incident["analyst"], incident["degraded"]) == ("deterministic", True)
    assert cast("JsonObject", incident["cost"])["llm_calls"] == 1
    assert found.proposals == undisturbed.proposals
