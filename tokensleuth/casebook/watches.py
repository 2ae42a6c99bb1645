"""Watches in the casebook: what is looked at after an execution, and what was seen last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import Connection, RowMapping, insert, select, update

from ledger.window import instant_text
from tokensleuth.casebook.schema_acts import watches

WatchState = Literal["watching", "returned", "not_returned", "no_data", "undone"]


@dataclass(frozen=True, slots=True)
class Watch:
    """One watch; `plan` and `result` are plain JSON, made and read by `tokensleuth.acting.watch`."""

    execution_id: str
    state: WatchState
    plan: Mapping[str, object]
    result: Mapping[str, object] | None
    due_at: datetime
    until_at: datetime
    updated_at: datetime

    def as_json(self) -> dict[str, object]:
        return {
            "state": self.state,
            "result": self.result,
            "until_at": instant_text(self.until_at),
            "updated_at": instant_text(self.updated_at),
        }


def start_watch(connection: Connection, watch: Watch) -> None:
    """Begin to look after an execution."""
    connection.execute(insert(watches).values({n: getattr(watch, n) for n in Watch.__dataclass_fields__}))


def due_watches(connection: Connection, now: datetime) -> Sequence[Watch]:
    """Those whose next look is due, earliest first."""
    statement = select(watches).where(watches.c.state == "watching", watches.c.due_at <= now)
    return [_watch(row) for row in connection.execute(statement.order_by(watches.c.due_at)).mappings()]


def read_watch(connection: Connection, execution_id: str) -> Watch | None:
    statement = select(watches).where(watches.c.execution_id == execution_id)
    row = connection.execute(statement).mappings().first()
    return _watch(row) if row else None


def stop_watch(connection: Connection, execution_id: str, now: datetime) -> None:
    """What was taken back is not looked after any more."""
    mine = (watches.c.execution_id == execution_id, watches.c.state == "watching")
    connection.execute(update(watches).where(*mine).values(state="undone", updated_at=now))


def save_look(
    connection: Connection,
    watch: Watch,
    *,
    state: WatchState,
    result: Mapping[str, object] | None,
    due_at: datetime,
    now: datetime,
) -> bool:
    """Keep what was seen; False where another process looked first."""
    same = (watches.c.execution_id == watch.execution_id, watches.c.updated_at == watch.updated_at)
    values = {"state": state, "result": result, "due_at": due_at, "updated_at": now}
    return (
        connection.execute(
            update(watches).where(*same, watches.c.state == "watching").values(values)
        ).rowcount
        == 1
    )


def _watch(row: RowMapping) -> Watch:
    values = {name: row[name] for name in Watch.__dataclass_fields__}
    return Watch(**cast(dict[str, object], values))  # type: ignore[arg-type]
