"""Ends an execution in one transaction: its row, the proposal, the audit entry, letters, the watch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from tokensleuth.acting.action import Action
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Entry, append_entry
from tokensleuth.casebook.decided import Asked
from tokensleuth.casebook.executed import Execution, ExecutionState, change, execution_id
from tokensleuth.casebook.schema import proposals
from tokensleuth.casebook.telling import tell_incident
from tokensleuth.casebook.watches import Watch, start_watch, stop_watch
from tokensleuth.settings_acts import Actions

FIRST_LOOK = timedelta(hours=2)
"""The first whole hour after an action is over by then, and its usage has come in."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended, in words for people."""

    state: ExecutionState
    reason: str
    observed: Mapping[str, object] | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Closing:
    """What a close needs besides the execution itself."""

    casebook: Casebook
    owner: str
    actions: Actions

    def close(
        self,
        execution: Execution,
        asked: Asked,
        action: Action | None,
        ended: Ended,
        now: datetime,
        also: Callable[[Connection], None] | None = None,
    ) -> bool:
        """False where the lease was lost: another process has the execution, and ends it.

        `also` writes in the same transaction.
        """
        undo_at = self._undo_at(execution, action, ended, now)
        values = {
            "state": ended.state,
            "reason": ended.reason,
            "observed": ended.observed,
            "dry_run": ended.dry_run or execution.dry_run,
            "finished_at": now,
            "undo_at": undo_at,
            "lease_until": None,
        }
        with self.casebook.writing() as connection:
            if not change(connection, execution.id, self.owner, **values):
                return False
            if execution.kind == "apply":
                statement = update(proposals).where(
                    proposals.c.id == asked.id, proposals.c.state == "executing"
                )
                connection.execute(statement.values(state=ended.state, saved_at=now))
            if also is not None:
                also(connection)
            append_entry(connection, self._entry(execution, asked, ended, now), self.casebook.key)
            self._tell(connection, execution, asked, ended, now)
            if self._is_watched(execution, action, ended):
                self._watch(connection, execution, action, now)
            elif execution.kind == "undo" and ended.state == "done":
                stop_watch(connection, execution_id(asked.id, execution.round, "apply"), now)
        return True

    def _undo_at(
        self, execution: Execution, action: Action | None, ended: Ended, now: datetime
    ) -> datetime | None:
        """When a temporary limit ends; what was not done, or only rehearsed, has no end."""
        if execution.kind == "undo" or action is None or not action.is_temporary:
            return None
        if ended.dry_run or execution.dry_run or ended.state not in ("done", "unknown"):
            return None
        hours = self.actions.limit_hours
        return now + timedelta(hours=hours) if hours else None

    def _is_watched(self, execution: Execution, action: Action | None, ended: Ended) -> bool:
        really = ended.state == "done" and not (ended.dry_run or execution.dry_run)
        return really and execution.kind == "apply" and action is not None and not action.is_told

    def _watch(
        self, connection: Connection, execution: Execution, action: Action | None, now: datetime
    ) -> None:
        plan = {"done_at": now.isoformat(), "scope": action.target.scope.as_dict() if action else {}}
        until = now + timedelta(hours=self.actions.watch_hours)
        start_watch(connection, Watch(execution.id, "watching", plan, None, now + FIRST_LOOK, until, now))

    def _entry(self, execution: Execution, asked: Asked, ended: Ended, now: datetime) -> Entry:
        document = {
            "proposal_id": asked.id,
            "incident_id": asked.incident_id,
            "action": asked.action,
            "gateway": execution.gateway,
            "dry_run": ended.dry_run or execution.dry_run,
            "reason": ended.reason,
            "before": execution.before,
            "wanted": execution.wanted,
            "observed": ended.observed,
        }
        return Entry("service:executor", f"{execution.kind} {ended.state}", execution.id, document, now)

    def _tell(
        self, connection: Connection, execution: Execution, asked: Asked, ended: Ended, now: datetime
    ) -> None:
        """What did not come to be is told as loudly as what did."""
        if ended.state != "done":
            body = {"proposal_id": asked.id, "execution_id": execution.id, "told": ended.reason}
            tell_incident(connection, asked.incident_id, "refused", body, now)
            return
        kind = "executed" if execution.kind == "apply" else "undone"
        tell_incident(connection, asked.incident_id, kind, {"execution_id": execution.id}, now)
