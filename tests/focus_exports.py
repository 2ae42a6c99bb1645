"""Exports of small ledgers and what is in them, for the tests of the FOCUS export."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import cast

import duckdb

from ledger.ingest.source import DEFAULT_TAGS
from ledger.prices.overrides import ModelAlias
from ledger.window import Window
from tests.usage_builder import TestLedger
from tokensleuth.focus_export.columns import FocusVersion
from tokensleuth.focus_export.exporting import export_file
from tokensleuth.focus_export.rows import ExportRequest
from tokensleuth.output import progress_bar

TOTALS = """
select hour, model, team, key_id, sum(requests), sum(input_tokens), sum(cache_read_tokens),
    sum(cache_write_5m_tokens), sum(cache_write_1h_tokens), sum(output_tokens), coalesce(sum(cost), 0)
from spend group by all order by all
"""
"""What a round trip must keep."""

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Exported:
    """A file and what was said of it."""

    path: Path
    document: dict[str, object]
    rows: Sequence[Row] = field(repr=False)

    @property
    def result(self) -> str:
        return str(self.document["result"])

    def column(self, name: str) -> list[object]:
        return [row[name] for row in self.rows]

    def money(self, name: str) -> list[Decimal]:
        return [Decimal(str(value)) for value in self.column(name)]


def export(
    ledger: TestLedger,
    path: Path,
    *,
    version: FocusVersion = "1.4",
    window: Window | None = None,
    list_prices: bool = False,
    aliases: Sequence[ModelAlias] = (),
) -> Exported:
    """All of the ledger, or a window; the file is read back as text."""
    covered = window or cast(Window, ledger.ledger.reader.extent())
    request = ExportRequest(covered, version, "acct-1", DEFAULT_TAGS, list_prices=list_prices)
    with progress_bar() as progress:
        document = export_file(ledger.ledger.reader, request, path, aliases=aliases, progress=progress)
    return Exported(path, document, rows_of(path))


def rows_of(path: Path) -> list[Row]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        read = "read_parquet(?)" if path.suffix == ".parquet" else "read_csv(?, all_varchar = true)"
        found = connection.execute(f"from {read} select cast(columns(*) as varchar)", [str(path)])
        names = [str(column[0]) for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
