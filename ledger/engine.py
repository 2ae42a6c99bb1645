"""The port to whatever runs the query catalogue, and its DuckDB engine."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

Row = tuple[object, ...]


class Engine(Protocol):
    """Runs portable SQL with named parameters (`$name`); a distributed engine implements the same."""

    def rows(self, sql: str, parameters: Mapping[str, object]) -> Sequence[Row]:
        """All rows as Python values: integers exact, timestamps naive in UTC."""
        ...

    def frame(self, sql: str, parameters: Mapping[str, object]) -> pd.DataFrame:
        """All rows as a data frame, for array work; sums must be cast to double in the SQL."""
        ...

    def columns(self, sql: str, parameters: Mapping[str, object]) -> Mapping[str, NDArray[Any]]:
        """All rows as an array a column, for millions of them; no column may hold null."""
        ...


@dataclass(frozen=True, slots=True)
class DuckDbEngine:
    """Runs on a cursor of its own for every query: an unfinished result never blocks the connection."""

    connection: duckdb.DuckDBPyConnection

    def rows(self, sql: str, parameters: Mapping[str, object]) -> Sequence[Row]:
        with _stoppable(), self.connection.cursor() as cursor:
            return cursor.execute(sql, dict(parameters)).fetchall()

    def frame(self, sql: str, parameters: Mapping[str, object]) -> pd.DataFrame:
        with _stoppable(), self.connection.cursor() as cursor:
            return cursor.execute(sql, dict(parameters)).df()

    def columns(self, sql: str, parameters: Mapping[str, object]) -> Mapping[str, NDArray[Any]]:
        with _stoppable(), self.connection.cursor() as cursor:
            found = cursor.execute(sql, dict(parameters)).fetchnumpy()
        return {name: np.asarray(column) for name, column in found.items()}


@contextmanager
def _stoppable() -> Iterator[None]:
    """DuckDB tells Ctrl-C as an error of the query; whoever handles errors must not take it for one."""
    try:
        yield
    except RuntimeError as error:
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from None
        raise
