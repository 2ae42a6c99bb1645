"""Inbox and outbox: stored first, worked on later, by one worker at a time, none lost and none doubled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tokensleuth.casebook.schema_acts import executions, inbox, outbox

LEASE = timedelta(seconds=120)
"""A worker that holds a row for longer is taken for dead; every call to the outside ends well before."""


JOB = "job"
"""The source of inbox items that are long work for ourselves: investigations somebody asked for."""


@dataclass(frozen=True, slots=True)
class Letter:
    """Something to be sent; what it says is rendered when it is sent, from the casebook as it is then."""

    id: str
    """Made from facts: a letter of the same id is not written twice."""
    lane: str
    """Letters of a lane are sent in order; such as `slack:C1`."""
    kind: str
    incident_id: str | None
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Queued:
    """A row that a worker holds."""

    number: int
    id: str
    kind: str
    incident_id: str | None
    lane: str
    body: Mapping[str, object]
    tries: int
    """Begun before this one; above 0 an earlier try may have come through."""
    at: datetime
    """When it was put in."""


def put_in_inbox(
    connection: Connection, item_id: str, source: str, body: Mapping[str, object], now: datetime
) -> bool:
    """Store what came in; False where it came before."""
    row = {"id": item_id, "source": source, "body": dict(body), "state": "new", "tries": 0}
    return _insert_new(connection, inbox, row | {"received_at": now, "next_at": now})


def put_in_outbox(
    connection: Connection, letter: Letter, now: datetime, *, not_before: datetime | None = None
) -> bool:
    """Write a letter; False where one of its id was written before.

    One that waits for `not_before` holds up its lane: give it a lane of its own.
    """
    row = {
        "id": letter.id,
        "lane": letter.lane,
        "kind": letter.kind,
        "incident_id": letter.incident_id,
        "letter": dict(letter.body),
        "state": "waiting",
        "tries": 0,
        "created_at": now,
        "next_at": max(now, not_before or now),
    }
    return _insert_new(connection, outbox, row)


def is_in_outbox(connection: Connection, letter_id: str) -> bool:
    """Whether a letter of that id was ever written."""
    return connection.scalar(select(outbox.c.id).where(outbox.c.id == letter_id)) is not None


def take_from_inbox(
    connection: Connection, owner: str, now: datetime, *, jobs: bool = False
) -> Queued | None:
    """The earliest item that is due, held by `owner` until done, put off or the lease ends.

    Jobs, which take minutes, are taken by workers of their own.
    """
    of_kind = inbox.c.source == JOB if jobs else inbox.c.source != JOB
    due = and_(inbox.c.state == "new", of_kind, inbox.c.next_at <= now, _free(inbox, now))
    row = _take(connection, inbox, due, owner, now)
    return _queued(row, row["source"], "inbox", row["body"], row["received_at"]) if row else None


def take_from_outbox(connection: Connection, owner: str, now: datetime) -> Queued | None:
    """The earliest letter of a lane whose turn it is; a lane waits for its first letter."""
    first = select(func.min(outbox.c.number)).where(outbox.c.state == "waiting").group_by(outbox.c.lane)
    due = and_(outbox.c.number.in_(first), outbox.c.next_at <= now, _free(outbox, now))
    row = _take(connection, outbox, due, owner, now)
    return _queued(row, row["kind"], row["lane"], row["letter"], row["created_at"]) if row else None


def finish_inbox(
    connection: Connection, number: int, owner: str, *, state: str, note: str, now: datetime
) -> bool:
    """Close an item as `done` or `refused`; False where the lease was lost."""
    values = {"state": state, "note": note, "handled_at": now, "owner": None, "lease_until": None}
    return _close(connection, inbox, number, owner, values)


def finish_outbox(
    connection: Connection, number: int, owner: str, *, reply: Mapping[str, object], now: datetime
) -> bool:
    """The letter is out; `reply` says where."""
    values = {"state": "sent", "reply": dict(reply), "sent_at": now, "owner": None, "lease_until": None}
    return _close(connection, outbox, number, owner, values)


def drop_from_outbox(connection: Connection, number: int, owner: str, *, error: str, now: datetime) -> bool:
    """The letter can never be sent; the lane goes on."""
    values = {"state": "failed", "error": error, "sent_at": now, "owner": None, "lease_until": None}
    return _close(connection, outbox, number, owner, values)


def put_off(
    connection: Connection,
    table: Table,
    number: int,
    owner: str,
    *,
    until: datetime,
    why: str,
    sent: bool = True,
) -> bool:
    """Try again from `until` on; `sent` False says that surely nothing went out."""
    values: dict[str, object] = {"next_at": until, "owner": None, "lease_until": None}
    values["note" if table is inbox else "error"] = why
    if not sent:
        values["tries"] = table.c.tries - 1
    return _close(connection, table, number, owner, values)


def keep_hold(connection: Connection, table: Table, number: int, owner: str, now: datetime) -> bool:
    """Renew the lease of a row that takes long; False where it was lost."""
    return _close(connection, table, number, owner, {"lease_until": now + LEASE})


def release_all(connection: Connection) -> None:
    """Free what dead workers held; only for a process that knows itself to be the only one."""
    for table in (inbox, outbox, executions):
        connection.execute(update(table).values(owner=None, lease_until=None))


def _take(
    connection: Connection, table: Table, due: ColumnElement[bool], owner: str, now: datetime
) -> RowMapping | None:
    """Compare-and-set: of two workers that see the same row, one gets it."""
    chosen = select(table).where(due).order_by(table.c.number).limit(1).with_for_update(skip_locked=True)
    row = connection.execute(chosen).mappings().first()
    if row is None:
        return None
    held = {"owner": owner, "lease_until": now + LEASE, "tries": table.c.tries + 1}
    taken = connection.execute(update(table).where(table.c.number == row["number"], due).values(held))
    return row if taken.rowcount == 1 else None


def _close(
    connection: Connection, table: Table, number: int, owner: str, values: Mapping[str, object]
) -> bool:
    statement = update(table).where(table.c.number == number, table.c.owner == owner).values(dict(values))
    return connection.execute(statement).rowcount == 1


def _free(table: Table, now: datetime) -> ColumnElement[bool]:
    return or_(table.c.owner.is_(None), table.c.lease_until <= now)


def _insert_new(connection: Connection, table: Table, row: Mapping[str, object]) -> bool:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(dict(row)).on_conflict_do_nothing(index_elements=[table.c.id])
    return connection.scalar(statement.returning(table.c.number)) is not None


def _queued(row: RowMapping, kind: str, lane: str, body: object, at: datetime) -> Queued:
    return Queued(
        number=row["number"],
        id=row["id"],
        kind=kind,
        incident_id=row.get("incident_id"),
        lane=lane,
        body=cast(Mapping[str, object], body),
        tries=row["tries"],
        at=at,
    )


def waiting_letters(connection: Connection) -> Sequence[RowMapping]:
    """All that is not out yet, in order; what health and doctor tell of."""
    statement = select(outbox).where(outbox.c.state == "waiting").order_by(outbox.c.number)
    return connection.execute(statement).mappings().all()
