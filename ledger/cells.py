"""Hourly cells as plain arrays, for work on more series than anybody looks at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ledger.catalogue import BoundQuery, bind, utc_naive
from ledger.engine import Engine
from ledger.scope import Dimension, Scope
from ledger.window import Window


@dataclass(frozen=True, slots=True)
class Cells:
    """Shape (cells,) each; a scope and hour may have several cells."""

    scope_id: NDArray[np.int32]
    hour: NDArray[np.int64]
    """Counted from the start of the window."""
    cost_usd: NDArray[np.float64]
    tokens: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ScopeSums:
    """What each scope with traffic in a window cost; shape (scopes,) each, in order of `scope_id`."""

    scope_id: NDArray[np.int32]
    cost_usd: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CellReader:
    """Reads usage by the ledger's own numbers of scopes; it has no way to write."""

    engine: Engine

    def cells(self, window: Window, scope_ids: Sequence[int] | None = None) -> Cells:
        """The usage of the window, of these scopes only where some are given."""
        return self._cells(bind("cells", windows=[window], scope_ids=scope_ids), window)

    def grouped(
        self, window: Window, by: Sequence[Dimension], scope_ids: Sequence[int] | None = None
    ) -> Cells:
        """The usage of the window summed up; one of the scopes of a group stands for it."""
        return self._cells(bind("grouped_cells", windows=[window], by=by, scope_ids=scope_ids), window)

    def sums(self, window: Window) -> ScopeSums:
        """Every scope with traffic in the window."""
        found = self._columns(bind("scope_sums", windows=[window]))
        order = np.argsort(found["scope_id"])
        return ScopeSums(found["scope_id"][order], found["cost_usd"][order])

    def names(self, scope_ids: Sequence[int], by: Sequence[Dimension]) -> list[Scope]:
        """What each of these scopes is called, in their order."""
        query = bind("scope_names", by=by, scope_ids=scope_ids)
        rows = self.engine.rows(query.sql, query.parameters)
        named = {cast(int, row[-1]): Scope.of(list(zip(by, map(str, row), strict=False))) for row in rows}
        return [named[i] for i in scope_ids]

    def _cells(self, query: BoundQuery, window: Window) -> Cells:
        found = self._columns(query)
        since = found["hour"] - np.datetime64(utc_naive(window.start_at))
        return Cells(
            scope_id=found["scope_id"],
            hour=since // np.timedelta64(1, "h"),
            cost_usd=found["cost_usd"],
            tokens=found["tokens"],
        )

    def _columns(self, query: BoundQuery) -> Mapping[str, NDArray[Any]]:
        return self.engine.columns(query.sql, query.parameters)
