"""Bad rows and bad files: each told with its place and reason, the rest taken, nothing guessed."""

import gzip
from pathlib import Path
from typing import NamedTuple

import pytest

from ledger.errors import RefusedError
from ledger.ingest.load import LoadOptions
from ledger.ingest.result import RowError
from tests.usage_builder import NOW, csv_bytes, memory_ledger, parquet_bytes, usage, write

AT = "2026-11-01T09:00:00Z"
GOOD = {
    "started_at": AT,
    "model": "gpt-4o",
    "team": "search",
    "key_id": "k1",
    "requests": "1",
    "failed_requests": "0",
    "input_tokens": "100",
    "output_tokens": "10",
    "reasoning_tokens": "",
    "cost_usd": "",
    "record_id": "",
}

WHOLE = "is not a whole number of 0 or more (of at most 12 digits)"
AMOUNT = "is not an amount of 0 or more in USD"
RFC_3339 = "is not RFC 3339 with an offset; write it as 2026-11-01T09:30:00Z"
CALENDAR = "is no instant of the calendar"
SECRET = "looks like a secret; send an id or a hash instead"  # noqa: S105
CONFLICT = "the same record stands in this file with other values"


class BadRow(NamedTuple):
    """A line of the file and how it is told."""

    text: str
    column: str | None
    value: str | None
    reason: str


def line_of(**cells: str) -> str:
    return ",".join({**GOOD, **cells}.values())


def bad(column: str, cell: str, reason: str, *, told: str | None = None, **others: str) -> BadRow:
    return BadRow(line_of(**{column: cell}, **others), column, told if told is not None else cell, reason)


BAD_ROWS: tuple[BadRow, ...] = (
    *(bad("input_tokens", n, WHOLE) for n in ("NaN", "inf", "-5", "1.5", "9" * 25, "1e3", " 7", "0x10")),
    bad("requests", "true", WHOLE),
    bad("failed_requests", "2", "is more than `requests`, of which it is a part"),
    bad("reasoning_tokens", "11", "is more than `output_tokens`, of which it is a part"),
    *(bad("cost_usd", amount, AMOUNT) for amount in ("-0.1", "nan", "Infinity", "$5")),
    bad("cost_usd", "99999999999", "is over 1,000,000 USD for one row"),
    bad("started_at", "2026-11-01T09:00:00", RFC_3339),
    bad("started_at", "1793523600", RFC_3339),
    bad("started_at", "2026-11-01T24:00:00Z", RFC_3339),
    bad("started_at", "2026-02-30T09:00:00Z", CALENDAR),
    bad("started_at", "1999-11-01T09:00:00Z", "is before 2015"),
    bad("started_at", "2027-11-01T09:00:00Z", "is more than 1 hour in the future"),
    BadRow(line_of(started_at=""), "started_at", None, "is required"),
    BadRow(line_of(model=""), "model", None, "is required"),
    bad("model", "  ", "is required", told=""),
    bad("key_id", "sk-proj-abcdefgh", SECRET, told="sk-…"),
    bad("key_id", " Bearer abcdefgh", SECRET, told="Bearer …"),
    bad("team", "x" * 600, "is longer than 512 characters", told="x" * 119 + "…"),
    bad("record_id", "y" * 600, "is longer than 512 characters", told="y" * 119 + "…"),
    bad("team", '"sea\nrch"', "has control characters", told="sea rch"),
    bad("team", "caf\udcff", "is not UTF-8", told="caf\ufffd"),
    BadRow("2026-11-01,gpt-4o", None, "2026-11-01,gpt-4o", "has 2 cells where the header has 11"),
    BadRow(line_of() + ",more", None, line_of() + ",more", "has 12 cells where the header has 11"),
    *(bad("record_id", "twice", CONFLICT, input_tokens=n) for n in ("1", "2", "3")),
)


def test_each_bad_row_is_told_with_file_line_column_value_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    lines, expected = [",".join(GOOD)], []
    for row in BAD_ROWS:
        lines += [line_of(record_id=f"good{len(lines)}"), "", *row.text.split("\n")]
        at = len(lines) - row.text.count("\n")
        expected.append(RowError(str(path), at, row.column, row.value, row.reason))
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    with memory_ledger() as ledger:
        result = ledger.load(path)
        assert list(result.errors) == expected
        assert (result.new, result.rejected) == (len(BAD_ROWS), len(BAD_ROWS))
        assert result.read == 2 * len(BAD_ROWS)
        assert ledger.totals()[2] == 100 * len(BAD_ROWS)


