"""Workers go on after failures, say what fails, and end in good order."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

import pytest

from ledger.errors import UnreachableError
from tokensleuth.clock import seconds_since, stopwatch
from tokensleuth.service import workers
from tokensleuth.service.workers import Worker, running


@dataclass(slots=True)
class Steps:
    """A step that raises what it is given, then says when it has been called often enough."""

    raises: list[Exception] = field(default_factory=list)
    wanted: int = 1
    called: int = 0
    enough: Event = field(default_factory=Event)

    def __call__(self) -> bool:
        self.called += 1
        if self.called >= self.wanted:
            self.enough.set()
        if self.raises:
            raise self.raises.pop()
        return False


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "AFTER_A_FAILURE_S", 0.0)


def ran(worker: Worker, until: Event, *, drain_s: float = 5) -> float:
    """The seconds its end took."""
    with running([worker], drain_s=drain_s):
        assert until.wait(5)
        began = stopwatch()
    return seconds_since(began)


def test_a_worker_steps_until_it_is_told_to_stop() -> None:
    steps = Steps(wanted=5)
    assert ran(Worker("w", steps, idle_s=0.0), steps.enough) < 5
    after = steps.called
    assert not Event().wait(0.05)
    assert steps.called == after


def test_an_idle_worker_ends_at_once() -> None:
    steps = Steps()
    assert ran(Worker("w", steps, idle_s=60), steps.enough) < 1


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("error", [UnreachableError("locked"), ZeroDivisionError()])
def test_after_a_failure_it_goes_on(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    steps = Steps([error], wanted=2)
    worker = Worker("w", steps, idle_s=0.01)
    with caplog.at_level(logging.WARNING):
        ran(worker, steps.enough)
    assert worker.failing is None
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("error", "told"), [(UnreachableError("locked"), "locked"), (KeyError("secret"), "KeyError, see the log")]
)
def test_health_is_told_why_it_fails(error: Exception, told: str) -> None:
    worker = Worker("w", Steps([error]))
    worker._once()
    assert worker.failing == told


def lasting(seconds: float, begun: Event) -> Callable[[], bool]:
    def step() -> bool:
        begun.set()
        Event().wait(seconds)
        return False

    return step


def test_a_step_under_way_is_waited_for_whatever_other_workers_do() -> None:
    begun, ended = Event(), Event()

    def step() -> bool:
        lasting(0.6, begun)()
        ended.set()
        return False

    others = [Worker(f"idle-{n}", Steps(), idle_s=60) for n in range(9)]
    with running([Worker("long", step), *others], drain_s=3):
        assert begun.wait(5)
    assert ended.is_set()


def test_it_is_waited_no_longer_than_allowed() -> None:
    begun = Event()
    assert ran(Worker("w", lasting(3, begun)), begun, drain_s=0.2) < 1.5


def test_nothing_to_run_is_no_fault() -> None:
    with running([], drain_s=1):
        pass
