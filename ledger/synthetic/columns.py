"""The columns of a usage file in the order the generator writes them, and what a frame of rows looks like.

A frame of usage rows has `started_at` as aware UTC instants, text as text with absent cells null, counts as
integers (the optional ones nullable), and `cost_usd` as floats rounded to 1e-6, null where it is not billed.
"""

from typing import Final

import pandas as pd

TEXT_COLUMNS: Final = (
    "provider", "model", "team", "project", "key_id", "user", "feature", "region", "service_tier", "client",
    "prompt_template", "record_id",
)  # fmt: skip
REQUEST_COLUMNS: Final = ("requests", "failed_requests", "retried_requests")
PROMPT_COLUMNS: Final = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
)
TOKEN_COLUMNS: Final = (*PROMPT_COLUMNS, "output_tokens")
OPTIONAL_COUNT_COLUMNS: Final = ("reasoning_tokens", "input_characters", "output_characters")
COUNT_COLUMNS: Final = (*REQUEST_COLUMNS, *TOKEN_COLUMNS, *OPTIONAL_COUNT_COLUMNS)
USAGE_COLUMNS: Final = (
    "started_at",
    *TEXT_COLUMNS[:-2],
    *COUNT_COLUMNS,
    "prompt_template",
    "cost_usd",
    "record_id",
)
IDENTITY_COLUMNS: Final = ("started_at", *TEXT_COLUMNS)
"""What makes a row the same row: without a `record_id`, the instant and all text columns together."""


def shaped(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows with exactly the columns of a usage file, typed as the module says, in time order."""
    frame = rows.reindex(columns=list(USAGE_COLUMNS))
    types = {name: "Int64" if name in OPTIONAL_COUNT_COLUMNS else "int64" for name in COUNT_COLUMNS}
    frame = frame.astype({**types, **dict.fromkeys(TEXT_COLUMNS, "str"), "cost_usd": "float64"})
    return frame.sort_values("started_at", kind="stable", ignore_index=True)


def merged(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of one identity added together, as a gateway that aggregates by the hour counts them."""
    keys = list(IDENTITY_COLUMNS)
    if not rows.duplicated(keys).any():
        return rows
    sums = rows.groupby(keys, sort=False, dropna=False, as_index=False).sum(min_count=1)
    return shaped(sums)
