from pathlib import Path

import duckdb
import pandas as pd
import pytest

from evals.requests import END_AT, write_requests
from ledger.synthetic.columns import USAGE_COLUMNS


@pytest.fixture(scope="module")
def requests(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("requests") / "requests.parquet"
    write_requests(path, rows=20_000)
    return read(path)


def read(path: Path) -> pd.DataFrame:
    with duckdb.connect() as connection:
        query = "select * replace (started_at::timestamp as started_at) from read_parquet($path)"
        connection.execute("set timezone = 'UTC'")
        return connection.execute(query, {"path": str(path)}).df()


def test_request_rows_have_contract_columns_and_an_id_each(requests: pd.DataFrame) -> None:
    assert set(requests.columns) == set(USAGE_COLUMNS) - {"cost_usd"}
    assert len(requests) == 20_000
    assert requests["record_id"].is_unique
    assert (requests["requests"] == 1).all()


def test_request_rows_spread_over_90_days_and_many_scopes(requests: pd.DataFrame) -> None:
    assert requests["started_at"].is_monotonic_increasing
    assert requests["started_at"].max() < END_AT.replace(tzinfo=None)
    assert (requests["started_at"].max() - requests["started_at"].min()).days == 89
    assert requests["team"].nunique() == 100
    assert requests["model"].nunique() == 12
    assert requests["key_id"].nunique() > 800


def test_request_rows_hold_parts_within_their_wholes(requests: pd.DataFrame) -> None:
    tokens = requests[["input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens"]]
    assert (tokens >= 0).all(axis=None)
    assert (requests["retried_requests"] <= requests["failed_requests"]).all()
    assert (requests["reasoning_tokens"] <= requests["output_tokens"]).all()


def test_request_rows_are_the_same_every_time(requests: pd.DataFrame, tmp_path: Path) -> None:
    write_requests(tmp_path / "again.parquet", rows=20_000)
    pd.testing.assert_frame_equal(read(tmp_path / "again.parquet"), requests)
