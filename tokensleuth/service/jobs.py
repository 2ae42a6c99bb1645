"""Long work in processes of its own, so that clicks are answered while it runs: investigations asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event

from ledger.ids import fact_id
from tokensleuth.app import App
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.queues import (
    JOB,
    Letter,
    Queued,
    finish_inbox,
    keep_hold,
    put_in_inbox,
    put_in_outbox,
    take_from_inbox,
)
from tokensleuth.casebook.schema_acts import inbox
from tokensleuth.children import run_child, store_order
from tokensleuth.people import Identity

CHILD = "tokensleuth.service.job"
MOST_TRIES = 3


def ask_investigation(
    casebook: Casebook, time_range: str, by: Identity, channel: str, request_id: str, now: datetime
) -> None:
    """Queue it, once for each request."""
    body = {"range": time_range, "by_kind": by.kind, "by_name": by.name, "channel": channel}
    job_id = fact_id("job", request_id)
    with casebook.writing() as connection:
        put_in_inbox(connection, job_id, JOB, body, now)


def result_letter_id(job_id: str) -> str:
    """One for each job: a second answer is not written."""
    return fact_id("out", job_id, "result")


@dataclass(frozen=True, slots=True)
class JobWorker:
    """Takes one job after the other."""

    app: App
    casebook: Casebook
    owner: str
    clock: Callable[[], datetime]
    stopping: Event

    def step(self) -> bool:
        """Run the next job to its end; when the service stops, the job is ended and tried again later."""
        with self.casebook.writing() as connection:
            job = take_from_inbox(connection, self.owner, self.clock(), jobs=True)
        if job is None:
            return False
        if job.tries >= MOST_TRIES:
            self._finish(job, "refused", f"given up after {job.tries} tries")
        elif (code := self._run(job)) is not None:
            self._finish(job, "done" if code == 0 else "refused", f"exit code {code}")
        return True

    def _run(self, job: Queued) -> int | None:
        """The exit code; None where the service stopped meanwhile."""
        order = {**store_order(self.app), "id": job.id, **job.body}
        ended = run_child(CHILD, order, hold=lambda: self._hold(job), stopping=self.stopping)
        return None if ended is None else ended.code

    def _hold(self, job: Queued) -> bool:
        with self.casebook.writing() as connection:
            return keep_hold(connection, inbox, job.number, self.owner, self.clock())

    def _finish(self, job: Queued, state: str, note: str) -> None:
        """Who asked is told of a job that died; one that answered itself has written that letter."""
        now, channel = self.clock(), job.body.get("channel")
        with self.casebook.writing() as connection:
            mine = finish_inbox(connection, job.number, self.owner, state=state, note=note, now=now)
            if mine and state == "refused" and channel is not None:
                error = f"the investigation did not come to an end: {note}"
                body = {"channel": channel, "range": job.body["range"], "incidents": [], "error": error}
                letter = Letter(result_letter_id(job.id), f"slack:{channel}", "result", None, body)
                put_in_outbox(connection, letter, now)
