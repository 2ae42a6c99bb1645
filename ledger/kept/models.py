"""Kept models: what was learnt before a midnight, as named arrays of numbers."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from ledger.catalogue import utc_naive
from ledger.errors import RefusedError

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


class KeptArray(NamedTuple):
    """Where the numbers of an array are, and what they are."""

    array_id: int
    dtype: str
    shape: list[int]


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
        self._delete(
            f"not list_contains(?, fitted_at) and not ({terms})",
            [kept, *(value for pair in spared for value in pair)],
        )

    def delete_arrays(self, before: datetime, names: str) -> None:
        """Those of earlier models whose names are like the pattern, as in SQL."""
        self._delete("fitted_at < ? and name like ?", [utc_naive(before), names])

    def write(self, fitted_at: datetime, block: int, arrays: Mapping[str, Numbers]) -> None:
        if not arrays:
            return
        row = self.connection.execute("select coalesce(max(array_id), -1) from kept_arrays").fetchone()
        first = 1 + (row[0] if row else -1)
        for array_id, (name, array) in enumerate(arrays.items(), start=first):
            values = [array_id, utc_naive(fitted_at), block, name, array.dtype.str, list(array.shape)]
            self.connection.execute("insert into kept_arrays values (?, ?, ?, ?, ?, ?)", values)
        numbers = {
            "array_id": np.repeat(
                np.arange(first, first + len(arrays), dtype=np.int32), [a.size for a in arrays.values()]
            ),
            "number": np.concatenate([a.ravel().astype(np.float64) for a in arrays.values()]),
        }
        self.connection.register("given_numbers", numbers)
        self.connection.execute("insert into kept_numbers select array_id, number from given_numbers")
        self.connection.unregister("given_numbers")

    def arrays(self, fitted_at: datetime) -> Mapping[tuple[int, str], KeptArray]:
        """Which arrays a model has, by block and name."""
        rows = self.connection.execute(
            "select block, name, array_id, dtype, shape from kept_arrays where fitted_at = ?",
            [utc_naive(fitted_at)],
        ).fetchall()
        return {(block, name): KeptArray(*rest) for block, name, *rest in rows}

    def read(self, fitted_at: datetime, block: int, names: Sequence[str]) -> dict[str, Numbers]:
        """Those of the names that were written."""
        known = self.arrays(fitted_at)
        return self.numbers({name: known[block, name] for name in names if (block, name) in known})

    def numbers(self, arrays: Mapping[str, KeptArray]) -> dict[str, Numbers]:
        """The arrays themselves; raises RefusedError where numbers are missing."""
        if not arrays:
            return {}
        listed = sorted(arrays.items(), key=lambda item: item[1].array_id)
        # Ranges, unlike a list, are a part of the scan: it passes over all other numbers and keeps the order.
        wanted = " or ".join(f"array_id between {a.array_id} and {a.array_id}" for _, a in listed)
        found = self.connection.execute(f"select number from kept_numbers where {wanted}").fetchnumpy()
        numbers = np.ma.filled(np.ma.asarray(found["number"]), np.nan)
        sizes = [math.prod(array.shape) for _, array in listed]
        if len(numbers) != sum(sizes):
            raise RefusedError("the kept model is damaged; make a new one: tokensleuth refit")
        parts = np.split(numbers, np.cumsum(sizes)[:-1])
        return {
            name: part.astype(array.dtype, copy=False).reshape(array.shape)
            for (name, array), part in zip(listed, parts, strict=True)
        }

    def _delete(self, where: str, values: Sequence[object]) -> None:
        gone = self.connection.execute(f"select array_id from kept_arrays where {where}", values).fetchall()
        ids = ", ".join(str(int(array_id)) for (array_id,) in gone)
        if ids:
            self.connection.execute(f"delete from kept_numbers where array_id in ({ids})")
            self.connection.execute(f"delete from kept_arrays where array_id in ({ids})")
