from pathlib import Path

import duckdb
import pytest

from evals.servegen import DATA_VARIABLE, default_folder, find_source, write_servegen_usage

ROWS = """
select * from (values
    ('m-large', 0, 0, 3.0, 1500.0, 300.0), ('m-large', 0, 1, 0.0, 0.0, 0.0),
    ('m-mid', 0, 335, 2.0, null, null)
) as t(model, client, hour, requests, in_tok, out_tok)
"""


def test_clients_become_keys_with_a_priced_model_and_hours_get_dates(tmp_path: Path) -> None:
    source, usage = tmp_path / "servegen_hourly.parquet", tmp_path / "usage.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({ROWS}) to '{source}' (format parquet)")
        assert write_servegen_usage(source, usage) == 2
        connection.execute("set timezone = 'UTC'")
        rows = connection.execute(f"select * replace (started_at::varchar as started_at) from '{usage}'")
        assert rows.fetchall() == [
            ("2026-11-02 00:00:00+00", "openai", "gpt-4.1", "m-large-client-000", 3, 1500, 300),
            ("2026-11-15 23:00:00+00", "openai", "gpt-4.1-mini", "m-mid-client-000", 2, None, None),
        ]


def test_a_folder_without_the_data_is_no_error(tmp_path: Path) -> None:
    assert find_source(tmp_path) is None


def test_the_environment_says_where_the_data_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv(DATA_VARIABLE)
    assert default_folder().parts[-2:] == ("shared", "data")
