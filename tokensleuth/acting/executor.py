"""Takes what is approved, checks the guard rails once more, and has it done: at most one effect each."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, select

from ledger.errors import RefusedError
from tokensleuth.acting.action import Action, action_in
from tokensleuth.acting.carrying import Carrying
from tokensleuth.acting.closing import Closing, Ended
from tokensleuth.acting.guards import DAY, GuardRails, Situation, refusals
from tokensleuth.acting.spend import Spend
from tokensleuth.acting.telling_measures import TellingMeasures
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.decided import Asked, move, read_asked, words_of
from tokensleuth.casebook.executed import Execution, begin, done_since, take_due
from tokensleuth.casebook.feedback import feedback_of
from tokensleuth.casebook.schema import proposals
from tokensleuth.gateways.port import CannotError, Gateway, NotSentError, RefusedCallError, UnsureError
from tokensleuth.people import is_told
from tokensleuth.settings_acts import Route

log = logging.getLogger(__name__)


_NOT_IN_A_DRY_RUN = (
    "not taken back: actions.dry_run is on, so nothing is changed; turn it off, and ask for the undo again"
)


@dataclass(frozen=True, slots=True)
class Executor:
    """One worker; several may share a casebook, each under a name of its own."""

    casebook: Casebook
    gateways: Mapping[str, Gateway]
    rails: GuardRails
    spend: Spend
    owner: str
    clock: Callable[[], datetime]
    routes: tuple[Route, ...] = ()
    channel: str | None = None
    """Where notices go that no route names; None: there is no Slack."""

    def run_one(self) -> bool:
        """Do what is due next; False where there is nothing."""
        execution = self._claim(self.clock())
        if execution is None:
            return False
        with self.casebook.reading() as connection:
            asked = read_asked(connection, execution.proposal_id)
        if asked is None:
            raise RuntimeError(f"{execution.id} is of no proposal")
        try:
            action = action_in(asked.document)
        except RefusedError as error:
            self._end(execution, asked, None, Ended("blocked", str(error)))
            return True
        self._carry_out(execution, asked, action)
        return True

    def _claim(self, now: datetime) -> Execution | None:
        """Something under way that nobody holds, else the earliest approved proposal."""
        with self.casebook.writing() as connection:
            if due := take_due(connection, self.owner, now):
                return due
            asked = _next_approved(connection)
            if asked is None or not move(connection, asked, to="executing", now=now):
                return None
            return begin(
                connection,
                asked,
                "apply",
                gateway=str(cast(Mapping[str, object], asked.document["target"])["gateway"]),
                dry_run=self.rails.actions.dry_run and not is_told(asked.action),
                requested_by=asked.requested_by,
                owner=self.owner,
                now=now,
            )

    def _carry_out(self, execution: Execution, asked: Asked, action: Action) -> None:
        def against() -> Sequence[str]:
            return [] if execution.kind == "undo" else self._refusals(execution, asked, action)

        closing, begun = self._closing, execution.wanted is not None
        carrying = Carrying(self.casebook, closing, self.owner, self.clock, execution, asked, action, against)
        if not begun and (why := against()):
            carrying.end(Ended("blocked", "; ".join(why)))
            return
        if action.is_told:
            self._tell(execution, asked, action)
            return
        if execution.kind == "undo" and self.rails.actions.dry_run:
            carrying.end(Ended("failed", _NOT_IN_A_DRY_RUN))
            return
        try:
            carrying.run(self._gateway(action))
        except CannotError as error:
            carrying.end(Ended("blocked", str(error)))
        except RefusedCallError as error:
            carrying.end(Ended("failed", f"refused, and nothing changed: {error}"))
        except (NotSentError, UnsureError) as error:
            carrying.put_off(error)

    def _gateway(self, action: Action) -> Gateway | None:
        """None where it is not configured; one whose settings cannot be used is as good as none."""
        try:
            return self.gateways.get(action.target.gateway)
        except RefusedError as error:
            log.warning("gateway %s cannot be used: %s", action.target.gateway, error)
            return None

    def _refusals(self, execution: Execution, asked: Asked, action: Action) -> list[str]:
        now = self.clock()
        with self.casebook.reading() as connection:
            said = words_of(connection, asked.id, asked.round)
            done = [e for e in done_since(connection, now - DAY) if e.id != execution.id]
            names = [_action_name(connection, e) for e in done]
            last = next(iter(feedback_of(connection, asked.incident_id)), None)
        touched = None if action.is_told else self.spend.touched(action.target.scope)
        is_open = action.is_told or last is None or last.verdict == "real" or last.is_over(now)
        acts = [name for name in names if not is_told(name)]
        why = refusals(Situation(asked, action, said, acts, touched, is_open, now), self.rails)
        if self.rails.actions.dry_run and not execution.dry_run and not action.is_told:
            why.append("the dry run was turned on since it was begun")
        return why

    def _tell(self, execution: Execution, asked: Asked, action: Action) -> None:
        now = self.clock()
        measures = TellingMeasures(self.routes, self.channel)
        told = Ended("done", measures.told(action, execution.kind))

        def also(connection: Connection) -> None:
            measures.write(connection, execution, asked, action, now)

        self._closing.close(execution, asked, action, told, now, also)

    def _end(self, execution: Execution, asked: Asked, action: Action | None, ended: Ended) -> None:
        self._closing.close(execution, asked, action, ended, self.clock())

    @property
    def _closing(self) -> Closing:
        return Closing(self.casebook, self.owner, self.rails.actions)


def _next_approved(connection: Connection) -> Asked | None:
    statement = (
        select(proposals.c.id)
        .where(proposals.c.state == "approved")
        .order_by(proposals.c.saved_at, proposals.c.id)
        .limit(1)
    )
    found = connection.scalar(statement)
    return read_asked(connection, str(found)) if found else None


def _action_name(connection: Connection, execution: Execution) -> str:
    return str(connection.scalar(select(proposals.c.action).where(proposals.c.id == execution.proposal_id)))
