"""What is still to be done in a casebook, and when the next of it is due."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, func, select

from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import count_entries
from tokensleuth.casebook.decided import lapsed
from tokensleuth.casebook.executed import ends_by
from tokensleuth.casebook.schema import proposals
from tokensleuth.casebook.schema_acts import executions, inbox, outbox

_OPEN: tuple[tuple[Table, str], ...] = ((inbox, "new"), (outbox, "waiting"), (executions, "executing"))


@dataclass(frozen=True, slots=True)
class Progress:
    """Two that are equal say that nothing happened in between."""

    open: tuple[int, ...]
    """Items, letters, executions, proposals under way, things whose time has come."""
    seen: tuple[object, ...]
    next_at: datetime | None
    """When something that waits is due, or free again."""

    @property
    def is_done(self) -> bool:
        return not any(self.open)


def progress(casebook: Casebook, now: datetime) -> Progress:
    with casebook.reading() as connection:
        waiting = [_waiting(connection, table, state, now) for table, state in _OPEN]
        under_way = select(func.count()).where(proposals.c.state.in_(("approved", "executing")))
        moving = int(connection.scalar(under_way) or 0)
        timely = len(lapsed(connection, now)) + len(ends_by(connection, now))
        seen = (count_entries(connection), *((w.number, w.tries) for w in waiting))
    instants = [w.next_at for w in waiting if w.next_at is not None]
    return Progress((*(w.number for w in waiting), moving, timely), seen, min(instants, default=None))


@dataclass(frozen=True, slots=True)
class _Waiting:
    number: int
    tries: int
    next_at: datetime | None


def _waiting(connection: Connection, table: Table, state: str, now: datetime) -> _Waiting:
    rows = connection.execute(
        select(table.c.tries, table.c.next_at, table.c.lease_until).where(table.c.state == state)
    ).all()
    instants = [at for row in rows for at in (row.next_at, row.lease_until) if at is not None and at > now]
    return _Waiting(len(rows), sum(row.tries for row in rows), min(instants, default=None))
