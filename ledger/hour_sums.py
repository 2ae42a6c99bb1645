"""Hourly sums that dated changes are read from: keys by model, and prices of models, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ledger.catalogue import bind, utc_naive
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.usage import TOKEN_CLASSES
from ledger.window import HOUR, Window

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KEY_MEASURES = ("requests", "prompt", "output", "characters", "cost")
"""Prompt tokens are all that was sent in, cached or not; characters are those of the prompts."""


@dataclass(frozen=True, slots=True)
class KeyHours:
    """What every key did on every model it used, by hour."""

    window: Window
    keys: tuple[str, ...]
    models: tuple[str, ...]
    """Key and model of each row; rows of one key lie together."""
    values: Floats
    """Shape (KEY_MEASURES, rows, hours); 0 where nothing was used, characters NaN where not logged."""

    def measure(self, name: str) -> Floats:
        """Shape (rows, hours)."""
        return np.asarray(self.values[KEY_MEASURES.index(name)])


@dataclass(frozen=True, slots=True)
class PriceHours:
    """Cost and tokens of one model and tier by hour, either as billed or as computed by our price book."""

    provider: str
    model: str
    service_tier: str
    billed: bool
    hours: tuple[datetime, ...]
    """Ascending; hours without usage are left out."""
    cost_pico: Floats
    requests: Floats
    tokens: Floats
    """Shape (hours, token classes)."""


def key_hours(
    reader: Reader, window: Window, *, where: Scope = EVERYTHING, scope_ids: Sequence[int] | None = None
) -> KeyHours:
    """Every key's hours on every model, of some of the ledger's scopes where given, by key and model."""
    query = bind("key_hours", windows=[window], where=where, scope_ids=scope_ids)
    cells = reader.engine.frame(query.sql, query.parameters)
    rows = cells.groupby(["key_id", "model"], sort=True).ngroup().to_numpy()
    names = cells[["key_id", "model"]].drop_duplicates().sort_values(["key_id", "model"])
    hours = _hours_since(cells["hour"], window.start_at)
    values = np.zeros((len(KEY_MEASURES), len(names), window.hours))
    for i, measure in enumerate(KEY_MEASURES):
        values[i, rows, hours] = cells[measure].to_numpy(np.float64)
    return KeyHours(window, tuple(map(str, names["key_id"])), tuple(map(str, names["model"])), values)


def price_hours(reader: Reader, window: Window, *, where: Scope = EVERYTHING) -> list[PriceHours]:
    """Hours of every model and tier, in order of their names, computed cost before billed cost."""
    query = bind("price_hours", windows=[window], where=where)
    cells = reader.engine.frame(query.sql, query.parameters)
    names = ["provider", "model", "service_tier", "billed"]
    return [
        PriceHours(
            provider=str(provider),
            model=str(model),
            service_tier=str(tier),
            billed=bool(billed),
            hours=tuple(window.start_at + int(h) * HOUR for h in _hours_since(part["hour"], window.start_at)),
            cost_pico=part["cost"].to_numpy(np.float64),
            requests=part["requests"].to_numpy(np.float64),
            tokens=part[list(TOKEN_CLASSES)].to_numpy(np.float64),
        )
        for (provider, model, tier, billed), part in cells.groupby(names, sort=True)
    ]


def _hours_since(instants: "pd.Series[pd.Timestamp]", start_at: datetime) -> Ints:
    since = instants.to_numpy() - np.datetime64(utc_naive(start_at))
    return np.asarray(since // np.timedelta64(1, "h"), dtype=np.int64)
