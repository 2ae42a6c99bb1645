"""A reader for one investigation: what it read of a window answers every further question about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, TypeVar, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ledger.engine import Engine, Row
from ledger.leaf_sums import MEASURES, LeafSums, ScopeTable, leaf_sums, scope_table
from ledger.reader import Reader
from ledger.scope import DIMENSIONS, EVERYTHING, Dimension, Scope
from ledger.usage import TOKEN_CLASSES, Measures, TokenCounts
from ledger.window import Window

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RememberingEngine:
    """Asks each question once; the arrays it hands out must not be written to."""

    engine: Engine
    answers: dict[tuple[object, ...], object] = field(default_factory=dict, compare=False)

    def rows(self, sql: str, parameters: Mapping[str, object]) -> Sequence[Row]:
        return self._once(self.engine.rows, sql, parameters)

    def frame(self, sql: str, parameters: Mapping[str, object]) -> pd.DataFrame:
        return self._once(self.engine.frame, sql, parameters)

    def columns(self, sql: str, parameters: Mapping[str, object]) -> Mapping[str, NDArray[Any]]:
        return self._once(self.engine.columns, sql, parameters)

    def _once(
        self, ask: Callable[[str, Mapping[str, object]], T], sql: str, given: Mapping[str, object]
    ) -> T:
        key = (ask.__name__, sql, *sorted(given.items(), key=lambda item: item[0]))
        if key not in self.answers:
            self.answers[key] = ask(sql, given)
        return cast(T, self.answers[key])


@dataclass(slots=True)
class _Memory:
    table: ScopeTable | None = None
    sums: dict[Window, LeafSums] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RememberingReader(Reader):
    """Answers like `Reader`, as of the first question: usage that is loaded meanwhile is not seen."""

    memory: _Memory = field(default_factory=_Memory, compare=False)

    def scope_table(self) -> ScopeTable:
        if self.memory.table is None:
            self.memory.table = scope_table(self)
        return self.memory.table

    def leaf_sums(self, windows: Sequence[Window]) -> LeafSums:
        """One row per scope and window; windows that were read before are not read again."""
        missing = [w for w in dict.fromkeys(windows) if w not in self.memory.sums]
        if missing:
            found = leaf_sums(self, self.scope_table(), missing)
            for i, window in enumerate(missing):
                self.memory.sums[window] = found.only(found.window == i)
        return LeafSums.joined([self.memory.sums[w] for w in windows])

    def totals(
        self, windows: Sequence[Window], *, by: Sequence[Dimension] = (), where: Scope = EVERYTHING
    ) -> Mapping[Scope, Measures]:
        if not windows or _overlap(windows):
            return Reader.totals(self, windows, by=by, where=where)
        table, sums = self.scope_table(), self.leaf_sums(windows)
        sums = sums.only(table.inside(where)[sums.scope])
        groups, scopes = table.grouped(sums.scope, by)
        return {
            scope: measures
            for scope, measures in zip(scopes, _summed(sums, groups, len(scopes)), strict=True)
            if measures.cells > 0
        }

    def first_seen(self, dimension: Dimension, *, where: Scope = EVERYTHING) -> Mapping[str, Window]:
        table = self.scope_table()
        first, last = table.lives(dimension, where)
        names = table.names[DIMENSIONS.index(dimension)]
        return {
            str(names[code]): Window(_instant(first[code]), _instant(last[code] + 1))
            for code in np.flatnonzero(first <= last).tolist()
        }


def remembering(reader: Reader) -> RememberingReader:
    """The reader itself where it remembers already."""
    return (
        reader
        if isinstance(reader, RememberingReader)
        else RememberingReader(RememberingEngine(reader.engine))
    )


def _summed(sums: LeafSums, groups: np.ndarray, count: int) -> list[Measures]:
    columns = [np.bincount(groups, column, minlength=count) for column in sums.measures.T]
    money = {}
    for name in ("cost_pico", "computed_pico"):
        money[name] = np.zeros(count, dtype=np.int64)
        np.add.at(money[name], groups, getattr(sums, name))
    at = {name: columns[i] for i, name in enumerate(MEASURES)}
    return [
        Measures(
            requests=int(at["requests"][i]),
            failed_requests=int(at["failed"][i]),
            retried_requests=int(at["retried"][i]),
            tokens=TokenCounts(*(int(at[name][i]) for name in TOKEN_CLASSES)),
            reasoning_tokens=int(at["reasoning"][i]),
            input_characters=_known(at["input_characters"][i]),
            output_characters=_known(at["output_characters"][i]),
            unpriced_tokens=int(at["unpriced"][i]),
            uncounted_tokens=int(at["uncounted"][i]),
            cells=int(at["cells"][i]),
            **{name: int(amounts[i]) for name, amounts in money.items()},
        )
        for i in range(count)
    ]


def _known(count: float) -> int | None:
    return None if np.isnan(count) else int(count)


def _overlap(windows: Sequence[Window]) -> bool:
    ordered = sorted(windows, key=lambda w: w.start_at)
    return any(a.end_at > b.start_at for a, b in pairwise(ordered))


def _instant(hour: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=int(hour))
