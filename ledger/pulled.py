"""What the ledger keeps about the sources it is fed from: how far they were pulled, names, daily costs."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, TypeAlias

import duckdb
import pandas as pd

from ledger.catalogue import utc_naive
from ledger.ingest.charges import own_charges
from ledger.ingest.contract import MEASURES
from ledger.ingest.scopes import Owned
from ledger.scope import UNALLOCATED
from ledger.sources.told import Cells, ToldCost

Names: TypeAlias = Mapping[tuple[str, str, str], str]
"""By provider, dimension (`project`, `key_id` or `user`) and id."""


class Stream(NamedTuple):
    """One report of one configured source."""

    source: str
    name: str


class _Row(NamedTuple):
    """One of `pulled_rows`."""

    record_id: str
    cells: str


@dataclass(frozen=True, slots=True)
class Pulled:
    """Small tables beside usage; every method is one transaction."""

    connection: duckdb.DuckDBPyConnection

    def complete_until(self, stream: Stream) -> datetime | None:
        """The end of what was pulled without a gap; None before the first pull."""
        found = self.connection.execute(
            "select complete_until from pulled_streams where source = ? and stream = ?", list(stream)
        ).fetchone()
        return found[0].replace(tzinfo=UTC) if found else None

    def remember(self, stream: Stream, rows: Mapping[str, tuple[datetime, Cells]]) -> None:
        """Before they are loaded: what the ledger may hold is always known here."""
        known = {row.record_id for row in self._remembered(stream, {hour for hour, _ in rows.values()})}
        fresh = [
            (*stream, utc_naive(hour), record_id, json.dumps(cells, sort_keys=True))
            for record_id, (hour, cells) in rows.items()
            if record_id not in known
        ]
        if fresh:
            with self._transaction():
                self._insert("pulled_rows", ("source", "stream", "hour", "record_id", "cells"), fresh)

    def vanished(self, stream: Stream, hours: Collection[datetime], told: Collection[str]) -> list[Cells]:
        """Rows of these hours that were told before and are not any more, with nothing in them."""
        return [
            _emptied(json.loads(row.cells))
            for row in self._remembered(stream, hours)
            if row.record_id not in told
        ]

    def finish(
        self,
        stream: Stream,
        *,
        complete_until: datetime,
        keep: timedelta,
        now: datetime,
        gone: Collection[str] = (),
    ) -> datetime:
        """After all was loaded: the mark as it is then, which never goes back.

        Rows are kept for so long before the mark as they may be told again.
        """
        reached = max(complete_until, self.complete_until(stream) or complete_until)
        with self._transaction():
            self.connection.execute(
                "delete from pulled_streams where source = ? and stream = ?", list(stream)
            )
            self.connection.execute(
                "insert into pulled_streams values (?, ?, ?, ?)",
                [*stream, utc_naive(reached), utc_naive(now)],
            )
            self.connection.execute(
                """delete from pulled_rows where source = ? and stream = ?
                    and (hour < ? or list_contains(?::varchar[], record_id))""",
                [*stream, utc_naive(reached - keep), list(gone)],
            )
        return reached

    def replace_costs(
        self, stream: Stream, provider: str, days: Collection[date], costs: Iterable[ToldCost], now: datetime
    ) -> int:
        """What these days cost by their latest telling; returns the number of lines."""
        rows = [
            (
                stream.source, provider, cost.day, cost.project, cost.key_id, cost.line_item,
                cost.quantity, cost.unit, cost.cost_pico, utc_naive(now),
            )
            for cost in costs
        ]  # fmt: skip
        with self._transaction():
            self.connection.execute(
                """delete from provider_costs where source = ? and provider = ?
                    and list_contains(?::date[], day)""",
                [stream.source, provider, list(days)],
            )
            if rows:
                self.connection.executemany(
                    "insert into provider_costs values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
                )
        return len(rows)

    def names(self) -> dict[tuple[str, str, str], str]:
        found = self.connection.execute("select provider, dimension, id, name from source_names").fetchall()
        return {(provider, dimension, id_): name for provider, dimension, id_, name in found}

    def learn_names(self, names: Names) -> None:
        """New names, and new ones for ids that had another."""
        known = self.names()
        fresh = [(*key, name) for key, name in names.items() if known.get(key) != name]
        if not fresh:
            return
        with self._transaction():
            for provider, dimension, id_, _ in fresh:
                if (provider, dimension, id_) in known:
                    self.connection.execute(
                        "delete from source_names where provider = ? and dimension = ? and id = ?",
                        [provider, dimension, id_],
                    )
            self._insert("source_names", ("provider", "dimension", "id", "name"), fresh)

    def own_the_unowned(self, team_of: Callable[[Owned], str]) -> int:
        """Give scopes without a team the one that names known by now lead to; returns how many got one."""
        unowned = self.connection.execute(
            """select scope_id, provider, project, key_id, "user" from scopes
            where given_team = '' and team = ?""",
            [UNALLOCATED],
        ).fetchall()
        facts = {
            scope_id: Owned(*("" if t == UNALLOCATED else str(t) for t in texts))
            for scope_id, *texts in unowned
        }
        teams = {owned: team_of(owned) for owned in set(facts.values())}
        owned = [(teams[of], scope_id) for scope_id, of in facts.items() if teams[of] != UNALLOCATED]
        with self._transaction():
            if owned:
                self.connection.executemany("update scopes set team = ? where scope_id = ?", owned)
            own_charges(self.connection, team_of)
        return len(owned)

    def _remembered(self, stream: Stream, hours: Collection[datetime]) -> list[_Row]:
        if not hours:
            return []
        wanted = {utc_naive(hour) for hour in hours}
        found = self.connection.execute(
            """select hour, record_id, cells from pulled_rows
            where source = ? and stream = ? and hour between ? and ?""",
            [*stream, min(wanted), max(wanted)],
        ).fetchall()
        return [_Row(record_id, cells) for hour, record_id, cells in found if hour in wanted]

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
        self.connection.register("pulled_frame", pd.DataFrame(rows, columns=list(columns)))
        try:
            self.connection.execute(f"insert into {table} select * from pulled_frame")
        finally:
            self.connection.unregister("pulled_frame")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.execute("begin")
        try:
            yield
        except BaseException:
            self.connection.execute("rollback")
            raise
        self.connection.execute("commit")


def _emptied(cells: Cells) -> Cells:
    """The same record with no requests, no tokens and no cost."""
    return {name: 0 if name in _COUNTS else value for name, value in cells.items()}


_COUNTS = frozenset(column.name for column in MEASURES) | {
    "BilledCost", "EffectiveCost", "ContractedCost", "ListCost", "ConsumedQuantity", "PricingQuantity",
    "PricingCurrencyEffectiveCost",
}  # fmt: skip
"""What a record is emptied of: the measures of usage, the amounts of a bill."""
