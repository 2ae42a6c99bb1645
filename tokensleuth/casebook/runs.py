"""The run ledger: what the service does by itself, once for each slot of a duty, also after crashes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, cast

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, update

from tokensleuth.casebook.schema_runs import runs

RunState = Literal["due", "running", "done", "failed"]

_MOST = 2000
"""Slots in one batch: twelve weeks of hours; their text must fit into a pipe, 64 KB."""
_OFTEN = 3
"""What failed so often is tried apart from what failed less often, which it may have pulled down."""


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


class Ended(NamedTuple):
    """How a slot was closed."""

    state: RunState
    note: str


def plan_runs(connection: Connection, duty: str, slots: Sequence[datetime], now: datetime) -> int:
    """Put slots up to be done; those that are known stay as they are. Returns how many are new.

    Call it in a write transaction, which others wait for: nobody plans the same slot meanwhile.
    """
    if not slots:
        return 0
    asked = and_(runs.c.duty == duty, runs.c.slot.between(min(slots), max(slots)))
    known = set(connection.scalars(select(runs.c.slot).where(asked)))
    fresh = [slot for slot in dict.fromkeys(slots) if slot not in known]
    rows = [
        {"duty": duty, "slot": slot, "state": "due", "tries": 0, "planned_at": now, "next_at": now}
        for slot in fresh
    ]
    if rows:
        connection.execute(insert(runs), rows)
    return len(rows)


def reopen_runs(connection: Connection, duty: str, slots: Sequence[datetime], now: datetime) -> int:
    """Have slots that are done, done again; returns how many."""
    over = and_(runs.c.duty == duty, runs.c.slot.in_(slots), runs.c.state == "done")
    return connection.execute(update(runs).where(over).values(state="due", tries=0, next_at=now)).rowcount


def something_due(connection: Connection, now: datetime) -> bool:
    """Whether a claim would find something; only reads."""
    return connection.scalar(select(runs.c.duty).where(_due(now)).limit(1)) is not None


def claim_runs(
    connection: Connection, order: Sequence[str], owner: str, now: datetime, lease: timedelta
) -> Batch | None:
    """Due slots of the first duty in `order` that has some, held by `owner` for `lease`.

    A slot whose holder died is due again when its lease ends. What was never tried is not held up by what
    fails, nor what failed once by what always fails: they are done apart.
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
    due = connection.execute(statement).all()
    least = min(_failures(row.tries) for row in due)
    rows = [row for row in due if _failures(row.tries) == least]
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


def release_runs(connection: Connection, *, keep: str = "") -> None:
    """What a worker that is gone held is due at once; only where nobody but `keep` does any of it."""
    theirs = and_(runs.c.state == "running", runs.c.owner != keep)
    values = {"state": "due", "note": "the service ended in the middle of it"}
    connection.execute(update(runs).where(theirs).values(owner=None, lease_until=None, **values))


def last_slot(connection: Connection, duty: str, until: datetime) -> datetime | None:
    """The latest slot up to `until` that was planned; None: none ever.

    Later ones were planned by a clock that was wrong, and must not keep back those that are due.
    """
    planned = select(runs.c.slot).where(runs.c.duty == duty, runs.c.slot <= until)
    return connection.scalar(planned.order_by(runs.c.slot.desc()).limit(1))


def last_done(connection: Connection, duty: str, until: datetime) -> datetime | None:
    """The latest slot up to `until` that is done."""
    over = and_(runs.c.duty == duty, runs.c.slot <= until, runs.c.state == "done")
    return connection.scalar(select(runs.c.slot).where(over).order_by(runs.c.slot.desc()).limit(1))


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
    """Duties of which a slot was begun so often and is not done, or the last slots all failed; and why."""
    statement = select(runs.c.duty, runs.c.note).where(
        runs.c.state.in_(("due", "running")), runs.c.tries >= tries, runs.c.note.is_not(None)
    )
    often = {row.duty: str(row.note) for row in connection.execute(statement.order_by(runs.c.slot))}
    given_up = connection.scalars(select(runs.c.duty).where(runs.c.state == "failed").distinct())
    ended = {duty: _last_ended(connection, duty, tries) for duty in sorted(given_up)}
    failed = {duty: last[0].note for duty, last in ended.items() if _all_failed(last, tries)}
    return failed | often


def _last_ended(connection: Connection, duty: str, most: int) -> Sequence[Ended]:
    over = and_(runs.c.duty == duty, runs.c.state.in_(("done", "failed")))
    statement = select(runs.c.state, runs.c.note).where(over).order_by(runs.c.slot.desc())
    return [Ended(row.state, str(row.note)) for row in connection.execute(statement.limit(most))]


def _all_failed(ended: Sequence[Ended], least: int) -> bool:
    return len(ended) >= least and all(row.state == "failed" for row in ended)


def _failures(tries: int) -> int:
    """None, some or many."""
    return 2 if tries >= _OFTEN else min(tries, 1)


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
