"""Executions in the casebook: the intent before a gateway is called, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, insert, not_, or_, select, tuple_, update

from ledger.ids import fact_id
from ledger.window import instant_text
from tokensleuth.casebook.decided import Asked
from tokensleuth.casebook.schema_acts import executions

TRY_AGAIN = timedelta(hours=1)
"""After so long the end of a limit is tried again whose gateway did not answer or refused."""

LEASE = timedelta(seconds=600)
"""Who holds a row for longer is taken for dead: one write may need pages of a provider before it is sent."""

ExecutionKind = Literal["apply", "undo"]
ExecutionState = Literal["executing", "done", "failed", "unknown", "blocked"]


@dataclass(frozen=True, slots=True)
class Execution:
    """One attempt to make a proposal so, or to take it back."""

    id: str
    proposal_id: str
    round: int
    kind: ExecutionKind
    state: ExecutionState
    gateway: str
    dry_run: bool
    place: Mapping[str, object] | None
    before: Mapping[str, object] | None
    wanted: Mapping[str, object] | None
    """Set just before the gateway is called: where it is missing, nothing was sent."""
    observed: Mapping[str, object] | None
    reason: str | None
    tries: int
    requested_by: str
    started_at: datetime
    finished_at: datetime | None
    undo_at: datetime | None
    """When a temporary limit is taken back by itself."""
    attempt: int = 1
    """Counts how often an undo was asked for anew, after it was blocked or failed."""

    @property
    def idempotency_key(self) -> str:
        """The same for every write of an attempt, and another for the next: that is meant to be done."""
        return self.id if self.attempt == 1 else f"{self.id}-{self.attempt}"

    def as_json(self) -> dict[str, object]:
        instants = ("started_at", "finished_at", "undo_at")
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in instants}
        return plain | {name: _instant_text(getattr(self, name)) for name in instants}


def execution_id(proposal_id: str, round_number: int, kind: ExecutionKind) -> str:
    """One of a kind for each round: also the idempotency key that the gateway is given."""
    return fact_id("exec", proposal_id, round_number, kind)


def begin(
    connection: Connection,
    asked: Asked,
    kind: ExecutionKind,
    *,
    gateway: str,
    dry_run: bool,
    requested_by: str,
    owner: str | None,
    now: datetime,
) -> Execution:
    """Insert the row, held by `owner` or nobody yet; the unique key refuses a second one in the round."""
    execution = Execution(
        id=execution_id(asked.id, asked.round, kind),
        proposal_id=asked.id,
        round=asked.round,
        kind=kind,
        state="executing",
        gateway=gateway,
        dry_run=dry_run,
        place=None,
        before=None,
        wanted=None,
        observed=None,
        reason=None,
        tries=0,
        requested_by=requested_by,
        started_at=now,
        finished_at=None,
        undo_at=None,
    )
    row = {f.name: getattr(execution, f.name) for f in fields(execution)}
    held = {"owner": owner, "lease_until": now + LEASE if owner else None, "next_at": now}
    connection.execute(insert(executions).values(row | held))
    return execution


def take_due(connection: Connection, owner: str, now: datetime) -> Execution | None:
    """An execution that is under way and that nobody holds any more: after a crash, or put off."""
    due = and_(executions.c.state == "executing", executions.c.next_at <= now, _free(now))
    chosen = select(executions).where(due).order_by(executions.c.started_at).limit(1)
    row = connection.execute(chosen.with_for_update(skip_locked=True)).mappings().first()
    if row is None:
        return None
    held = {"owner": owner, "lease_until": now + LEASE}
    taken = connection.execute(update(executions).where(executions.c.id == row["id"], due).values(held))
    return _execution(row) if taken.rowcount == 1 else None


def change(connection: Connection, execution_id: str, owner: str, /, **values: object) -> bool:
    """Write to a row that is under way and held by `owner`; False where the lease was lost."""
    mine = (
        executions.c.id == execution_id,
        executions.c.owner == owner,
        executions.c.state == "executing",
    )
    return connection.execute(update(executions).where(*mine).values(values)).rowcount == 1


def due_at(connection: Connection, execution_id: str) -> datetime | None:
    """Since when somebody should have worked on it."""
    return connection.scalar(select(executions.c.next_at).where(executions.c.id == execution_id))


def read_execution(connection: Connection, execution_id: str) -> Execution | None:
    row = connection.execute(select(executions).where(executions.c.id == execution_id)).mappings().first()
    return _execution(row) if row else None


def executions_of(connection: Connection, proposal_id: str) -> Sequence[Execution]:
    """All of a proposal, latest round first, and in a round the apply first."""
    statement = (
        select(executions)
        .where(executions.c.proposal_id == proposal_id)
        .order_by(executions.c.round.desc(), executions.c.kind)
    )
    return [_execution(row) for row in connection.execute(statement).mappings()]


def applied_at(connection: Connection, above: Execution) -> Sequence[Execution]:
    """What was done at the same place before another execution, latest first."""
    statement = select(executions).where(
        executions.c.kind == "apply",
        executions.c.state == "done",
        executions.c.dry_run.is_(False),
        executions.c.gateway == above.gateway,
        executions.c.place == above.place,
        executions.c.id != above.id,
        executions.c.finished_at <= above.started_at,
    )
    latest_first = statement.order_by(executions.c.finished_at.desc(), executions.c.id)
    return [_execution(row) for row in connection.execute(latest_first).mappings()]


def done_since(connection: Connection, since: datetime) -> Sequence[Execution]:
    """What was really changed, or may have been, from an instant on; rehearsals are left out."""
    statement = select(executions).where(
        executions.c.kind == "apply",
        executions.c.dry_run.is_(False),
        executions.c.started_at >= since,
        executions.c.state.in_(("executing", "done", "unknown")),
    )
    return [_execution(row) for row in connection.execute(statement).mappings()]


def ends_by(connection: Connection, now: datetime) -> Sequence[Execution]:
    """Temporary limits whose time is over and which nobody has taken back, or could not for an hour."""
    away = and_(executions.c.state == "failed", executions.c.finished_at <= now - TRY_AGAIN)
    undone = select(executions.c.proposal_id, executions.c.round).where(
        executions.c.kind == "undo", not_(away)
    )
    statement = select(executions).where(
        executions.c.kind == "apply",
        executions.c.state.in_(("done", "unknown")),
        executions.c.undo_at <= now,
        tuple_(executions.c.proposal_id, executions.c.round).not_in(undone),
    )
    return [_execution(row) for row in connection.execute(statement).mappings()]


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(executions.c.owner.is_(None), executions.c.lease_until <= now)


def _instant_text(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)


def _execution(row: RowMapping) -> Execution:
    return Execution(**{f.name: row[f.name] for f in fields(Execution)})
