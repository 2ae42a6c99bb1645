"""Does a batch of a duty, in a child process or at once; each duty's module is loaded when it is due."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from threading import Event
from typing import Protocol, cast

from tokensleuth.app import App
from tokensleuth.casebook.runs import Batch
from tokensleuth.children import Ended, run_child, store_order
from tokensleuth.schedule import duties
from tokensleuth.schedule.report import DutyReport
from tokensleuth.schedule.runner import Done, DoneState

CHILD = "tokensleuth.schedule.child"
NOT_YET = 4
"""The code of a child that came too early."""
LONGEST_S = 7200
"""A refit of a large ledger takes long."""


_MODULES: Mapping[str, str] = {
    duties.SYNC: "pulling",
    duties.DETECT: "detecting",
    duties.REJUDGE: "rejudging",
    duties.REFIT: "refitting",
    duties.RECONCILE: "reconciling",
    duties.BUDGETS: "budgeting",
    duties.DIGEST: "digesting",
    duties.RETENTION: "forgetting",
}
"""Of `tokensleuth.schedule.doing`: each has a function `perform`, and loads only what its duty needs."""


class _Doing(Protocol):
    def perform(self, app: App, slots: Sequence[datetime], now: datetime) -> DutyReport: ...


def perform(app: App, duty: str, slots: Sequence[datetime], now: datetime) -> DutyReport:
    """Raises TokensleuthError where it must be tried again."""
    doing = cast(_Doing, import_module(f"tokensleuth.schedule.doing.{_MODULES[duty]}"))
    return doing.perform(app, slots, now)


_STATES: Mapping[int, DoneState] = {0: "done", NOT_YET: "waiting"}


@dataclass(frozen=True, slots=True)
class InChild:
    """Does each batch in a process of its own."""

    app: App
    stopping: Event

    def __call__(self, batch: Batch, now: datetime, hold: Callable[[], bool]) -> Done:
        slots = " ".join(slot.isoformat() for slot in batch.slots)
        order = {**store_order(self.app), "duty": batch.duty, "slots": slots, "now": now.isoformat()}
        ended = run_child(CHILD, order, hold=hold, stopping=self.stopping, longest_s=LONGEST_S)
        if ended is None:
            return Done("interrupted", "the service stopped, or another took over")
        return _done(ended)


def _done(ended: Ended) -> Done:
    try:
        told = json.loads(ended.output.splitlines()[-1])
    except (ValueError, IndexError):
        return Done("failed", f"ended with code {ended.code} and said nothing; see the log")
    document = cast(Mapping[str, object], told["document"])
    return Done(_STATES.get(ended.code, "failed"), str(told["note"]), document)
