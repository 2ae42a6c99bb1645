"""Deletes usage that is kept no longer: raw rows first, their hourly sums much later or never.

A record that comes again after its row is gone would count twice, so ingest refuses what is before the edge.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import duckdb

from ledger.catalogue import utc_naive

DAY = timedelta(days=1)
_TABLES = {
    "usage": ("usage", "started_at"),
    "usage_restated": ("usage_restated", "started_at"),
    "usage_hourly": ("usage_hourly", "hour"),
    "cost_history": ("cost_history", "hour"),
    "usage_funding": ("usage_funding", "started_at"),
}
"""By the name that is told: the table and its instant."""
_OF: Mapping[Literal["usage_from", "hourly_from"], tuple[str, ...]] = {
    "usage_from": ("usage", "usage_restated"),
    "hourly_from": ("usage_hourly", "cost_history", "usage_funding"),
}
_UNUSED_SCOPES = " and ".join(
    f"scope_id not in (select scope_id from {table})"
    for table in ("usage", "usage_restated", "usage_hourly", "cost_history", "usage_funding")
)


@dataclass(frozen=True, slots=True)
class Edges:
    """Midnights since when each is kept; None: for ever."""

    usage_from: datetime | None = None
    hourly_from: datetime | None = None

    def __post_init__(self) -> None:
        for edge in (self.usage_from, self.hourly_from):
            if edge is not None and edge.astimezone(UTC).time() != datetime.min.time():
                raise ValueError(f"{edge} is no midnight of UTC")
        if self.hourly_from and (self.usage_from is None or self.usage_from < self.hourly_from):
            raise ValueError("raw usage cannot be kept for longer than its hourly sums")


@dataclass(frozen=True, slots=True)
class Retention:
    """What is deleted stays deleted: an edge never goes back."""

    connection: duckdb.DuckDBPyConnection

    def edges(self) -> Edges:
        """As they are in the ledger."""
        rows = self.connection.execute("select usage_from, hourly_from from kept_from").fetchall()
        return Edges(*(at and at.replace(tzinfo=UTC) for at in rows[0])) if rows else Edges()

    def due(self, edges: Edges) -> dict[str, int]:
        """How many rows of each table are before the edges."""
        return {
            name: self._count(*_TABLES[name], edge)
            for which, names in _OF.items()
            if (edge := getattr(edges, which)) is not None
            for name in names
        }

    def forget(self, edges: Edges, now: datetime) -> int:
        """Delete what is before the edges, a day in a transaction; returns how many rows are gone.

        Each transaction moves the edge with the rows, so that a kill in between leaves nothing half done.
        """
        gone = 0
        for which, names in _OF.items():
            edge: datetime | None = getattr(edges, which)
            if edge is not None:
                gone += sum(
                    self._forget_before(which, names, until, now) for until in self._days(names, edge)
                )
        if edges.hourly_from is not None:
            with self._transaction():
                gone += self._changed(f"delete from scopes where {_UNUSED_SCOPES}")
        if gone:
            self.connection.execute("checkpoint")
        return gone

    def _days(self, names: tuple[str, ...], edge: datetime) -> Iterator[datetime]:
        """The ends of the days to delete up to, the edge itself last."""
        while (first := self._first(names, edge)) is not None and first + DAY < edge:
            yield first + DAY
        yield edge

    def _first(self, names: tuple[str, ...], edge: datetime) -> datetime | None:
        """The earliest day before the edge that has rows."""
        firsts = " union all ".join(
            f"select min({at}) as earliest from {t}" for t, at in (_TABLES[name] for name in names)
        )
        found = self.connection.execute(f"select min(earliest) from ({firsts})").fetchone()
        if found is None or found[0] is None or found[0] >= utc_naive(edge):
            return None
        return datetime.combine(found[0].date(), datetime.min.time(), UTC)

    def _forget_before(
        self,
        which: Literal["usage_from", "hourly_from"],
        names: tuple[str, ...],
        until: datetime,
        now: datetime,
    ) -> int:
        with self._transaction():
            gone = sum(
                self._changed(f"delete from {table} where {at} < ?", utc_naive(until))
                for table, at in (_TABLES[name] for name in names)
            )
            self._move_edge(which, until, now)
        return gone

    def _move_edge(self, which: Literal["usage_from", "hourly_from"], until: datetime, now: datetime) -> None:
        known = self.edges()
        former: datetime | None = getattr(known, which)
        moved = max(until, former or until)
        usage_from = moved if which == "usage_from" else known.usage_from
        hourly_from = moved if which == "hourly_from" else known.hourly_from
        values = [None if at is None else utc_naive(at) for at in (usage_from, hourly_from, now)]
        self.connection.execute("delete from kept_from")
        self.connection.execute("insert into kept_from values (?, ?, ?)", values)

    def _count(self, table: str, at: str, edge: datetime) -> int:
        return self._changed(f"select count(*) from {table} where {at} < ?", utc_naive(edge))

    def _changed(self, sql: str, *values: object) -> int:
        """The number that the statement tells: of rows counted, or deleted."""
        row = self.connection.execute(sql, list(values)).fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.execute("begin")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback")
            raise
        self.connection.execute("commit")
