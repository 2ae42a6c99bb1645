"""Usage files into the ledger: the same facts whatever the format, once however often they are loaded."""

import gzip
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger.errors import RefusedError
from ledger.ingest.preflight import usage_files
from ledger.ingest.result import IngestResult, RowError, added
from ledger.owners import OwnerRule
from ledger.scope import UNALLOCATED
from tests.usage_builder import SPEND, csv_bytes, memory_ledger, usage, write

ROWS = [
    usage(record_id="r1", key_id="k1", user="ann", cost_usd=0.25, reasoning_tokens=4),
    usage(record_id="r2", key_id="k1", cost_usd=None, requests=3, failed_requests=1, retried_requests=2),
    usage("2026-11-01T10:59:59.999Z", record_id="r3", model="claude-opus-4-7", cache_read_tokens=7),
    usage("2026-11-01T12:30:00+02:00", record_id="r4", team="ads", cache_write_5m_tokens=1),
    usage("2026-11-01T10:30:00Z", record_id="r5", provider="azure", region="swedencentral", feature='Ä, "b"'),
]  # fmt: skip


def counts(result: IngestResult) -> tuple[int, int, int, int]:
    return result.new, result.duplicate, result.restated, result.rejected


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.csv.gz", "a.jsonl.gz", "a.parquet.gz", "a.json"])
def test_every_format_gives_the_ledger_that_csv_gives(tmp_path: Path, name: str) -> None:
    with memory_ledger() as plain, memory_ledger() as other:
        assert counts(plain.load(write(tmp_path / "a.csv", ROWS))) == (5, 0, 0, 0)
        path = tmp_path / name
        write(path.with_suffix(".jsonl") if name == "a.json" else path, ROWS)
        if name == "a.json":
            lines = path.with_suffix(".jsonl").read_text().splitlines()
            path.write_text(f"[{', '.join(lines)}]")
        assert counts(other.load(path)) == (5, 0, 0, 0)
        assert other.rows(SPEND) == plain.rows(SPEND)
        assert len(plain.rows(SPEND)) == 5


def test_loading_a_file_again_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ROWS)
    with memory_ledger() as ledger:
        ledger.load(path)
        before = ledger.rows(SPEND)
        assert counts(ledger.load(path)) == (0, 5, 0, 0)
        assert ledger.rows(SPEND) == before
        assert ledger.rows("select count(*) from usage_restated") == [(0,)]


