"""The edge that writes usage files in the contract's formats, and beside them what was injected."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import duckdb
import pandas as pd

from ledger.synthetic.columns import USAGE_COLUMNS
from ledger.synthetic.inject import Injected

FileFormat = Literal["csv", "csv.gz", "jsonl", "jsonl.gz", "parquet"]
SplitBy = Literal["team", "week", "nothing"]

INJECTED_FILE = "injected.json"

_COPY_OPTIONS: Mapping[FileFormat, str] = {
    "csv": "format csv, header",
    "csv.gz": "format csv, header, compression gzip",
    "jsonl": "format json",
    "jsonl.gz": "format json, compression gzip",
    "parquet": "format parquet, compression zstd",
}


def write_usage(
    rows: pd.DataFrame, folder: Path, *, file_format: FileFormat = "csv.gz", split_by: SplitBy = "nothing"
) -> list[Path]:
    """Write `usage*.<format>` files into `folder` (made if needed); returns their paths in name order."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for part, piece in _pieces(rows, split_by):
            path = folder / f"usage{part}.{file_format}"
            _write(connection, piece, path, file_format)
            paths.append(path)
    return paths


def write_injected(injected: Sequence[Injected], folder: Path) -> Path:
    """Write the ground truth, kept out of the usage files."""
    path = folder / INJECTED_FILE
    path.write_text(json.dumps([entry.as_json() for entry in injected], indent=2) + "\n", encoding="utf-8")
    return path


def _pieces(rows: pd.DataFrame, split_by: SplitBy) -> Iterable[tuple[str, pd.DataFrame]]:
    if split_by == "nothing":
        return [("", rows)]
    names: Callable[[pd.DataFrame], pd.Series] = {"team": _team, "week": _week}[split_by]
    return [(f"-{name}", piece) for name, piece in rows.groupby(names(rows), sort=True)]


def _team(rows: pd.DataFrame) -> pd.Series:
    return rows["team"].fillna("none")


def _week(rows: pd.DataFrame) -> pd.Series:
    return pd.Series(rows["started_at"].dt.strftime("%G-W%V"))


def _write(
    connection: duckdb.DuckDBPyConnection, rows: pd.DataFrame, path: Path, file_format: FileFormat
) -> None:
    """Text formats carry instants as RFC 3339 with Z, Parquet as timestamps with time zone."""
    started_at = (
        "started_at"
        if file_format == "parquet"
        else ("strftime(started_at::timestamp, '%Y-%m-%dT%H:%M:%SZ') as started_at")
    )
    others = [f'"{name}"' for name in USAGE_COLUMNS if name not in ("started_at", "cost_usd")]
    columns = ", ".join([started_at, *others, "cost_usd::decimal(18, 6) as cost_usd"])
    target = str(path).replace("'", "''")
    connection.register("piece", rows)
    connection.execute(f"copy (select {columns} from piece) to '{target}' ({_COPY_OPTIONS[file_format]})")
    connection.unregister("piece")