@pytest.mark.parametrize("first_end", ["\r\n", "\n"], ids=["windows", "mixed"])
def test_windows_and_mixed_line_ends_count_the_same_lines(tmp_path: Path, first_end: str) -> None:
    rows = [f'{AT},gpt-4o,"a\r\nb"', "", f"{AT},gpt-4o", f"{AT},,x", f"{AT},gpt-4o,b"]
    path = tmp_path / "a.csv"
    path.write_text(f"started_at,model,team{first_end}" + "\r\n".join(rows), newline="")
    with memory_ledger() as ledger:
        result = ledger.load(path)
    assert ([e.line for e in result.errors], result.new) == ([2, 5, 6], 1)


def test_bad_json_lines_are_told_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(
        b"""{"started_at":"2026-11-01T09:00:00Z","model":"gpt-4o","input_tokens":5}

{"started_at":"2026-11-01T09:00:00Z","model":"gpt-4o","input_tokens":NaN}
{"started_at":"2026-11-01T09:00:00Z","model":"gpt-4o","input_tokens":1,"input_tokens":2}
nonsense
[1]
{"started_at":"2026-11-01T09:00:00Z","model":"gpt-\xff4o","input_tokens":1}
{"started_at":"2026-11-01T09:00:00Z","model":{"id":"gpt-4o"},"input_tokens":1}
{"model":"gpt-4o","input_tokens":true}
"""
    )
    with memory_ledger() as ledger:
        result = ledger.load(path)
    assert (result.read, result.new) == (8, 1)
    assert [(e.line, e.column, e.reason) for e in result.errors] == [
        (3, "input_tokens", WHOLE),
        (4, None, "has a key twice"),
        (5, None, "is not JSON"),
        (6, None, "is not a JSON object"),
        (7, None, "is not UTF-8"),
        (8, None, "has a list or an object as a value"),
        (9, "started_at", "is required"),
    ]


