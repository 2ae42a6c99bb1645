"""Public list prices beside the contract's: needed only where the settings have contract terms."""

from collections.abc import Sequence
from dataclasses import astuple
from datetime import timedelta

import duckdb
import pandas as pd

from ledger.prices.book import PriceBook
from ledger.prices.overrides import ModelAlias
from ledger.prices.rates import RateRow
from ledger.reader import Reader
from ledger.usage import TOKEN_CLASSES
from ledger.window import Window
from tokensleuth.focus_export.rows import LIST_RATES

_KEY = ("list_provider", "list_model", "list_tier", "list_day")
_RATES = tuple(f"list_{name}" for name in TOKEN_CLASSES)


def register_list_rates(
    cursor: duckdb.DuckDBPyConnection, reader: Reader, window: Window, aliases: Sequence[ModelAlias]
) -> None:
    """Make LIST_RATES: what the catalogue says for every rate the ledger has in the window, without terms."""
    book = PriceBook(aliases=aliases)
    last_day = (window.end_at - timedelta(microseconds=1)).date()
    keys = {
        (r.provider, r.model, r.service_tier, r.day) for r in reader.rates(window.start_at.date(), last_day)
    }
    rows = [(*key, *_listed(row)) for key in sorted(keys) for row in book.rates(*key)]
    frame = pd.DataFrame(rows, columns=[*_KEY, "list_hour", *_RATES], dtype=object)
    typed = frame.astype(dict.fromkeys(["list_hour", *_RATES], "Int64"))
    cursor.register(LIST_RATES, typed)


def _listed(row: RateRow) -> tuple[object, ...]:
    """Hour of day and the five rates."""
    return astuple(row)[: 1 + len(TOKEN_CLASSES)]
