"""The numbers of series, the same in every model, and which scopes of the ledger each series holds."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from ledger.catalogue import utc_naive
from ledger.scope import DIMENSIONS, Dimension, Scope
from ledger.window import Window

Level = tuple[Dimension, ...]
"""The dimensions that the series of a level pin."""


@dataclass(frozen=True, slots=True)
class Members:
    """Which series of each level holds which scope of the ledger."""

    series_id: NDArray[np.int32]
    """Shape (levels, highest scope id + 1); -1 where there is none."""

    def of(self, scope_ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """(levels, scopes) numbers of series."""
        return self.series_id[:, scope_ids]


@dataclass(frozen=True, slots=True)
class KeptSeries:
    """Reads and writes within the transaction of its connection."""

    connection: duckdb.DuckDBPyConnection

    def add_used(self, levels: Sequence[Level], window: Window) -> None:
        """Number the series of the levels that had traffic in the window and have no number yet."""
        for level in levels:
            columns = "".join(f", {d}" for d in level)
            self.connection.execute(
                f"""insert into kept_series (series_id, level{columns})
                select (select coalesce(max(series_id), -1) from kept_series)
                    + row_number() over (order by level{columns}), '{_text(level)}'{columns}
                from (
                    select distinct '{_text(level)}' as level{columns} from scopes where scope_id in (
                        select scope_id from usage_hourly where hour >= ? and hour < ?
                    )
                ) s
                where not exists (select 1 from kept_series k where k.level = s.level and {_same(level)})""",
                [utc_naive(window.start_at), utc_naive(window.end_at)],
            )

    def in_order(self, levels: Sequence[Level]) -> list[NDArray[np.int32]]:
        """The series of each level, by the names of what they pin."""
        return [
            self.connection.execute(
                f"""select series_id from kept_series where level = '{_text(level)}'
                order by {", ".join(level) or "series_id"}"""
            )
            .df()["series_id"]
            .to_numpy()
            for level in levels
        ]

    def members(self, levels: Sequence[Level]) -> Members:
        row = self.connection.execute("select coalesce(max(scope_id), -1) from scopes").fetchone()
        table = np.full((len(levels), 1 + (row[0] if row else -1)), -1, dtype=np.int32)
        for number, level in enumerate(levels):
            found = self.connection.execute(
                f"""select s.scope_id, k.series_id from scopes s
                join kept_series k on k.level = '{_text(level)}' and {_same(level)}"""
            ).df()
            table[number, found["scope_id"].to_numpy()] = found["series_id"].to_numpy()
        return Members(table)

    def scopes(self, series_ids: Sequence[int]) -> list[Scope]:
        """The scope of each series, in the order asked for."""
        rows = self.connection.execute(
            f"""select series_id, {", ".join(DIMENSIONS)} from kept_series
            where series_id in (select unnest(?::integer[]))""",
            [[int(i) for i in series_ids]],
        ).fetchall()
        named = {row[0]: _scope(row[1:]) for row in rows}
        return [named[int(i)] for i in series_ids]

    def scopes_without(self, level: Level, scope_ids: Sequence[int]) -> list[Scope]:
        """What a level calls these scopes of the ledger, each once."""
        rows = self.connection.execute(
            f"""select distinct {", ".join(level) or "1"} from scopes
            where scope_id in (select unnest(?::integer[])) order by all""",
            [[int(i) for i in scope_ids]],
        ).fetchall()
        return [Scope.of(list(zip(level, map(str, row), strict=False))) for row in rows]


def _same(level: Level) -> str:
    return " and ".join(f"k.{d} = s.{d}" for d in level) or "true"


def _text(level: Level) -> str:
    return ",".join(level)


def _scope(values: Sequence[object]) -> Scope:
    pairs = zip(DIMENSIONS, values, strict=True)
    return Scope(tuple((dimension, str(value)) for dimension, value in pairs if value is not None))
