"""Kept models: what was learnt before a midnight, as named arrays of numbers."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from ledger.catalogue import utc_naive

WHOLE = -1
"""The block of arrays that are not of single series."""

Numbers = NDArray[Any]


@dataclass(frozen=True, slots=True)
class KeptModel:
    """Which usage a model is of, and by which settings and program it was made."""

    fitted_at: datetime
    """A midnight UTC: the model knows the usage before it."""
    settings: Mapping[str, object]
    layout: str
    """Programs that read the arrays alike have the same."""
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class KeptModels:
    """Reads and writes within the transaction of its connection."""

    connection: duckdb.DuckDBPyConnection

    def all(self) -> Sequence[KeptModel]:
        """Oldest first."""
        rows = self.connection.execute("select * from kept_models order by fitted_at").fetchall()
        return [
            KeptModel(at.replace(tzinfo=UTC), json.loads(settings), layout, json.loads(facts))
            for at, settings, layout, facts in rows
        ]

    def add(self, model: KeptModel) -> None:
        told = [json.dumps(value, sort_keys=True) for value in (model.settings, model.facts)]
        values = [utc_naive(model.fitted_at), told[0], model.layout, told[1]]
        self.connection.execute("insert into kept_models values (?, ?, ?, ?)", values)

    def keep_only(self, fitted: Iterable[datetime], others: Iterable[tuple[datetime, str]] = ()) -> None:
        """Delete all models but these; of `others`, the arrays whose names begin so are kept too."""
        kept = [utc_naive(at) for at in fitted]
        self.connection.execute("delete from kept_models where not list_contains(?, fitted_at)", [kept])
        spared = [(utc_naive(at), prefix) for at, prefix in others]
        terms = " or ".join("(fitted_at = ? and starts_with(name, ?))" for _ in spared) or "false"
        self.connection.execute(
            f"delete from kept_arrays where not list_contains(?, fitted_at) and not ({terms})",
            [kept, *(value for pair in spared for value in pair)],
        )

    def write(self, fitted_at: datetime, block: int, arrays: Mapping[str, Numbers]) -> None:
        for name, array in arrays.items():
            self.connection.execute(
                "insert into kept_arrays values (?, ?, ?, ?, ?, ?)",
                [utc_naive(fitted_at), block, name, array.dtype.str, list(array.shape), array.tobytes()],
            )

    def read(self, fitted_at: datetime, block: int, names: Sequence[str]) -> dict[str, Numbers]:
        """Those of the names that were written; they cannot be changed in place."""
        rows = self.connection.execute(
            """select name, dtype, shape, numbers from kept_arrays
            where fitted_at = ? and block = ? and list_contains(?, name)""",
            [utc_naive(fitted_at), block, list(names)],
        ).fetchall()
        return {name: np.frombuffer(data, dtype).reshape(shape) for name, dtype, shape, data in rows}

    def delete_arrays(self, before: datetime, prefix: str) -> None:
        """Those of earlier models whose names begin so."""
        self.connection.execute(
            "delete from kept_arrays where fitted_at < ? and starts_with(name, ?)",
            [utc_naive(before), prefix],
        )
