"""Carries one execution out at its gateway: read, commit the intent, write, read back, compare.

The intent is committed before the gateway is called. What a crash leaves is settled by reading the gateway:
never blindly repeated, never blindly skipped.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from tokensleuth.acting.action import Action
from tokensleuth.acting.closing import Closing, Ended
from tokensleuth.acting.former import former_state
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.decided import Asked
from tokensleuth.casebook.executed import LEASE, Execution, change, due_at, executions_of
from tokensleuth.gateways.dry_run import DryRun
from tokensleuth.gateways.port import (
    GONE,
    CannotError,
    Gateway,
    GatewayError,
    NotSentError,
    Place,
    Plan,
    RefusedCallError,
    State,
    UnsureError,
    same_state,
)

MOST_WRITES = 3
TRY_AGAIN = timedelta(seconds=20)
GIVE_UP_AFTER = timedelta(minutes=10)
"""After so long without an answer the outcome is told as unknown, and nothing is tried any more."""
_BY_HAND = (
    "no gateway executes it: set proposals.gateway to litellm, openai, anthropic or webhook, "
    "and give its key; or do it by hand"
)


@dataclass(slots=True)
class Carrying:
    """One execution on its way; `execution` is renewed as steps are kept."""

    casebook: Casebook
    closing: Closing
    owner: str
    clock: Callable[[], datetime]
    execution: Execution
    asked: Asked
    action: Action
    refusals: Callable[[], Sequence[str]] = tuple
    """What speaks against it now: asked before what was begun at another time is written."""

    def run(self, gateway: Gateway | None) -> None:
        """Go on from wherever it stands. Raises GatewayError; once something was sent, never one that says
        that nothing changed, unless that is the write's own answer."""
        if self.execution.dry_run:
            self._rehearse(DryRun(gateway, self.action.target.gateway))
            return
        if gateway is None and self.execution.tries > 0:
            raise UnsureError(f"written perhaps, and nobody can look now: {_BY_HAND}")
        if gateway is None:
            raise CannotError(_BY_HAND)
        if self.execution.wanted is not None:
            if self._settled(gateway):
                return
        elif not (self._intended_undo(gateway) if self._is_undo else self._intended(gateway)):
            return
        self._write(gateway)

    def end(self, ended: Ended) -> None:
        """Close it, unless another process has it by now."""
        self.closing.close(self.execution, self.asked, self.action, ended, self.clock())

    def put_off(self, error: GatewayError) -> None:
        """Try again a little later; after long enough say what is known, which may be nothing.

        The time in which nobody tried, because nothing ran, does not count.
        """
        now, sent = self.clock(), self.execution.tries > 0
        with self.casebook.reading() as connection:
            due = due_at(connection, self.execution.id) or now
        begun = now if now - due > GIVE_UP_AFTER else self.execution.started_at
        if now - begun > GIVE_UP_AFTER:
            certain = "nobody can say whether it happened" if sent else "not done, nothing changed"
            self.end(Ended("unknown" if sent else "failed", f"{certain}: {error}"))
            return
        wait = TRY_AGAIN
        if isinstance(error, NotSentError) and error.retry_after_s:
            wait = timedelta(seconds=min(error.retry_after_s, GIVE_UP_AFTER.total_seconds()))
        free = {"owner": None, "lease_until": None, "next_at": now + wait, "started_at": begun}
        with self.casebook.writing() as connection:
            change(connection, self.execution.id, self.owner, reason=str(error), **free)

    @property
    def _is_undo(self) -> bool:
        return self.execution.kind == "undo"

    def _rehearse(self, gateway: Gateway) -> None:
        plan = gateway.plan(self.action.measure, self.action.target)
        before = gateway.read(plan.place)
        wanted = gateway.wanted(self.action.measure, before or {})
        if self._keep(place=plan.place.as_json(), before=dict(before or {}), wanted=dict(wanted)):
            self.end(Ended("done", plan.told, dry_run=True))

    def _intended(self, gateway: Gateway) -> bool:
        """Read what is there, and commit what shall be; False where there is nothing to write."""
        plan = gateway.plan(self.action.measure, self.action.target)
        before = gateway.read(plan.place)
        if before is None:
            self.end(self._missing(plan))
            return False
        wanted = gateway.wanted(self.action.measure, before)
        if not self._keep(place=plan.place.as_json(), before=dict(before), wanted=dict(wanted)):
            return False
        if same_state(before, wanted):
            gone = "the gateway knows no such key: it was deleted already, or never was there"
            told = gone if before == GONE else f"it was so already: {plan.told}"
            self.end(Ended("done", told, before))
            return False
        return True

    def _intended_undo(self, gateway: Gateway) -> bool:
        """Only what we wrote is taken back: what somebody changed since is theirs."""
        applied = self._applied()
        place, wrote = _place(applied), _state(applied.wanted)
        former = former_state(self.casebook, applied, self.clock())
        present = gateway.read(place)
        if present is None:
            self.end(Ended("blocked", "it is gone at the gateway: nothing to undo"))
        elif same_state(present, former):
            self.end(Ended("done", "it was back already", present))
        elif not same_state(present, wrote):
            told = f"somebody changed it since, so it was left alone: it is {_shown(present)} now"
            self.end(Ended("blocked", told, present))
        else:
            return self._keep(place=place.as_json(), before=dict(wrote), wanted=dict(former))
        return False

    def _applied(self) -> Execution:
        with self.casebook.reading() as connection:
            found = executions_of(connection, self.asked.id)
        return next(e for e in found if e.kind == "apply" and e.round == self.execution.round)

    def _settled(self, gateway: Gateway) -> bool:
        """After a crash or an unsure answer: what the gateway says now; False: it must be written again."""
        present = self._read_back(gateway)
        if self._is_so(present):
            self.end(Ended("done", "done, and read back as wanted", present))
        elif not same_state(present, _state(self.execution.before)) and not self.execution.tries:
            told = (
                f"somebody changed it before anything was sent, so it was left alone: it is {_shown(present)}"
            )
            self.end(Ended("blocked", told, present))
        elif not same_state(present, _state(self.execution.before)):
            told = f"nobody can say what happened: it is {_shown(present)}, neither as before nor as wanted"
            self.end(Ended("unknown", told, present))
        elif self.execution.tries >= MOST_WRITES:
            told = f"written {self.execution.tries} times, and it still reads as before: look at the gateway"
            self.end(Ended("failed", told, present))
        elif why := self.refusals():
            self.end(Ended("blocked", f"not done, it is as before: {'; '.join(why)}", present))
        else:
            return False
        return True

    def _write(self, gateway: Gateway) -> None:
        if not self._keep(tries=self.execution.tries + 1):
            return
        place = _place(self.execution)
        wanted, before = _state(self.execution.wanted), _state(self.execution.before)
        try:
            gateway.write(place, wanted, before=before, idempotency_key=self.execution.idempotency_key)
        except NotSentError:
            self._keep(tries=self.execution.tries - 1)
            raise
        except (CannotError, RefusedCallError) as error:
            if self.execution.tries == 1:
                raise
            raise UnsureError(f"refused now, and an earlier try may have come through: {error}") from None
        present = self._read_back(gateway)
        if not self._is_so(present):
            raise UnsureError(f"it does not read back as written yet: it is {_shown(present)}")
        self.end(Ended("done", "done, and read back as wanted", present))

    def _read_back(self, gateway: Gateway) -> State | None:
        """A refused reading says nothing about a write that was sent before it."""
        try:
            return gateway.read(_place(self.execution))
        except (CannotError, RefusedCallError) as error:
            if not self.execution.tries:
                raise
            raise UnsureError(f"it was sent, and reading it back is refused: {error}") from None

    def _keep(self, **values: object) -> bool:
        """Commit a step; False where the lease was lost to another process, which goes on instead."""
        now = self.clock()
        with self.casebook.writing() as connection:
            kept = change(connection, self.execution.id, self.owner, **values, lease_until=now + LEASE)
        self.execution = replace(self.execution, **values)  # type: ignore[arg-type]
        return kept

    def _missing(self, plan: Plan) -> Ended:
        if self.action.measure.action == "revoke_key":
            return Ended("done", "the key was gone already", GONE)
        return Ended("blocked", f"the gateway knows no such {plan.place.kind}: nothing to act on")

    def _is_so(self, present: State | None) -> bool:
        """Whether what is there is what was wanted; for a deletion, that nothing is there."""
        return same_state(GONE if present is None else present, _state(self.execution.wanted))


def _place(execution: Execution) -> Place:
    stored = cast(Mapping[str, object], execution.place)
    return Place(
        kind=str(stored["kind"]),
        ids=cast(Mapping[str, str], stored["ids"]),
        fields=tuple(cast(list[str], stored["fields"])),
    )


def _state(stored: Mapping[str, object] | None) -> State:
    return cast(State, stored or {})


def _shown(state: State | None) -> str:
    return "gone" if state is None else ", ".join(f"{name} {value}" for name, value in state.items())
