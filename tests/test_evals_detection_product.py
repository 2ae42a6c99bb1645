"""What the benchmark counts is what the product's commands tell."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pytest

from evals.detection.__main__ import command_of, main, parser
from evals.detection.contact_sheet import Picture, sheet_spec, write_sheet
from evals.detection.generator import generate_set
from evals.detection.servegen_week import real_week
from evals.detection.spend_set import SpendSet
from evals.detection.through_ingest import compare, told_by_the_bench, told_by_the_product
from evals.detection.through_ingest import main as through_ingest
from evals.servegen import LAST_WEEK
from ledger.window import HOUR, Window


@pytest.fixture(scope="module")
def spend() -> SpendSet:
    return generate_set(6, series=8, history_days=21, scored_days=7)


def test_ingest_and_detect_tell_what_the_bench_counts(spend: SpendSet, tmp_path: Path) -> None:
    counted = told_by_the_bench(spend)
    assert counted["incidents"]
    assert list(compare(told_by_the_product(spend, tmp_path), counted)) == []


def test_what_only_one_of_them_tells_is_named(spend: SpendSet) -> None:
    counted = told_by_the_bench(spend)
    fewer = {**counted, "incidents": counted["incidents"][1:]}
    (difference,) = compare(fewer, counted)
    assert difference.startswith("incidents: only the bench has {'scope': {")


def test_without_data_or_a_seed_there_is_nothing_to_compare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert through_ingest(["--data", str(tmp_path)]) == 2
    assert "give --seed" in capsys.readouterr().err


def test_seeds_seen_in_development_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "1", "9002"]) == 2
    assert "[9002]" in capsys.readouterr().err


def test_the_results_name_seeds_and_what_was_left_out_but_no_folder() -> None:
    options = parser().parse_args(["--data", "somewhere", "--seeds", "5", "6", "--no-peers"])
    assert command_of(options) == "python -m evals.detection --seeds 5 6 --series 75 --no-peers"


def test_the_real_week_is_counted_by_size_and_drawn(tmp_path: Path) -> None:
    """One client costs $0.005 an hour but for a day of $220 an hour in the second week."""
    source = tmp_path / "servegen_hourly.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select 'm-large' as model, 0 as client, range as hour, 10.0 as requests, "
            "case when range between 240 and 263 then 1e8 else 2000.0 + 50 * (range % 7) end as in_tok, "
            f"100.0 as out_tok from range(336)) to '{source}' (format parquet)"
        )
    week = real_week(source)
    assert [week.count_over(usd) for usd in (0, 1000, 10_000)] == [1, 1, 0]
    (picture,) = week.pictures
    assert picture.flagged[48:72].all()
    assert picture.window.start_at == LAST_WEEK.start_at + 24 * HOUR
    write_sheet(week.pictures, tmp_path / "out" / "sheet.png")
    assert (tmp_path / "out" / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_a_scope_that_was_not_scored_is_drawn_without_an_expectation() -> None:
    window = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 2, tzinfo=UTC))
    values = np.array([1.0, 2.0])
    picture = Picture("key", "2 h", window, window, values, values * np.nan, values > 1)
    plots = sheet_spec([picture])["concat"]
    assert isinstance(plots, list)
    hours = plots[0]["data"]["values"]
    assert [(hour["expected"], hour["flagged"]) for hour in hours] == [(None, None), (None, 2.0)]
