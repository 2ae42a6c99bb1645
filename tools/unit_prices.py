"""Relative prices of the token classes per model, so that a leaf's cost can be told apart by class."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from ledger.reader import DayRate, Reader
from ledger.scope import Dimension
from ledger.usage import TOKEN_CLASSES, TokenCounts
from ledger.window import Window
from tools.leaves import Leaves
from tools.shapley import Floats

ModelTier = tuple[str, str, str]
"""Provider, model, service tier."""

MODEL_TIER: tuple[Dimension, ...] = ("provider", "model", "service_tier")

TYPICAL = np.array([1.0, 0.1, 1.25, 2.0, 5.0])
"""Class prices relative to `input` where no rate is known: the multiples most providers publish."""


def class_rates(reader: Reader, windows: Sequence[Window]) -> Mapping[ModelTier, Floats]:
    """The mean rate per token class over the days of the windows; NaN where a class has no price."""
    days: dict[tuple[object, ...], DayRate] = {}
    for window in windows:
        last_day = (window.end_at - timedelta(seconds=1)).date()
        for rate in reader.rates(window.start_at.date(), last_day):
            days[(rate.provider, rate.model, rate.service_tier, rate.day, rate.hour_of_day)] = rate
    found: dict[ModelTier, list[list[float]]] = {}
    for rate in days.values():
        row = [float("nan") if (r := getattr(rate, c)) is None else r for c in TOKEN_CLASSES]
        found.setdefault((rate.provider, rate.model, rate.service_tier), []).append(row)
    return {name: _mean_of_known(np.array(rows)) for name, rows in found.items()}


def _mean_of_known(rows: Floats) -> Floats:
    known = ~np.isnan(rows)
    counts = known.sum(axis=0)
    sums = np.where(known, rows, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def weights_of(
    leaves: Leaves, first: Mapping[ModelTier, Floats], second: Mapping[ModelTier, Floats]
) -> Floats:
    """Class weights per leaf, shape (leaves, classes), from `first`, then `second`, then TYPICAL."""
    groups = leaves.groups(MODEL_TIER)
    _, example = np.unique(groups, return_index=True)
    columns = [leaves.column(d)[example] for d in MODEL_TIER]
    rows = [_first_known(first.get(m), second.get(m)) for m in zip(*columns, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(TOKEN_CLASSES))[groups]


def _first_known(first: Floats | None, second: Floats | None) -> Floats:
    known = [rates for rates in (first, second) if rates is not None]
    if not known:
        return TYPICAL
    merged = known[0] if len(known) == 1 else np.where(np.isnan(known[0]), known[1], known[0])
    return np.nan_to_num(merged, nan=0.0)


def listed_cost(tokens: TokenCounts, rates: Floats | None) -> float:
    """What the tokens cost at the rates, in 1e-12 USD; at TYPICAL relative prices where there are none."""
    counts = np.array([getattr(tokens, c) for c in TOKEN_CLASSES], dtype=np.float64)
    return float((counts * np.nan_to_num(TYPICAL if rates is None else rates)).sum())
