"""The run ledger: what the service does by itself, once for each slot of a duty, also after crashes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from tokensleuth.casebook.schema_runs import runs

RunState = Literal["due", "running", "done", "failed"]

_MOST = 5000
"""Slots in one batch: more than half a year of hours."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Slots of one duty that are done together."""

    duty: str
    slots: tuple[datetime, ...]
    """Earliest first."""
    tries: int
    """Of the slot tried most, this try included."""


@dataclass(frozen=True, slots=True)
class Run:
    """One slot as it stands."""

    duty: str
    slot: datetime
    state: RunState
    tries: int
    note: str | None
    document: Mapping[str, object] | None
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None


def plan_runs(connection: Connection, duty: str, slots: Sequence[datetime], now: datetime) -> int:
    """Put slots up to be done; those that are known stay as they are. Returns how many are new.

    Call it in a write transaction, which others wait for: nobody plans the same slot meanwhile.
    """
    if not slots:
        return 0
    asked = and_(runs.c.duty == duty, runs.c.slot.in_(slots))
    known = set(connection.scalars(select(runs.c.slot).where(asked)))
    fresh = [slot for slot in dict.fromkeys(slots) if slot not in known]
    rows = [
        {"duty": duty, "slot": slot, "state": "due", "tries": 0, "planned_at": now, "next_at": now}
        for slot in fresh
    ]
    if rows:
        connection.execute(insert(runs), rows)
    return len(rows)


def something_due(connection: Connection, now: datetime) -> bool:
    """Whether a claim would find something; only reads."""
    return connection.scalar(select(runs.c.duty).where(_due(now)).limit(1)) is not None


def claim_runs(
    connection: Connection, order: Sequence[str], owner: str, now: datetime, lease: timedelta
) -> Batch | None:
    """All due slots of the first duty in `order` that has some, held by `owner` for `lease`.

    A slot whose holder died is due again when its lease ends.
    """
    waiting = set(connection.scalars(select(runs.c.duty).where(_due(now)).distinct()))
    duty = next((name for name in order if name in waiting), None)
    if duty is None:
        return None
    statement = (
        select(runs.c.slot, runs.c.tries)
        .where(runs.c.duty == duty, _due(now))
        .order_by(runs.c.slot)
        .limit(_MOST)
    )
    rows = connection.execute(statement).all()
    slots = tuple(row.slot for row in rows)
    connection.execute(
        update(runs)
        .where(runs.c.duty == duty, runs.c.slot.in_(slots))
        .values(state="running", owner=owner, lease_until=now + lease, started_at=now, tries=runs.c.tries + 1)
    )
    return Batch(duty, slots, max(row.tries for row in rows) + 1)


def hold_runs(connection: Connection, batch: Batch, owner: str, until: datetime) -> bool:
    """Hold them for longer; False where another has them by now."""
    return _change(connection, batch, owner, {"lease_until": until})


def finish_runs(
    connection: Connection,
    batch: Batch,
    owner: str,
    *,
    state: Literal["done", "failed"],
    note: str,
    document: Mapping[str, object] | None,
    now: datetime,
    seconds: float,
) -> bool:
    """Close them; False, and nothing is changed, where another has them by now."""
    values = {
        "state": state,
        "note": note,
        "document": None if document is None else dict(document),
        "finished_at": now,
        "seconds": seconds,
        "owner": None,
        "lease_until": None,
    }
    return _change(connection, batch, owner, values)


def put_off_runs(
    connection: Connection, batch: Batch, owner: str, until: datetime, why: str, *, tries: int | None = None
) -> bool:
    """Try them again later; `tries` where this one was none."""
    values = {"state": "due", "next_at": until, "note": why, "owner": None, "lease_until": None}
    if tries is not None:
        values["tries"] = tries
    return _change(connection, batch, owner, values)


def release_runs(connection: Connection) -> None:
    """What a worker that is gone held is due at once; only where nobody else works on this casebook."""
    connection.execute(
        update(runs).where(runs.c.state == "running").values(state="due", owner=None, lease_until=None)
    )


def last_slot(connection: Connection, duty: str) -> datetime | None:
    """The latest slot that was planned; None: none ever."""
    latest = select(runs.c.slot).where(runs.c.duty == duty).order_by(runs.c.slot.desc()).limit(1)
    return connection.scalar(latest)


def latest_runs(connection: Connection) -> Sequence[Run]:
    """The latest slot of each duty that was begun, in the order of their names."""
    latest = (
        select(runs.c.duty, func.max(runs.c.slot).label("slot"))
        .where(runs.c.tries > 0)
        .group_by(runs.c.duty)
        .subquery()
    )
    both = and_(runs.c.duty == latest.c.duty, runs.c.slot == latest.c.slot)
    statement = select(runs).join(latest, both).order_by(runs.c.duty)
    return [
        Run(
            **{name: row[name] for name in Run.__dataclass_fields__ if name != "document"},
            document=cast(Mapping[str, object] | None, row["document"]),
        )
        for row in connection.execute(statement).mappings()
    ]


def stuck_runs(connection: Connection, tries: int) -> Mapping[str, str]:
    """The duties of which a slot that is not done was begun so often, each with the last reason."""
    statement = select(runs.c.duty, runs.c.note).where(
        runs.c.state.in_(("due", "running")), runs.c.tries >= tries, runs.c.note.is_not(None)
    )
    return {row.duty: str(row.note) for row in connection.execute(statement.order_by(runs.c.slot))}


def _due(now: datetime) -> ColumnElement[bool]:
    asked = and_(runs.c.state == "due", runs.c.next_at <= now)
    return or_(asked, and_(runs.c.state == "running", runs.c.lease_until <= now))


def _change(connection: Connection, batch: Batch, owner: str, values: Mapping[str, object]) -> bool:
    mine = and_(
        runs.c.duty == batch.duty,
        runs.c.slot.in_(batch.slots),
        runs.c.owner == owner,
        runs.c.state == "running",
    )
    held = connection.scalar(select(func.count()).select_from(runs).where(mine)) or 0
    if held != len(batch.slots):
        return False
    connection.execute(update(runs).where(mine).values(**values))
    return True
