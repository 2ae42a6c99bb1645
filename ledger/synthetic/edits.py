"""What causes are made of: more or fewer requests, longer prompts, tokens of another class, new rows."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ledger.synthetic.columns import (
    COUNT_COLUMNS,
    OPTIONAL_COUNT_COLUMNS,
    REQUEST_COLUMNS,
    TEXT_COLUMNS,
    shaped,
)
from ledger.synthetic.cost import priced_usd, rebilled
from ledger.synthetic.shapes import Floats

_HOURLY_SPREAD = 0.04
"""Noise on the size of added traffic, so that no two hours are the same to the token."""


def scaled_traffic(rows: pd.DataFrame, factor: float | Floats, rng: np.random.Generator) -> pd.DataFrame:
    """Every request `factor` times, the other counts in proportion; rows left empty are gone."""
    before = rows["requests"].to_numpy()
    requests = np.floor(before * factor + rng.random(len(rows))).astype(np.int64)
    ratio = np.divide(requests, before, out=np.ones(len(rows)), where=before > 0)
    counts = scaled_counts(rows, COUNT_COLUMNS[1:], ratio).assign(requests=requests)
    return counts[requests > 0]


def scaled_counts(rows: pd.DataFrame, columns: Sequence[str], factor: float | Floats) -> pd.DataFrame:
    """The named counts `factor` times, whole numbers again, billed anew where billed."""
    counts = {name: (rows[name].astype("Float64") * factor).round() for name in columns}
    types = {name: "Int64" if name in OPTIONAL_COUNT_COLUMNS else "int64" for name in columns}
    return rebilled(rows.assign(**counts).astype(types), rows)


def moved_tokens(
    rows: pd.DataFrame, *, from_column: str, to_columns: Mapping[str, float], share: float
) -> pd.DataFrame:
    """A share of one class's tokens counted in others instead; `to_columns` says in which proportions."""
    moving = (rows[from_column] * share).round().astype("int64")
    after, left = rows.assign(**{from_column: rows[from_column] - moving}), moving
    for position, (column, part) in enumerate(to_columns.items()):
        last = position == len(to_columns) - 1
        moved = left if last else (moving * part).round().astype("int64")
        after, left = after.assign(**{column: after[column] + moved}), left - moved
    return rebilled(after, rows)


def usd_per_request(rows: pd.DataFrame) -> float:
    """Mean list price of a request of these rows."""
    return float(priced_usd(rows).sum() / rows["requests"].sum())


def main_scope(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the scope with the most requests among `rows`."""
    columns = [name for name in TEXT_COLUMNS if name != "record_id"]
    totals = rows.groupby(columns, dropna=False, sort=True)["requests"].transform("sum")
    first = rows.iloc[int(totals.to_numpy().argmax())]
    same = [(rows[name] == first[name]) | (rows[name].isna() & pd.isna(first[name])) for name in columns]
    return rows[np.logical_and.reduce(same)]


def added_traffic(
    like: pd.DataFrame,
    *,
    hours: pd.DatetimeIndex,
    requests: Floats | float,
    rng: np.random.Generator,
    changes: Mapping[str, str | None] | None = None,
) -> pd.DataFrame:
    """New rows at `hours`, like the rows `like` per request and in scope, apart from `changes` of text."""
    noisy = requests * np.exp(_HOURLY_SPREAD * rng.standard_normal(len(hours)))
    counts = np.floor(noisy + rng.random(len(hours))).astype(np.int64)
    scope = {name: like[name].iloc[0] for name in TEXT_COLUMNS} | {"record_id": None} | dict(changes or {})
    sizes = {name: _counts_like(like, name, counts, rng) for name in COUNT_COLUMNS}
    cost = np.nan if like["cost_usd"].isna().any() else like["cost_usd"].sum() / priced_usd(like).sum()
    rows = pd.DataFrame({"started_at": hours, **scope, **sizes, "requests": counts, "cost_usd": cost})
    rows = shaped(rows[counts > 0])
    return rows.assign(cost_usd=(rows["cost_usd"] * priced_usd(rows)).round(6))


def _counts_like(
    like: pd.DataFrame, name: str, requests: npt.NDArray[np.int64], rng: np.random.Generator
) -> pd.Series:
    """Counts of one column in the proportion `like` has them to its requests; null where `like` has none."""
    if like[name].isna().any():
        return pd.Series(pd.NA, index=range(len(requests)), dtype="Int64")
    mean = float(like[name].sum() / like["requests"].sum())
    if name in REQUEST_COLUMNS:
        return pd.Series(rng.binomial(requests, min(mean, 1.0)))
    jitter = np.exp(_HOURLY_SPREAD * rng.standard_normal(len(requests)))
    return pd.Series(np.rint(requests * mean * jitter).astype(np.int64))