def test_bad_parquet_values_are_told_by_row_from_one(tmp_path: Path) -> None:
    rows = [
        usage(cost_usd=0.1),
        usage(cost_usd=float("nan")),
        usage(cost_usd=float("inf")),
        usage(cost_usd=1e30),
    ]
    rows += [
        usage(cost_usd=-1.0),
        usage(input_tokens=-1),
        usage(input_tokens=2**62),
        usage("1990-01-01T00:00:00Z"),
    ]
    with memory_ledger() as ledger:
        result = ledger.load(write(tmp_path / "bad.parquet", rows))
    assert [(e.line, e.column) for e in result.errors] == [
        (2, "cost_usd"), (3, "cost_usd"), (4, "cost_usd"), (5, "cost_usd"),
        (6, "input_tokens"), (7, "input_tokens"), (8, "started_at"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b" \n\n", "the file is empty"),
        ("a.csv", b"\nstarted_at,model\n", "the first line is empty"),
        ("a.csv", b"<!DOCTYPE html><html></html>", "HTML"),
        ("a.csv", "started_at,model\n".encode("utf-16"), "not UTF-8 text"),
        ("a.csv", b"started_at,model,caf\xe9\n", "not UTF-8 at byte"),
        ("a.csv", b"started_at,model,tokens,zz\n", "unknown column `tokens`, `zz`"),
        ("a.csv", b"started_at,model,Model\n", "column `model` appears twice"),
        ("a.csv", b"started_at,model,\n", "column 3 has no name"),
        ("a.csv", b"model,team\nx,y\n", "required column `started_at` is missing"),
        ("a.csv", b"started_at;model\n", "separated by something other than commas"),
        ("a.csv", b"ChargePeriodStart,EffectiveCost\n", "pass --format focus"),
        ("a.csv", b"started_at,model\r2026-11-01T09:00:00Z,x\rx,y\n", "carriage return alone"),
        ("a.jsonl", b'{"request_id":"1","startTime":"x","spend":0}\n', "pass --format litellm"),
        ("a.jsonl", b'{"model":"x"}\n{"modell":"x"}\n', "unknown key `modell` (line 2)"),
        ("a.jsonl", b'{"model":"x"}\n{"Model":"x"}\n', "key `Model` is spelled `model` before"),
        ("a.json", b"[1,", "Malformed JSON"),
        ("a.parquet", b"PAR1" + b"\x00" * 40, "cannot be read"),
        ("a.parquet", b"started_at,model\n", "not Parquet"),
        ("a.parquet", parquet_bytes([usage()])[:-20], "cannot be read"),
        ("a.csv.gz", gzip.compress(csv_bytes([usage()]), mtime=0)[:-10], "damaged or cut short"),
        ("a.csv.gz", gzip.compress(csv_bytes([usage()]), mtime=0)[:-8] + b"\x00" * 8, "damaged or cut short"),
        ("a.csv", b'started_at,"model\n"\n', "the header is not CSV"),
        ("a.csv", b"started_at,model\n2026-11-01T09:00:00Z,x\rx,y\n", "lines end in more than one way"),
        ("a.txt", b"x", "unknown kind of file"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_usage_is_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with memory_ledger() as ledger:
        with pytest.raises(RefusedError) as refused:
            ledger.load(path)
        assert said in str(refused.value)
        assert str(path) in str(refused.value)
        assert ledger.rows("select count(*) from loads") == [(0,)]


def test_a_damaged_gzip_is_refused_though_its_size_is_right(tmp_path: Path) -> None:
    packed = bytearray(
        gzip.compress(csv_bytes([usage(record_id=f"r{i}") for i in range(5000)]), compresslevel=0)
    )
    packed[len(packed) // 2] ^= 1
    (tmp_path / "a.csv.gz").write_bytes(packed)
    with memory_ledger() as ledger, pytest.raises(RefusedError, match="damaged"):
        ledger.load(tmp_path / "a.csv.gz")


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with memory_ledger() as ledger, pytest.raises(RefusedError, match="No such file"):
        ledger.load(tmp_path / "none.csv")


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_file_without_rows_gives_a_warning(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(parquet_bytes([usage()], rows=0) if name == "a.parquet" else b"started_at,model\n")
    with memory_ledger() as ledger:
        result = ledger.load(path)
    assert (result.read, result.warnings) == (0, (f"{path}: no rows in it",))


def test_strict_refuses_the_file_for_one_bad_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [usage(), usage(input_tokens=-1)])
    with memory_ledger() as ledger:
        with pytest.raises(RefusedError, match=r"1 wrong rows, first: .*a.csv:3: input_tokens='-1'"):
            ledger.load(path, LoadOptions(now=NOW, strict=True))
        assert ledger.totals()[0] == 0


def test_only_the_first_thousand_errors_are_listed_and_all_are_counted(tmp_path: Path) -> None:
    rows = [usage(input_tokens=-1, record_id=f"r{i}") for i in range(1500)]
    with memory_ledger() as ledger:
        result = ledger.load(write(tmp_path / "a.csv", rows))
    assert (len(result.errors), result.rejected) == (1000, 1500)
    assert result.errors[-1].line == 1001


def test_rejected_rows_are_written_for_repair_without_secrets(tmp_path: Path) -> None:
    rows = [usage(key_id="k1"), usage(key_id="sk-live-abcdefghijkl"), usage(input_tokens=-1, key_id="k3")]
    path = write(tmp_path / "a.csv", rows)
    with path.open("a") as file:
        file.write("short,sk-live-abcdefghijkl\n")
    with memory_ledger() as ledger:
        assert ledger.load(path, LoadOptions(now=NOW, rejects=tmp_path / "rejects.csv")).rejected == 3
    written = (tmp_path / "rejects.csv").read_text()
    assert written.splitlines() == [
        "started_at,model,team,input_tokens,output_tokens,key_id,line,column,reason,text",
        f"2026-11-01T09:00:00Z,gpt-4o,search,100,10,sk-…,3,key_id,{SECRET},",
        f"2026-11-01T09:00:00Z,gpt-4o,search,-1,10,k3,4,input_tokens,{WHOLE},",
        ',,,,,,5,,has 2 cells where the header has 6,"short,sk-…"',
    ]


def test_no_rejects_file_is_written_when_all_rows_are_taken(tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        ledger.load(
            write(tmp_path / "a.csv", [usage()]), LoadOptions(now=NOW, rejects=tmp_path / "rejects.csv")
        )
    assert not (tmp_path / "rejects.csv").exists()


def test_a_rejects_file_that_cannot_be_written_refuses_the_load(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [usage(), usage(input_tokens=-1)])
    with memory_ledger() as ledger:
        with pytest.raises(RefusedError, match="cannot be written"):
            ledger.load(path, LoadOptions(now=NOW, rejects=tmp_path / "none" / "rejects.csv"))
        assert ledger.totals()[0] == 0


def test_a_quote_that_is_never_closed_costs_only_its_own_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'started_at,model,team\n{AT},gpt-4o,a\n{AT},gpt-4o,"b\n')
    with memory_ledger() as ledger:
        result = ledger.load(path)
    assert (result.new, result.rejected) == (1, 1)
    assert (result.errors[0].line, result.errors[0].reason) == (
        3,
        "a quote is opened and not closed where the cell ends",
    )


def test_a_line_longer_than_the_reader_holds_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"started_at,model,team\n{AT},gpt-4o,{'x' * 5_000_000}\n{AT},gpt-4o,a\n")
    with memory_ledger() as ledger:
        result = ledger.load(path)
    assert (result.new, result.errors[0].line) == (1, 2)
    assert result.errors[0].reason == "the line is longer than 4,000,000 bytes"
