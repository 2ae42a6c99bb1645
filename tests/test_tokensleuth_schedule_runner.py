"""What is due is planned once, claimed once, tried again where it failed, and closed once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Thread

from sqlalchemy import select

from tests.acting_cases import HandClock
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.runs import Batch, plan_runs
from tokensleuth.casebook.schema_runs import runs
from tokensleuth.schedule.cadence import Every
from tokensleuth.schedule.duties import DETECT, SYNC, Duty
from tokensleuth.schedule.planner import Planner
from tokensleuth.schedule.runner import LEASE, LONGEST_WAIT, Done, Runner, wait_after

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DUTIES = (Duty(DETECT, None), Duty(SYNC, Every(5), again=False))


@dataclass(slots=True)
class Desk:
    """Notes what it was given, and answers as it is told to."""

    answers: list[Done] = field(default_factory=list)
    done: list[Batch] = field(default_factory=list)
    while_at_it: Callable[[], None] = lambda: None

    def __call__(self, batch: Batch, now: datetime, hold: Callable[[], bool]) -> Done:
        assert now.tzinfo is UTC
        assert hold()
        self.done.append(batch)
        self.while_at_it()
        return self.answers.pop(0) if self.answers else Done("done", "fine", {"n": 1})


def plan(casebook: Casebook, duty: str, *slots: datetime) -> None:
    with casebook.writing() as connection:
        plan_runs(connection, duty, slots, NOW)


def states(casebook: Casebook) -> dict[tuple[str, datetime], str]:
    with casebook.reading() as connection:
        return {(row.duty, row.slot): row.state for row in connection.execute(select(runs))}


def runner_of(casebook: Casebook, desk: Desk, clock: HandClock, owner: str = "a") -> Runner:
    return Runner(casebook, DUTIES, desk, owner, clock)


def test_what_is_due_is_done_and_closed(casebook: Casebook) -> None:
    desk = Desk()
    plan(casebook, DETECT, NOW)
    runner = runner_of(casebook, desk, HandClock(NOW))
    assert [runner.step(), runner.step()] == [True, False]
    assert states(casebook) == {(DETECT, NOW): "done"}


def test_a_failure_is_tried_again_later_each_time_until_it_is_done(casebook: Casebook) -> None:
    desk, clock = Desk([Done("failed", "no"), Done("failed", "no")]), HandClock(NOW)
    plan(casebook, DETECT, NOW)
    runner = runner_of(casebook, desk, clock)
    for tries in (1, 2):
        assert runner.step()
        assert not runner.step()
        clock.at += wait_after(tries)
    assert runner.step()
    assert [batch.tries for batch in desk.done] == [1, 2, 3]
    assert states(casebook) == {(DETECT, NOW): "done"}
    assert wait_after(100) == LONGEST_WAIT


def test_a_duty_whose_next_slot_makes_up_for_it_is_not_tried_again(casebook: Casebook) -> None:
    plan(casebook, SYNC, NOW)
    runner_of(casebook, Desk([Done("failed", "unreachable")]), HandClock(NOW)).step()
    assert states(casebook) == {(SYNC, NOW): "failed"}


def test_what_the_end_of_the_service_interrupted_is_due_at_once(casebook: Casebook) -> None:
    plan(casebook, SYNC, NOW)
    desk = Desk([Done("interrupted", "the service stopped")])
    runner = runner_of(casebook, desk, HandClock(NOW))
    assert not runner.step()
    assert runner.step()
    assert states(casebook) == {(SYNC, NOW): "done"}


def test_a_runner_that_was_taken_for_dead_closes_nothing(casebook: Casebook) -> None:
    clock = HandClock(NOW)
    plan(casebook, DETECT, NOW)
    other = runner_of(casebook, Desk(), clock, "b")

    def taken_over() -> None:
        clock.at += LEASE * 2
        assert other.step()

    slow = runner_of(casebook, Desk([Done("failed", "too late")], while_at_it=taken_over), clock)
    slow.step()
    assert states(casebook) == {(DETECT, NOW): "done"}


def test_who_does_not_lead_neither_plans_nor_does_anything(casebook: Casebook) -> None:
    desk, clock = Desk(), HandClock(NOW)
    plan(casebook, DETECT, NOW)
    assert not Runner(casebook, DUTIES, desk, "a", clock, leads=lambda: False).step()
    assert Planner(casebook, DUTIES, clock, leads=lambda: False).look_at_all() == 0
    assert desk.done == []


def test_the_planner_plans_each_slot_once(casebook: Casebook) -> None:
    clock = HandClock(NOW)
    planner = Planner(casebook, DUTIES, clock)
    assert [planner.look_at_all(), planner.look_at_all()] == [1, 0]
    clock.at += timedelta(minutes=17)
    assert planner.look_at_all() == 1
    assert [slot for _, slot in states(casebook)] == [NOW, NOW + timedelta(minutes=15)]


def test_the_scheduler_looks_at_once_when_it_starts_and_ends_in_good_order(casebook: Casebook) -> None:
    looked: list[int] = []

    class Seen(Planner):
        __slots__ = ()

        def look(self, duty: Duty) -> int:
            looked.append(1)
            return super().look(duty)

    with Seen(casebook, DUTIES, HandClock(NOW)).running():
        for _ in range(200):
            if len(looked) >= len(DUTIES):
                break
            Thread(target=lambda: None).start()
    assert len(looked) >= 1


def test_runners_of_two_replicas_do_every_slot_once(casebook: Casebook) -> None:
    slots = [NOW + timedelta(minutes=number) for number in range(20)]
    clock = HandClock(NOW + timedelta(days=1))
    desks: Sequence[Desk] = [Desk(), Desk(), Desk()]
    for slot in slots:
        plan(casebook, SYNC, slot)

        def work(desk: Desk, name: str) -> None:
            runner_of(casebook, desk, clock, name).step()

        threads = [Thread(target=work, args=(desk, str(n))) for n, desk in enumerate(desks)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    done = [slot for desk in desks for batch in desk.done for slot in batch.slots]
    assert sorted(done) == slots
