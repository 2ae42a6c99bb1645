"""Does a batch of a duty, in a child process or at once; each duty's module is loaded when it is due."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from threading import Event
from typing import Protocol, cast

from pydantic import BaseModel, ConfigDict, JsonValue

from tokensleuth.app import App
from tokensleuth.casebook.runs import Batch
from tokensleuth.children import TOO_LONG, Ended, run_child, store_order
from tokensleuth.schedule import duties
from tokensleuth.schedule.report import DutyReport
from tokensleuth.schedule.runner import Done, DoneState

CHILD = "tokensleuth.schedule.child"
NOT_YET = 4
"""The code of a child that came too early."""
GAVE_UP = 5
"""Of one that did what it could, and would not do more if it were tried again."""
LONGEST_S: Mapping[str, float] = {duties.SYNC: 3600, duties.REFIT: 7200, duties.RETENTION: 3600}
"""A first pull goes on where it was ended; a refit of a large ledger takes long."""
_USUAL_S = 1800
"""What hangs holds up all other duties for so long."""


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


_STATES: Mapping[int, DoneState] = {0: "done", NOT_YET: "waiting", GAVE_UP: "given_up"}


@dataclass(frozen=True, slots=True)
class InChild:
    """Does each batch in a process of its own."""

    app: App
    stopping: Event
    leads: Callable[[], bool] = lambda: True
    """Asked all the time: another replica starts soon after this one does not."""

    def __call__(self, batch: Batch, now: datetime, hold: Callable[[], bool]) -> Done:
        slots = " ".join(slot.isoformat() for slot in batch.slots)
        order = {**store_order(self.app), "duty": batch.duty, "slots": slots, "now": now.isoformat()}
        ended = run_child(
            CHILD,
            order,
            hold=hold,
            stopping=self.stopping,
            longest_s=LONGEST_S.get(batch.duty, _USUAL_S),
            ours=self.leads,
        )
        if ended is None:
            return Done("interrupted", "the service stopped, or another took over")
        return done_of(ended)


class _Told(BaseModel):
    """The last line of a child."""

    model_config = ConfigDict(extra="forbid")

    note: str
    document: dict[str, JsonValue]


def done_of(ended: Ended) -> Done:
    """What a child said; one that was ended, or died, has said nothing, or half a line of it."""
    if ended.code == TOO_LONG:
        return Done("failed", "took too long and was ended; see the log")
    try:
        told = _Told.model_validate_json(ended.output.splitlines()[-1])
    except (ValueError, IndexError):
        return Done("failed", f"{_end_of(ended.code)} and said nothing; see the log")
    return Done(_STATES.get(ended.code, "failed"), told.note, dict(told.document))


def _end_of(code: int) -> str:
    return f"ended by signal {-code}" if code < 0 else f"ended with code {code}"
