"""Models, keys, tiers and clients that were used for the first time, each with its hour."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np

from ledger.leaf_sums import ScopeTable, scope_table
from ledger.reader import Reader
from ledger.scope import DIMENSIONS, UNALLOCATED, Dimension, Scope
from ledger.window import Window

ArrivalKind = Literal["model", "key", "tier", "client"]
KIND_OF: dict[Dimension, ArrivalKind] = {
    "model": "model", "key_id": "key", "service_tier": "tier", "client": "client",
}  # fmt: skip
KNOWN_HOURS = 72
"""What appears in the first hours of a ledger was there before it, as far as anybody knows."""
FAMILY = re.compile(r"[/@ ]|[-_]v?(?=\d)")
"""What stands between a client's name and its version."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A value of a dimension that the scope used for the first time."""

    kind: ArrivalKind
    dimension: Dimension
    value: str
    at: datetime
    cost_pico: int
    """What the window spent on it."""
    follows: str | None = None
    """The newest older version of the same client."""


def find_arrivals(reader: Reader, window: Window, since: datetime, where: Scope) -> list[Arrival]:
    """First uses in the scope from `since` to the end of the window, earliest first.

    A scope that is new itself brings all its values with it: then only its keys and what it pins are told.
    """
    extent = reader.extent()
    table = scope_table(reader, where)
    if extent is None or not len(table.scope_ids):
        return []
    begun = _instant(int(table.first_hour.min()))
    least = max(since, extent.start_at + timedelta(hours=KNOWN_HOURS))
    dimensions = [d for d in KIND_OF if begun < least or d == "key_id" or d in where.dimensions]
    found = [
        (dimension, value, at, follows)
        for dimension in dimensions
        for value, at, follows in _first_uses(table, dimension)
        if least <= at < window.end_at and value != UNALLOCATED
    ]
    costs = _costs(reader, window, where) if found else {}
    arrivals = [
        Arrival(KIND_OF[d], d, value, at, costs.get((d, value), 0), follows)
        for d, value, at, follows in found
    ]
    return sorted(arrivals, key=lambda a: (a.at, -a.cost_pico, a.kind, a.value))


def _first_uses(table: ScopeTable, dimension: Dimension) -> Iterator[tuple[str, datetime, str | None]]:
    place = DIMENSIONS.index(dimension)
    names = [str(name) for name in table.names[place]]
    first = np.full(len(names), np.iinfo(np.int64).max)
    np.minimum.at(first, table.codes[place], table.first_hour)
    newest: dict[str, str] = {}
    for i in np.argsort(first, kind="stable"):
        family = FAMILY.split(names[i], maxsplit=1)[0]
        follows = newest.get(family) if dimension == "client" else None
        newest[family] = names[i]
        yield names[i], _instant(int(first[i])), follows


def _costs(reader: Reader, window: Window, where: Scope) -> dict[tuple[Dimension, str], int]:
    found: dict[tuple[Dimension, str], int] = {}
    for scope, measures in reader.totals([window], by=tuple(KIND_OF), where=where).items():
        for pair in scope.items:
            found[pair] = found.get(pair, 0) + measures.cost_pico
    return found


def _instant(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC)
