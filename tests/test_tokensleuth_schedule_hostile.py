"""What must hold when clocks jump, hours cannot be judged, leaders die and processes cannot be started."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import select

from tests.acting_cases import HandClock
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.leaders import TERM
from tokensleuth.casebook.runs import Batch, claim_runs, last_slot, plan_runs, reopen_runs, stuck_runs
from tokensleuth.casebook.schema_runs import runs
from tokensleuth.clock import seconds_since, stopwatch, utc_instant
from tokensleuth.digest.settings import DigestSettings
from tokensleuth.schedule.cadence import Daily, Every, Weekly
from tokensleuth.schedule.doing.pulling import hours_to_judge
from tokensleuth.schedule.duties import DETECT, DIGEST, REFIT, REJUDGE, SYNC, Duty
from tokensleuth.schedule.planner import Planner, wake
from tokensleuth.schedule.runner import Done, Performing, Runner
from tokensleuth.service.leading import Leadership

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DUTIES = (
    Duty(DETECT, None),
    Duty(SYNC, Every(5), again=False),
    Duty(REFIT, Daily(NOW.time())),
    Duty(DIGEST, Weekly(DigestSettings())),
)
POISON = NOW - 5 * HOUR


def plan(casebook: Casebook, duty: str, *slots: datetime, now: datetime = NOW) -> int:
    with casebook.writing() as connection:
        return plan_runs(connection, duty, slots, now)


def states(casebook: Casebook, duty: str) -> dict[datetime, str]:
    with casebook.reading() as connection:
        found = connection.execute(select(runs.c.slot, runs.c.state).where(runs.c.duty == duty))
        return {row.slot: row.state for row in found}


def stuck(casebook: Casebook) -> dict[str, str]:
    with casebook.reading() as connection:
        return dict(stuck_runs(connection, 3))


def answering(*states: str) -> Performing:
    """One after the other, then done."""
    left = list(states)

    def perform(batch: Batch, now: datetime, hold: Callable[[], bool]) -> Done:  # noqa: ARG001
        return Done(left.pop(0) if left else "done", "why")  # type: ignore[arg-type]

    return perform


def poisoned(batch: Batch, now: datetime, hold: Callable[[], bool]) -> Done:  # noqa: ARG001
    return Done("failed", "this hour cannot be read") if POISON in batch.slots else Done("done", "fine")


def work(runner: Runner, clock: HandClock, hours: int, each_hour: Callable[[], object]) -> None:
    for _ in range(hours * 60):
        if clock.at.minute == 0:
            each_hour()
        while runner.step():
            pass
        clock.at += timedelta(minutes=1)


def test_an_hour_that_cannot_be_judged_holds_up_no_later_one_and_is_told_of(casebook: Casebook) -> None:
    clock = HandClock(NOW)
    plan(casebook, DETECT, *(NOW - number * HOUR for number in range(10)))
    runner = Runner(casebook, DUTIES, poisoned, "a", clock)
    work(runner, clock, 6, lambda: plan(casebook, DETECT, clock.at, now=clock.at))
    fresh = {slot: state for slot, state in states(casebook, DETECT).items() if slot > NOW}
    assert set(fresh.values()) == {"done"}
    assert states(casebook, DETECT)[POISON] == "due"
    assert stuck(casebook) == {DETECT: "this hour cannot be read"}


def test_hours_that_failed_for_another_reason_are_done_without_the_one_that_always_fails(
    casebook: Casebook,
) -> None:
    clock = HandClock(NOW)
    plan(casebook, DETECT, POISON)
    work(Runner(casebook, DUTIES, poisoned, "a", clock), clock, 3, lambda: None)
    plan(casebook, DETECT, clock.at, now=clock.at)
    Runner(casebook, DUTIES, answering("failed"), "a", clock).step()
    later = clock.at
    work(Runner(casebook, DUTIES, poisoned, "a", clock), clock, 3, lambda: None)
    assert states(casebook, DETECT) == {POISON: "due", later: "done"}


def test_slots_of_a_clock_that_was_wrong_keep_back_nothing(casebook: Casebook) -> None:
    clock = HandClock(NOW + 1000 * DAY)
    planner = Planner(casebook, DUTIES, clock)
    planner.look_at_all()
    clock.at = NOW
    planner.look_at_all()
    clock.at += timedelta(minutes=5)
    planner.look_at_all()
    assert {NOW, NOW + timedelta(minutes=5)} < set(states(casebook, SYNC))
    assert NOW in states(casebook, REFIT)
    assert min(states(casebook, DIGEST)) < NOW


def test_hours_judged_by_a_clock_that_was_wrong_keep_back_no_hour(casebook: Casebook) -> None:
    plan(casebook, DETECT, NOW, NOW + 100 * DAY)
    with casebook.reading() as connection:
        last = last_slot(connection, DETECT, NOW + 2 * HOUR)
    assert hours_to_judge(last, NOW + 2 * HOUR) == [NOW + HOUR, NOW + 2 * HOUR]
    assert hours_to_judge(NOW, NOW - DAY) == []  # a source was added that is not as far


def test_a_clock_that_goes_back_and_forth_gives_each_slot_once(casebook: Casebook) -> None:
    clock, done = HandClock(NOW), list[datetime]()

    def perform(batch: Batch, now: datetime, hold: Callable[[], bool]) -> Done:  # noqa: ARG001
        done.extend(batch.slots)
        return Done("done")

    runner = Runner(casebook, DUTIES[1:2], perform, "a", clock)
    planner = Planner(casebook, DUTIES[1:2], clock)
    for minutes in (0, 5, -60, 3, 61, -10, 10, 5):
        clock.at += timedelta(minutes=minutes)
        planner.look_at_all()
        while runner.step():
            pass
    assert len(done) == len(set(done)) >= 5


def test_years_of_hours_can_be_put_up_and_are_claimed_in_parts(casebook: Casebook) -> None:
    slots = [NOW - number * HOUR for number in range(40_000)]
    assert plan(casebook, DETECT, *slots) == len(slots)
    assert plan(casebook, DETECT, *slots) == 0
    with casebook.writing() as connection:
        batch = claim_runs(connection, [DETECT], "a", NOW, HOUR)
    assert batch is not None
    assert len(" ".join(slot.isoformat() for slot in batch.slots)) < 64_000


@pytest.mark.parametrize("error", [OSError(12, "Cannot allocate memory"), BlockingIOError(11, "no process")])
def test_a_process_that_cannot_be_started_is_tried_again(casebook: Casebook, error: OSError) -> None:
    def perform(batch: Batch, now: datetime, hold: Callable[[], bool]) -> Done:  # noqa: ARG001
        raise error

    plan(casebook, DETECT, NOW)
    assert Runner(casebook, DUTIES, perform, "a", HandClock(NOW)).step()
    assert states(casebook, DETECT) == {NOW: "due"}


def test_a_pull_that_always_fails_is_told_of_until_one_is_done(casebook: Casebook) -> None:
    clock = HandClock(NOW)
    runner = Runner(casebook, DUTIES, answering(*["failed"] * 4), "a", clock)
    seen = []
    for _ in range(5):
        plan(casebook, SYNC, clock.at, now=clock.at)
        runner.step()
        seen.append(SYNC in stuck(casebook))
        clock.at += timedelta(minutes=5)
    assert seen == [False, False, True, True, False]


def test_deployments_in_the_middle_of_a_duty_are_no_failures(casebook: Casebook) -> None:
    plan(casebook, REFIT, NOW)
    runner = Runner(casebook, DUTIES, answering(*["interrupted"] * 5), "a", HandClock(NOW))
    for _ in range(5):
        runner.step()
    assert stuck(casebook) == {}
    runner.step()
    assert states(casebook, REFIT) == {NOW: "done"}


def test_what_could_not_be_done_in_part_is_closed_and_told_of_when_it_lasts(casebook: Casebook) -> None:
    clock = HandClock(NOW)
    runner = Runner(casebook, DUTIES, answering(*["given_up"] * 3), "a", clock)
    for number in range(3):
        plan(casebook, DETECT, NOW + number * HOUR)
        assert runner.step()
    assert set(states(casebook, DETECT).values()) == {"failed"}
    assert stuck(casebook) == {DETECT: "why"}


def test_hours_whose_usage_came_late_are_done_again(casebook: Casebook) -> None:
    plan(casebook, DETECT, NOW, NOW + HOUR)
    runner = Runner(casebook, DUTIES, answering(), "a", HandClock(NOW))
    runner.step()
    with casebook.writing() as connection:
        assert reopen_runs(connection, DETECT, [NOW, NOW - DAY], NOW) == 1
    assert states(casebook, DETECT) == {NOW: "due", NOW + HOUR: "done"}
    assert runner.step()
    assert set(states(casebook, DETECT).values()) == {"done"}


def test_what_a_dead_leader_had_begun_is_done_by_the_next_at_once(casebook: Casebook) -> None:
    clock = HandClock(NOW)
    plan(casebook, REJUDGE, NOW)
    with casebook.writing() as connection:
        assert claim_runs(connection, [REJUDGE], "dead-schedule", NOW, DAY)
    next_one = Leadership(casebook, "b-leader", clock, shared=True, worker="b-schedule")
    runner = Runner(casebook, DUTIES, answering(), "b-schedule", clock, next_one.leads)
    assert not runner.step()
    next_one.step()
    assert runner.step()
    assert states(casebook, REJUDGE) == {NOW: "done"}


def test_a_leader_whose_clock_jumps_gives_up_rather_than_go_on_too_long(casebook: Casebook) -> None:
    clock = HandClock(NOW)
    leadership = Leadership(casebook, "a-leader", clock, shared=True)
    leadership.step()
    assert leadership.leads()
    clock.at += TERM
    assert not leadership.leads()
    clock.at = NOW - DAY
    assert leadership.leads()  # the watch that nobody sets has hardly moved


def test_a_clock_that_was_set_back_does_not_put_the_scheduler_to_sleep() -> None:
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.start(paused=True)
    try:
        late = scheduler.add_job(print, "interval", seconds=15, next_run_time=utc_instant() + DAY)
        soon = scheduler.add_job(
            print, "interval", seconds=15, next_run_time=utc_instant() + 15 * HOUR / 3600
        )
        kept = soon.next_run_time
        wake(scheduler)
        assert late.next_run_time <= utc_instant()
        assert soon.next_run_time == kept
    finally:
        scheduler.shutdown()


def test_the_end_of_the_service_does_not_wait_for_a_busy_casebook(casebook: Casebook) -> None:
    planner, before = Planner(casebook, DUTIES, HandClock(NOW)), set(threading.enumerate())
    with casebook.writing():
        with planner.running():
            began = stopwatch()
        assert seconds_since(began) < 5
    for thread in set(threading.enumerate()) - before:
        thread.join()
