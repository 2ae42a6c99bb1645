"""Turns the hourly traffic of real clients (ServeGen, Alibaba; Apache-2.0) into contract usage files.

The data names sizes, not models, and has no dates. Assumed here: each size is priced as a model of about its
class; hour 0 is Monday 2026-11-02T00:00Z, so that the 14 days are two whole weeks; a client is one API key.
Clients without token counts keep their requests and have no tokens.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from ledger.window import Window

START_AT = datetime(2026, 11, 2, tzinfo=UTC)
LAST_WEEK = Window(START_AT + timedelta(weeks=1), START_AT + timedelta(weeks=2))
PRICED_AS: Mapping[str, str] = {"m-large": "gpt-4.1", "m-mid": "gpt-4.1-mini", "m-small": "gpt-4.1-nano"}
FILE_NAME = "servegen_hourly.parquet"
DATA_VARIABLE = "TOKENSLEUTH_DEV_DATA"

_USAGE_SQL = """
select
    $start_at::timestamptz + to_hours(hour::integer) as started_at,
    'openai' as provider,
    p.priced_as as model,
    t.model || '-client-' || lpad(t.client::varchar, 3, '0') as key_id,
    round(t.requests)::bigint as requests,
    round(t.in_tok)::bigint as input_tokens,
    round(t.out_tok)::bigint as output_tokens
from read_parquet($source) t
join priced p on p.model = t.model
where round(t.requests) > 0
order by started_at, key_id
"""


def default_folder() -> Path:
    """The folder of development data: the environment's, else `../shared/data` beside the repository."""
    stated = os.environ.get(DATA_VARIABLE)
    return Path(stated) if stated else Path(__file__).parents[2] / "shared" / "data"


def find_source(folder: Path) -> Path | None:
    """The data file, or None where it is absent, as in a user's clone."""
    path = folder / FILE_NAME
    return path if path.is_file() else None


def write_servegen_usage(source: Path, target: Path) -> int:
    """Write one Parquet usage file; returns its number of rows."""
    name = str(target).replace("'", "''")
    parameters = {"start_at": START_AT.isoformat(), "source": str(source)}
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("create table priced (model varchar, priced_as varchar)")
        connection.executemany("insert into priced values (?, ?)", list(PRICED_AS.items()))
        copied = connection.execute(
            f"copy ({_USAGE_SQL}) to '{name}' (format parquet)", parameters
        ).fetchone()
    return int(copied[0]) if copied else 0
