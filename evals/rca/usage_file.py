"""Writes the rows of a case as usage files of the contract: the ordinary rows, and a second export if any."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from evals.rca.case import Case, Rows
from ledger.scope import DIMENSIONS, UNALLOCATED
from ledger.window import instant_text

MEASURES = (
    "requests", "failed_requests", "retried_requests", "input_tokens", "cache_read_tokens",
    "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens", "input_characters",
    "output_characters",
)  # fmt: skip
"""In the order in which generated counts have them."""

_SCOPE = ", ".join(f'nullif("{d}", \'{UNALLOCATED}\') as "{d}"' for d in DIMENSIONS)
_SQL = """
select $start_at::timestamptz + to_hours(hour::integer) as started_at, {scope}, {counts},
    case when billed then (cost_micro::decimal(28, 0) / 1000000)::decimal(18, 6) end as cost_usd {record_id}
from cells join scopes using (scope_id)
order by hour, scope_id
"""


def write_usage(case: Case, folder: Path) -> list[Path]:
    """One Parquet file per source, in the order in which they are to be loaded."""
    files = [folder / f"usage-{number}.parquet" for number in range(len(case.rows))]
    for rows, file in zip(case.rows, files, strict=True):
        _write(case, rows, file)
    return files


def _write(case: Case, rows: Rows, target: Path) -> None:
    scopes = pd.DataFrame(rows.names.astype(str), columns=list(DIMENSIONS)).assign(
        scope_id=np.arange(len(rows.names)), billed=rows.billed
    )
    counts = MEASURES if case.traits.characters else MEASURES[:-2]
    record_id = ", 'copy-' || scope_id || '-' || hour as record_id" if rows.copies else ""
    sql = _SQL.format(scope=_SCOPE, counts=", ".join(counts), record_id=record_id)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; set threads = 1; set enable_progress_bar = false")
        connection.register("scopes", scopes)
        connection.register("cells", _cells(rows))
        start_at = instant_text(case.history.start_at)
        connection.sql(sql, params={"start_at": start_at}).write_parquet(str(target))


def _cells(rows: Rows) -> pd.DataFrame:
    """One row per scope and hour with requests."""
    scope, hour = np.nonzero(rows.counts[0])
    columns = {name: rows.counts[i, scope, hour] for i, name in enumerate(MEASURES)}
    cost = rows.cost_pico[scope, hour] // 10**6
    return pd.DataFrame({"scope_id": scope, "hour": hour, **columns, "cost_micro": cost})