def test_rows_in_two_overlapping_files_count_once(tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        ledger.load(write(tmp_path / "a.csv", ROWS[:4]))
        assert counts(ledger.load(write(tmp_path / "b.jsonl", ROWS[2:]))) == (1, 2, 0, 0)
        assert ledger.totals()[:2] == (5, 7)


def test_a_row_without_a_record_id_is_known_by_its_instant_and_scope(tmp_path: Path) -> None:
    rows = [usage(), usage(user="ann"), usage("2026-11-01T09:00:01Z")]
    with memory_ledger() as ledger:
        assert counts(ledger.load(write(tmp_path / "a.csv", rows))) == (3, 0, 0, 0)
        assert counts(ledger.load(write(tmp_path / "b.csv", [usage(input_tokens=1)]))) == (0, 0, 1, 0)


def test_the_same_record_id_of_two_providers_is_two_records(tmp_path: Path) -> None:
    rows = [usage(record_id="r1", provider="openai"), usage(record_id="r1", provider="azure")]
    with memory_ledger() as ledger:
        assert counts(ledger.load(write(tmp_path / "a.csv", rows))) == (2, 0, 0, 0)


def test_a_restatement_replaces_and_is_kept_and_renews_the_hours_it_touches(tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        ledger.load(write(tmp_path / "a.csv", [usage(record_id="r1"), usage(record_id="r2")]))
        later = usage("2026-11-01T11:00:00Z", record_id="r1", input_tokens=40, cost_usd=1, team="ads")
        assert counts(ledger.load(write(tmp_path / "b.csv", [later]))) == (0, 0, 1, 0)
        cells = "select hour(hour), team, input_tokens, records, billed_cost from spend order by 1"
        assert ledger.rows(cells) == [(9, "search", 100, 1, None), (11, "ads", 40, 1, 10**12)]
        assert ledger.rows("select input_tokens, load_id, replaced_by from usage_restated") == [(100, 1, 2)]
        assert ledger.roll_up_is_fresh()


def test_a_cell_whose_only_row_moved_away_is_gone(tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        ledger.load(write(tmp_path / "a.csv", [usage(record_id="r1")]))
        ledger.load(write(tmp_path / "b.csv", [usage("2026-11-02T09:00:00Z", record_id="r1")]))
        assert ledger.rows("select cast(hour as date)::varchar from usage_hourly") == [("2026-11-02",)]


def test_late_rows_join_their_hour(tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        ledger.load(
            write(tmp_path / "a.csv", [usage(record_id="r1"), usage("2026-11-05T09:00:00Z", record_id="r2")])
        )
        ledger.load(
            write(tmp_path / "b.csv", [usage("2026-11-01T09:40:00Z", record_id="r3", input_tokens=5)])
        )
        cells = "select day(hour), records, input_tokens from usage_hourly order by 1"
        assert ledger.rows(cells) == [(1, 2, 105), (5, 1, 100)]


def test_the_same_row_twice_in_one_file_is_a_duplicate(tmp_path: Path) -> None:
    rows = [usage(record_id="r1"), usage(record_id="r1"), usage(record_id="r1")]
    with memory_ledger() as ledger:
        assert counts(ledger.load(write(tmp_path / "a.csv", rows))) == (1, 2, 0, 0)


def test_all_rows_of_a_conflict_in_one_file_are_rejected_also_those_that_repeat(tmp_path: Path) -> None:
    rows = [usage(record_id="r1", input_tokens=n) for n in (1, 2, 3, 1)]
    with memory_ledger() as ledger:
        result = ledger.load(write(tmp_path / "a.csv", rows))
    assert counts(result) == (0, 0, 0, 4)
    assert [(e.line, e.column, e.value) for e in result.errors] == [
        (n, "record_id", "r1") for n in (2, 3, 4, 5)
    ]


def test_a_bad_row_does_not_make_a_conflict_of_the_good_one(tmp_path: Path) -> None:
    rows = [usage(record_id="r1"), usage(record_id="r1", input_tokens=-1)]
    with memory_ledger() as ledger:
        assert counts(ledger.load(write(tmp_path / "a.csv", rows))) == (1, 0, 0, 1)


def test_an_absent_cell_an_empty_one_and_unallocated_are_the_same(tmp_path: Path) -> None:
    rows = [usage(team=None), usage(team=""), usage(team=UNALLOCATED), usage(team=None, project=" ")]
    with memory_ledger() as ledger:
        assert counts(ledger.load(write(tmp_path / "a.csv", rows))) == (1, 3, 0, 0)
        assert ledger.rows("select team, project, prompt_template from spend") == [
            (UNALLOCATED, UNALLOCATED, "")
        ]


def test_requests_default_to_one_and_other_counts_to_zero(tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        ledger.load(write(tmp_path / "a.csv", [{"started_at": "2026-11-01T09:00:00Z", "model": "gpt-4o"}]))
        assert ledger.rows("select requests, failed_requests, tokens, reasoning_tokens from spend") == [
            (1, 0, 0, 0)
        ]


def test_a_provider_that_is_not_named_is_found_from_the_model(tmp_path: Path) -> None:
    rows = [usage(model="claude-opus-4-7"), usage(model="our-own-model")]
    with memory_ledger() as ledger:
        ledger.load(write(tmp_path / "a.csv", rows))
        assert ledger.rows("select provider from spend order by 1") == [(UNALLOCATED,), ("anthropic",)]


def test_a_key_without_a_team_gets_its_owner_and_a_named_team_stays(tmp_path: Path) -> None:
    rows = [usage(team="", key_id="k1"), usage(team="search", key_id="k1"), usage(team="", key_id="x")]
    with memory_ledger(OwnerRule(team="ads", key_id="k*")) as ledger:
        ledger.load(write(tmp_path / "a.csv", rows))
        assert ledger.rows("select team from spend order by 1") == [(UNALLOCATED,), ("ads",), ("search",)]


def test_character_counts_of_a_cell_are_unknown_when_one_row_lacks_them(tmp_path: Path) -> None:
    rows = [usage(record_id="r1", input_characters=400), usage(record_id="r2", input_characters=None)]
    with memory_ledger() as ledger:
        ledger.load(write(tmp_path / "a.csv", rows[:1]))
        assert ledger.rows("select input_characters from usage_hourly") == [(400,)]
        ledger.load(write(tmp_path / "b.csv", rows))
        assert ledger.rows("select input_characters from usage_hourly") == [(None,)]


@pytest.mark.parametrize(
    ("cost", "pico"),
    [("0.1", 10**11), ("1e-5", 10**7), ("1.", 10**12), ("0.1234567890126", 123456789013), ("0", 0)],
)
def test_billed_cost_is_kept_to_the_pico_dollar(tmp_path: Path, cost: str, pico: int) -> None:
    with memory_ledger() as ledger:
        ledger.load(write(tmp_path / "a.csv", [usage(cost_usd=cost)]))
        assert ledger.rows("select billed_cost, cost from spend") == [(pico, pico)]


def test_headers_are_matched_without_case_and_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfMODEL, Started_At \r\ngpt-4o,2026-11-01T09:00:00Z\r\n")
    (tmp_path / "b.jsonl").write_text('{"Model": "gpt-4o", "STARTED_AT": "2026-11-01t09:00:00z"}\n')
    with memory_ledger() as ledger:
        assert counts(ledger.load(path)) == (1, 0, 0, 0)
        assert counts(ledger.load(tmp_path / "b.jsonl")) == (0, 1, 0, 0)


@pytest.mark.parametrize("name", ["a[1].csv", "a*.csv", "team=x/a.csv", 'it\'s "a".csv', "~a.csv", "a.CSV"])
def test_file_names_are_taken_literally(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(csv_bytes([usage(team="")]))
    with memory_ledger() as ledger:
        assert counts(ledger.load(path)) == (1, 0, 0, 0)
        assert ledger.rows("select team from spend") == [(UNALLOCATED,)]


def test_gzip_members_one_after_the_other_are_one_file(tmp_path: Path) -> None:
    whole = csv_bytes([usage(record_id=f"r{i}") for i in range(100)])
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(whole[:700]) + gzip.compress(whole[700:]))
    with memory_ledger() as ledger:
        assert counts(ledger.load(tmp_path / "a.csv.gz")) == (100, 0, 0, 0)


NINE = datetime(2026, 11, 1, 9, tzinfo=UTC)


def parquet(path: Path, columns: Mapping[str, Sequence[object] | pa.Array]) -> Path:
    given = {"model": ["gpt-4o"], "started_at": pa.array([NINE], pa.timestamp("us", "UTC")), **columns}
    pq.write_table(pa.table(given), path)
    return path


@pytest.mark.parametrize(
    "columns",
    [
        {"started_at": pa.array([NINE], pa.timestamp("ns", "UTC"))},
        {"started_at": pa.array([NINE], pa.timestamp("ms", "Europe/Berlin"))},
        {"started_at": ["2026-11-01T10:00:00+01:00"]},
        {"team": pa.array([None]), "record_id": pa.array([None], pa.string())},
        {"input_tokens": pa.array([0], pa.uint64())},
        {"input_tokens": pa.array([Decimal("0.00")], pa.decimal128(38, 2))},
        {"input_tokens": [0.0]},
        {"input_tokens": ["0"]},
        {"requests": pa.array([1], pa.int8())},
    ],
)
def test_parquet_types_that_can_hold_a_value_hold_the_same_one(
    tmp_path: Path, columns: dict[str, object]
) -> None:
    with memory_ledger() as plain, memory_ledger() as typed:
        plain.load(parquet(tmp_path / "plain.parquet", {}))
        assert counts(typed.load(parquet(tmp_path / "typed.parquet", columns))) == (1, 0, 0, 0)
        assert typed.rows(SPEND) == plain.rows(SPEND)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"started_at": pa.array([NINE.replace(tzinfo=None)], pa.timestamp("us"))}, "no time zone"),
        ({"started_at": pa.array([NINE.date()])}, "`started_at` has type DATE"),
        ({"team": [["search"]]}, r"`team` has type VARCHAR\[\]"),
        ({"input_tokens": [True]}, "`input_tokens` has type BOOLEAN"),
        ({"cost_usd": [b"1"]}, "`cost_usd` has type BLOB"),
        ({"Team": ["a"], "team": ["b"]}, "unknown column `team_1`"),
        ({"__index_level_0__": [0]}, "pandas wrote its index: use index=False"),
    ],
)
def test_parquet_types_that_cannot_hold_a_value_are_refused_by_name(
    tmp_path: Path, columns: dict[str, object], said: str
) -> None:
    path = parquet(tmp_path / "a.parquet", columns)
    with memory_ledger() as ledger, pytest.raises(RefusedError, match=said):
        ledger.load(path)


def test_nothing_of_a_load_stays_behind_in_temporary_tables(tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        ledger.load(write(tmp_path / "a.jsonl", [*ROWS, usage(input_tokens=-1)]))
        left = "select table_name from duckdb_tables() where temporary"
        assert ledger.rows(left) == []


def test_a_load_that_cannot_be_stored_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    rows = [usage(record_id=f"r{i}", cost_usd="1000000") for i in range(10)]
    with memory_ledger() as ledger:
        ledger.load(write(tmp_path / "a.csv", [usage(record_id="r")]))
        with pytest.raises(RefusedError, match="cannot be loaded"):
            ledger.load(write(tmp_path / "b.csv", rows))
        assert ledger.totals()[0] == 1
        assert ledger.roll_up_is_fresh()


def test_a_folder_stands_for_its_usage_files_in_name_order(tmp_path: Path) -> None:
    for name in ("b.csv", "a.jsonl.gz", "notes.txt", "c.PARQUET"):
        (tmp_path / name).touch()
    assert [path.name for path in usage_files(tmp_path)] == ["a.jsonl.gz", "b.csv", "c.PARQUET"]
    assert usage_files(tmp_path / "b.csv") == [tmp_path / "b.csv"]
    (tmp_path / "none").mkdir()
    with pytest.raises(RefusedError, match="in this folder"):
        usage_files(tmp_path / "none")


def test_every_load_is_recorded(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [usage(), usage(input_tokens=-1)])
    with memory_ledger() as ledger:
        ledger.load(path)
        ledger.load(path)
        recorded = "select * exclude (loaded_at) from loads order by load_id"
        assert ledger.rows(recorded) == [
            (1, "a.csv", "usage", 2, 1, 0, 0, 1),
            (2, "a.csv", "usage", 2, 0, 1, 0, 1),
        ]


def test_results_of_several_files_add_up() -> None:
    error = RowError("a.csv", 2, None, None, "is not JSON")
    total = added(
        [
            IngestResult(read=2, new=1, rejected=1, warnings=("w",), errors=(error,)),
            IngestResult(read=1, duplicate=1, warnings=("w",)).with_warnings("unpriced"),
        ]
    )
    assert (total.read, total.new, total.duplicate, total.rejected) == (3, 1, 1, 1)
    assert (total.warnings, total.errors) == (("w", "unpriced"), (error,))
    assert str(error) == "a.csv:2: is not JSON"
