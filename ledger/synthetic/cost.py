"""What synthetic rows cost: billed where they say so, else at the list prices of `models`."""

import pandas as pd

from ledger.synthetic.columns import TOKEN_COLUMNS
from ledger.synthetic.models import BATCH_PRICED_FROM, usd_per_token
from ledger.usage import TOKEN_CLASSES, TokenClass


def priced_usd(rows: pd.DataFrame) -> pd.Series:
    """List-price cost of each row in USD; 0 for a model without a price."""
    tariffs = rows["model"].astype("str") + "|" + rows["service_tier"].astype("str")
    total = pd.Series(0.0, index=rows.index)
    for token_class, column in zip(TOKEN_CLASSES, TOKEN_COLUMNS, strict=True):
        rates = {tariff: _rate(tariff, token_class) for tariff in tariffs.unique()}
        total += rows[column] * tariffs.map(rates).astype("float64")
    return total


def without_unpriced_batch(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows but for batch traffic older than its prices, as if the batch jobs had begun that day."""
    unpriced = (rows["service_tier"] == "batch") & (rows["started_at"] < pd.Timestamp(BATCH_PRICED_FROM))
    return rows[~unpriced].reset_index(drop=True)


def total_usd(rows: pd.DataFrame) -> float:
    """What the ledger will say the rows cost: billed cost first, else the list price."""
    return float(rows["cost_usd"].fillna(priced_usd(rows)).sum())


def rebilled(after: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """`after`, row by row what `before` became, billed at the discount `before` was billed at."""
    contract = before["cost_usd"] / priced_usd(before)
    return after.assign(cost_usd=(priced_usd(after) * contract).round(6))


def _rate(tariff: str, token_class: TokenClass) -> float:
    model, _, tier = tariff.rpartition("|")
    return usd_per_token(model, token_class, service_tier=tier)
