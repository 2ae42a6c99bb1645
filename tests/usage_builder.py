"""Builds small usage files and ledgers to load them into."""

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.ingest.contract import COLUMN
from ledger.ingest.load import LoadOptions
from ledger.ingest.result import IngestResult
from ledger.ingest.scopes import Attribution, Owned
from ledger.migrations import migrate
from ledger.owners import OwnerRule, owner_of
from ledger.prices.book import PriceBook
from ledger.prices.makers import provider_of
from ledger.sources import SourceFormat
from ledger.store import Ledger

NOW = datetime(2026, 11, 22, tzinfo=UTC).replace(tzinfo=None)
HOUR = "2026-11-01T09:00:00Z"

UsageRow = dict[str, object]

_MEASURES = (
    "requests", "failed_requests", "retried_requests", "input_tokens", "cache_read_tokens",
    "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens",
)  # fmt: skip

_SUMS = ", ".join(f"sum({measure})::bigint" for measure in _MEASURES)
FRESH_ROLL_UP = f"""
select date_trunc('hour', started_at), scope_id, billed_cost is not null, count(*), {_SUMS},
    coalesce(sum(reasoning_tokens), 0)::bigint,
    case when count(input_characters) = count(*) then sum(input_characters)::bigint end,
    case when count(output_characters) = count(*) then sum(output_characters)::bigint end,
    sum(billed_cost)::bigint
from usage group by 1, 2, 3 order by 1, 2, 3
"""
STORED_ROLL_UP = f"""
select hour, scope_id, billed, records, {", ".join(_MEASURES)}, reasoning_tokens, input_characters,
    output_characters, billed_cost
from usage_hourly order by 1, 2, 3
"""
SPEND = "select * exclude (scope_id, price_version) from spend order by all"


def usage(at: str = HOUR, **cells: object) -> UsageRow:
    """One valid row."""
    return {
        "started_at": at,
        "model": "gpt-4o",
        "team": "search",
        "input_tokens": 100,
        "output_tokens": 10,
        **cells,
    }


@dataclass(frozen=True, slots=True)
class TestLedger:
    """A ledger and what is known about its owners; loads with fixed time and the bundled prices."""

    __test__ = False

    ledger: Ledger
    connection: duckdb.DuckDBPyConnection
    owners: tuple[OwnerRule, ...] = ()

    def load(
        self, path: Path, options: LoadOptions | None = None, *, as_format: SourceFormat = "usage"
    ) -> IngestResult:
        given = options or LoadOptions(now=NOW)
        attribution = Attribution(provider_of, self._team_of)
        return self.ledger.load(
            path, replace(given, format=as_format), attribution=attribution, book=PriceBook()
        )

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.connection.execute(sql).fetchall()

    def totals(self) -> tuple[object, ...]:
        """Records, requests, input, output and billed cost over everything."""
        return self.rows(
            """select coalesce(sum(records), 0), coalesce(sum(requests), 0), coalesce(sum(input_tokens), 0),
            coalesce(sum(output_tokens), 0), sum(billed_cost) from usage_hourly"""
        )[0]

    def roll_up_is_fresh(self) -> bool:
        return self.rows(FRESH_ROLL_UP) == self.rows(STORED_ROLL_UP)

    def _team_of(self, owned: Owned) -> str:
        return owner_of(
            self.owners,
            provider=owned.provider,
            project=owned.project,
            key_id=owned.key_id,
            user=owned.user,
        )


@contextmanager
def memory_ledger(*owners: OwnerRule) -> Iterator[TestLedger]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; set threads = 2")
        migrate(connection)
        yield TestLedger(Ledger(connection), connection, owners)


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """Write rows in the format the name asks for: .csv, .jsonl or .parquet, and .gz of each."""
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    match plain.suffix:
        case ".csv":
            content = csv_bytes(rows)
        case ".jsonl":
            content = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        case _:
            content = parquet_bytes(rows)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def csv_bytes(rows: Sequence[Mapping[str, object]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(
        text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def parquet_bytes(given: Sequence[Mapping[str, object]], *, rows: int | None = None) -> bytes:
    """Instants in UTC, counts as integers, costs as doubles, the rest as text; only the first `rows`."""
    names = list(dict.fromkeys(name for row in given for name in row))
    columns = {name: pa.array([_typed(name, row.get(name)) for row in given], _type(name)) for name in names}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns).slice(0, rows), buffer)
    return buffer.getvalue()


def _typed(name: str, value: object) -> object:
    return datetime.fromisoformat(value) if name == "started_at" and isinstance(value, str) else value


def _type(name: str) -> pa.DataType:
    match COLUMN[name].kind if name in COLUMN else "text":
        case "instant":
            return pa.timestamp("us", "UTC")
        case "text":
            return pa.string()
        case "money":
            return pa.float64()
        case _:
            return pa.int64()
