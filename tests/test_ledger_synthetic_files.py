import json
from itertools import pairwise
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from ledger.synthetic.columns import USAGE_COLUMNS
from ledger.synthetic.demo import DEMO_RANGE, demo_organisation, write_demo
from ledger.synthetic.files import FileFormat, write_usage
from ledger.synthetic.spec import OrganisationSpec
from ledger.synthetic.traffic import generate_usage

ROWS = generate_usage(OrganisationSpec(seed=3, teams=3, weeks=1, billed_providers=("openai",)))
READERS = {"csv": "read_csv", "csv.gz": "read_csv", "jsonl": "read_json", "jsonl.gz": "read_json"}


def read_back(paths: list[Path], file_format: FileFormat) -> pd.DataFrame:
    reader = READERS.get(file_format, "read_parquet")
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        names = ", ".join(f"'{path}'" for path in paths)
        query = f"select * replace (started_at::timestamp as started_at) from {reader}([{names}])"
        return connection.execute(query).df()


@pytest.mark.parametrize("file_format", ["csv", "csv.gz", "jsonl", "jsonl.gz", "parquet"])
def test_files_hold_the_rows_they_were_given(file_format: FileFormat, tmp_path: Path) -> None:
    again = read_back(write_usage(ROWS, tmp_path, file_format=file_format), file_format)
    assert set(again.columns) == set(USAGE_COLUMNS)
    assert len(again) == len(ROWS)
    for name in ("requests", "input_tokens", "output_characters", "cost_usd"):
        assert float(again[name].sum()) == pytest.approx(float(ROWS[name].sum()), abs=1e-6)
    assert again["started_at"].max() == ROWS["started_at"].max().tz_localize(None)
    assert again["user"].isna().sum() == ROWS["user"].isna().sum()


def test_text_files_write_instants_in_utc_with_z(tmp_path: Path) -> None:
    (path,) = write_usage(ROWS, tmp_path, file_format="csv")
    header, first, *_ = path.read_text().splitlines()
    assert header.startswith("started_at,")
    assert first.startswith("2026-11-09T00:00:00Z,")


def test_files_are_split_by_team(tmp_path: Path) -> None:
    paths = write_usage(ROWS, tmp_path, file_format="jsonl", split_by="team")
    assert [path.name for path in paths] == [
        "usage-checkout.jsonl",
        "usage-search.jsonl",
        "usage-support.jsonl",
    ]
    assert {json.loads(line)["team"] for line in paths[1].read_text().splitlines()} == {"search"}


def test_the_demo_writes_a_file_per_week_and_what_it_injected(tmp_path: Path) -> None:
    files = write_demo(tmp_path)
    assert [path.name for path in files.usage] == [f"usage-2026-W{week}.csv.gz" for week in range(42, 47)]
    injected = json.loads(files.injected.read_text())
    assert [entry["cause"] for entry in injected] == ["retry_storm", "key_leak", "model_switch"]


def test_the_demo_incidents_are_large_apart_and_in_its_last_week() -> None:
    injected = demo_organisation().injected
    assert all(200 < entry.delta_usd < 5000 for entry in injected)
    assert all(DEMO_RANGE.start_at <= entry.window.start_at for entry in injected)
    assert all(before.window.end_at < after.window.start_at for before, after in pairwise(injected))
