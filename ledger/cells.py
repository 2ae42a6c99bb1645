"""Hourly cells as plain arrays, for work on more series than anybody looks at."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ledger.catalogue import utc_naive
from ledger.window import Window


@dataclass(frozen=True, slots=True)
class Cells:
    """Shape (cells,) each; a scope and hour may have several cells."""

    scope_id: NDArray[np.int32]
    hour: NDArray[np.int64]
    """Counted from the start of the window."""
    cost_usd: NDArray[np.float64]
    tokens: NDArray[np.float64]

    @classmethod
    def of(cls, frame: pd.DataFrame, window: Window) -> "Cells":
        since = frame["hour"].to_numpy() - np.datetime64(utc_naive(window.start_at))
        return cls(
            scope_id=frame["scope_id"].to_numpy(),
            hour=since // np.timedelta64(1, "h"),
            cost_usd=frame["cost_usd"].to_numpy(),
            tokens=frame["tokens"].to_numpy(),
        )


@dataclass(frozen=True, slots=True)
class ScopeSums:
    """What each scope with traffic in a window cost; shape (scopes,) each, in order of `scope_id`."""

    scope_id: NDArray[np.int32]
    cost_usd: NDArray[np.float64]
