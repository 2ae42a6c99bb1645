"""Hourly cells summed into dense series by any grouping of their dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ledger.catalogue import utc_naive
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.usage import Metric
from ledger.window import Window


@dataclass(frozen=True, slots=True)
class HourlySeries:
    """One metric of many scopes by UTC hour; hours without traffic are 0."""

    window: Window
    metric: Metric
    scopes: tuple[Scope, ...]
    values: NDArray[np.float64]
    """Shape (scopes, hours)."""


def total_by_hour(
    hours: NDArray[np.datetime64], values: NDArray[np.float64], *, window: Window, metric: Metric
) -> HourlySeries:
    """The series of everything from sums by hour, naive UTC."""
    total = np.zeros((1, window.hours))
    total[0, (hours - np.datetime64(utc_naive(window.start_at))) // np.timedelta64(1, "h")] = values
    return HourlySeries(window, metric, (EVERYTHING,), total)


def summed_by(
    by: Sequence[Dimension], cells: pd.DataFrame, scopes: pd.DataFrame, *, window: Window, metric: Metric
) -> HourlySeries:
    """Series of the scopes that occur in `cells`, in sorted order.

    `cells` has scope_id, hour (naive UTC) and value; `scopes` has the dimensions, indexed by scope_id.
    """
    since = cells["hour"].to_numpy() - np.datetime64(utc_naive(window.start_at))
    hours = since // np.timedelta64(1, "h")
    values = cells["value"].fillna(0.0).to_numpy()
    if not by:
        total = np.bincount(hours, weights=values, minlength=window.hours).astype(np.float64)
        return HourlySeries(window, metric, (EVERYTHING,), total[np.newaxis, :])
    used, cell_scopes = np.unique(cells["scope_id"].to_numpy(), return_inverse=True)
    groups = scopes.loc[used, list(by)].astype(str)
    named = groups.drop_duplicates().sort_values(list(by), ignore_index=True)
    code_of = {key: code for code, key in enumerate(named.itertuples(index=False, name=None))}
    codes = np.array([code_of[key] for key in groups.itertuples(index=False, name=None)], dtype=np.int64)
    flat = np.bincount(
        codes[cell_scopes] * window.hours + hours, weights=values, minlength=len(named) * window.hours
    )
    pinned = tuple(Scope.of(list(zip(by, key, strict=True))) for key in code_of)
    matrix = flat.astype(np.float64).reshape(len(named), window.hours)
    return HourlySeries(window, metric, pinned, matrix)
