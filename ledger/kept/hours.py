"""Kept hours: the days on which a series was flagged, as they were scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ledger.catalogue import utc_naive
from ledger.window import Window

_COLUMNS = "series_id, hour, actual, expected, scale, score, flagged, masked"


@dataclass(frozen=True, slots=True)
class KeptHours:
    """Shape (hours,) each, but for the terms."""

    series_id: NDArray[np.int32]
    hour: NDArray[np.int64]
    """Counted from the start of a window."""
    actual: NDArray[np.float64]
    expected: NDArray[np.float64]
    scale: NDArray[np.float64]
    score: NDArray[np.float64]
    flagged: NDArray[np.int8]
    """+1 or -1 in anomalous hours, else 0."""
    masked: NDArray[np.bool_]
    """Whether the hour is learnt as what was expected of it."""
    terms: NDArray[np.float64]
    """Shape (hours, terms)."""

    def __len__(self) -> int:
        return len(self.series_id)


@dataclass(frozen=True, slots=True)
class MaskedHours:
    """Hours not learnt from; shape (hours,) each, in order of `series_id`."""

    series_id: NDArray[np.int32]
    hour: NDArray[np.int64]
    expected: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KeptHoursStore:
    """Reads and writes within the transaction of its connection."""

    connection: duckdb.DuckDBPyConnection

    def clear(self) -> None:
        self.connection.execute("delete from kept_hours")

    def delete_outside(self, window: Window) -> None:
        self.connection.execute(
            "delete from kept_hours where hour < ? or hour >= ?",
            [utc_naive(window.start_at), utc_naive(window.end_at)],
        )

    def add(self, hours: KeptHours, start_at: datetime) -> None:
        """Hours count from `start_at`."""
        if not len(hours):
            return
        terms = {f"term_{i}": column for i, column in enumerate(hours.terms.T)}
        columns = {name.strip(): getattr(hours, name.strip()) for name in _COLUMNS.split(",")}
        at = np.datetime64(utc_naive(start_at), "us") + hours.hour * np.timedelta64(1, "h")
        self.connection.register("given_hours", pd.DataFrame({**columns, "hour": at, **terms}))
        listed = f"[{', '.join(terms)}]"
        self.connection.execute(f"insert into kept_hours select {_COLUMNS}, {listed} from given_hours")
        self.connection.unregister("given_hours")

    def masked(self, window: Window) -> MaskedHours:
        found = self.connection.execute(
            """select series_id, hour, expected from kept_hours
            where masked and hour >= ? and hour < ? order by series_id""",
            [utc_naive(window.start_at), utc_naive(window.end_at)],
        ).df()
        return MaskedHours(
            found["series_id"].to_numpy(), _hours(found["hour"], window), found["expected"].to_numpy()
        )

    def of_series(self, series_ids: Sequence[int], window: Window, *, terms: int) -> KeptHours:
        """All kept hours of these series, which hold so many terms each."""
        listed = ", ".join(f"terms[{i + 1}] as term_{i}" for i in range(terms))
        found = self.connection.execute(
            f"""select {_COLUMNS}, {listed} from kept_hours
            where hour >= ? and hour < ? and series_id in (select unnest(?::integer[]))""",
            [utc_naive(window.start_at), utc_naive(window.end_at), [int(i) for i in series_ids]],
        ).df()
        return KeptHours(
            series_id=found["series_id"].to_numpy(),
            hour=_hours(found["hour"], window),
            actual=found["actual"].to_numpy(),
            expected=found["expected"].to_numpy(),
            scale=found["scale"].to_numpy(),
            score=found["score"].to_numpy(),
            flagged=found["flagged"].to_numpy(),
            masked=found["masked"].to_numpy(),
            terms=found[[f"term_{i}" for i in range(terms)]].to_numpy(np.float64),
        )


def _hours(instants: pd.Series, window: Window) -> NDArray[np.int64]:
    since = instants.to_numpy() - np.datetime64(utc_naive(window.start_at))
    return np.asarray(since // np.timedelta64(1, "h"), dtype=np.int64)
