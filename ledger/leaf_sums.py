"""What every scope did in some windows, as arrays: for work on more scopes than anybody looks at."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ledger.catalogue import bind, utc_naive
from ledger.reader import Reader
from ledger.scope import DIMENSIONS, EVERYTHING, Dimension, Scope
from ledger.window import HOUR, Window

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Names = NDArray[np.object_]

MEASURES = (
    "requests", "failed", "retried", "input", "cache_read", "cache_write_5m", "cache_write_1h", "output",
    "input_characters", "output_characters", "unpriced", "reasoning", "cells", "uncounted",
)  # fmt: skip
"""Columns of `LeafSums.measures`; characters are NaN where a cell did not log them, `uncounted` are tokens of
cells without a request."""


@dataclass(frozen=True, slots=True)
class ScopeTable:
    """Every scope of the ledger, its dimensions as codes."""

    scope_ids: Ints
    """Ascending."""
    codes: Ints
    """Shape (dimensions, scopes), dimensions in the order of DIMENSIONS."""
    names: tuple[Names, ...]
    """Per dimension, the values the codes stand for."""
    first_hour: Ints
    """Hours since 1970 of the first usage ever."""
    last_hour: Ints

    def inside(self, where: Scope) -> NDArray[np.bool_]:
        """Mask of the scopes that belong to a scope."""
        return inside(self.codes, self.names, where)

    def lives(self, dimension: Dimension, where: Scope = EVERYTHING) -> tuple[Ints, Ints]:
        """First and last hour ever of each code of a dimension; of codes outside the scope, none."""
        at, among = DIMENSIONS.index(dimension), self.inside(where)
        first = np.full(len(self.names[at]), np.iinfo(np.int64).max)
        last = np.full(len(self.names[at]), np.iinfo(np.int64).min)
        np.minimum.at(first, self.codes[at][among], self.first_hour[among])
        np.maximum.at(last, self.codes[at][among], self.last_hour[among])
        return first, last

    def grouped(self, positions: Ints, by: Sequence[Dimension]) -> tuple[Ints, list[Scope]]:
        """A dense code for each position by its values in some dimensions, and what the codes stand for."""
        at = [DIMENSIONS.index(d) for d in by]
        group = dense([self.codes[i][positions] for i in at], len(positions))
        _, example = np.unique(group, return_index=True)
        values = [[str(v) for v in self.names[i][self.codes[i][positions[example]]]] for i in at]
        scopes = (
            [Scope.of(list(zip(by, row, strict=True))) for row in zip(*values, strict=True)] if by else []
        )
        return group, scopes or [EVERYTHING] * len(example)


@dataclass(frozen=True, slots=True)
class LeafSums:
    """One row per scope and window with traffic."""

    scope: Ints
    """Positions in the scope table."""
    window: Ints
    """Positions in the windows asked for."""
    measures: Floats
    """Shape (rows, MEASURES)."""
    cost_pico: Ints
    computed_pico: Ints

    def only(self, mask: NDArray[np.bool_]) -> "LeafSums":
        return LeafSums(*(getattr(self, f.name)[mask] for f in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence["LeafSums"]) -> "LeafSums":
        """Rows of several windows; their positions are those of the parts."""
        numbered = [replace(p, window=np.full(len(p.scope), i)) for i, p in enumerate(parts)]
        return cls(*(np.concatenate([getattr(p, f.name) for p in numbered]) for f in fields(cls)))


def scope_table(reader: Reader, where: Scope = EVERYTHING) -> ScopeTable:
    """Read the scopes that ever had usage, and from when to when."""
    query = bind("scope_lives", where=where)
    lives = reader.engine.columns(query.sql, query.parameters)
    order = np.argsort(lives["scope_id"])
    scope_ids = lives["scope_id"][order].astype(np.int64)
    query = bind("scopes", where=where)
    frame = reader.engine.frame(query.sql, query.parameters).set_index("scope_id").reindex(scope_ids)
    coded = [pd.factorize(frame[dimension]) for dimension in DIMENSIONS]
    return ScopeTable(
        scope_ids=scope_ids,
        codes=np.array([codes for codes, _ in coded], dtype=np.int64).reshape(len(DIMENSIONS), -1),
        names=tuple(np.asarray(names, dtype=object) for _, names in coded),
        first_hour=_hours(lives["first_hour"][order]),
        last_hour=_hours(lives["last_hour"][order]),
    )


def hour_number(window: Window) -> tuple[int, int]:
    """First hour of a window and the hour after its last, in hours since 1970."""
    start = np.datetime64(utc_naive(window.start_at), "h").astype(np.int64)
    return int(start), int(start) + round((window.end_at - window.start_at) / HOUR)


def leaf_sums(
    reader: Reader, table: ScopeTable, windows: Sequence[Window], where: Scope = EVERYTHING
) -> LeafSums:
    """Sum every scope over each of the windows, which must not overlap."""
    query = bind("leaf_sums", windows=windows, where=where)
    found = reader.engine.columns(query.sql, query.parameters)
    return LeafSums(
        scope=np.searchsorted(table.scope_ids, found["scope_id"]).astype(np.int64),
        window=found["window_index"].astype(np.int64),
        measures=np.column_stack([found[name] for name in MEASURES]).astype(np.float64),
        cost_pico=found["cost_pico"].astype(np.int64),
        computed_pico=found["computed_pico"].astype(np.int64),
    )


def inside(codes: Ints, names: Sequence[Names], where: Scope) -> NDArray[np.bool_]:
    """Mask of the columns of `codes`, shape (dimensions, n), that belong to a scope."""
    mask = np.ones(codes.shape[1], dtype=bool)
    for dimension, value in where.items:
        at = DIMENSIONS.index(dimension)
        mask &= (names[at] == value)[codes[at]]
    return mask


def dense(columns: Sequence[Ints], count: int) -> Ints:
    """One dense code per combination of the columns' codes; columns have `count` entries each."""
    group = np.zeros(count, dtype=np.int64)
    size = 1
    for column in columns:
        width = int(column.max()) + 1 if count else 1
        if size * width >= 2**62:
            group = np.unique(group, return_inverse=True)[1].astype(np.int64)
            size = int(group.max()) + 1
        group = group * width + column
        size *= width
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def _hours(instants: NDArray[np.datetime64]) -> Ints:
    return np.asarray(instants).astype("datetime64[h]").astype(np.int64)
