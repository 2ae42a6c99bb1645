"""What holds for any files in any order: nothing counted twice, nothing lost, the roll-up always right."""

import random
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import RefusedError
from ledger.ingest.contract import COLUMNS
from ledger.ingest.lines import record_lines
from ledger.sources import SOURCES, SourceFormat
from tests.usage_builder import UsageRow, memory_ledger, usage, write

RECORDS = 40
FILES = 8


def version(random_: random.Random, record: int) -> UsageRow:
    """One version of a record; few enough values that versions often agree."""
    return usage(
        f"2026-11-0{1 + record % 2}T{random_.choice((9, 9, 9, 10)):02d}:{record % 60:02d}:00Z",
        record_id=f"r{record}",
        team=random_.choice(("search", "search", "ads")),
        input_tokens=random_.choice((100, 100, 200)),
        cost_usd=random_.choice((None, None, "0.5")),
        input_characters=random_.choice((None, 400)),
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_roll_up_is_that_of_the_latest_version_of_every_record(tmp_path: Path, seed: int) -> None:
    random_ = random.Random(seed)  # noqa: S311
    latest: dict[int, UsageRow] = {}
    restated = 0
    with memory_ledger() as ledger:
        for i in range(FILES):
            records = random_.sample(range(RECORDS), random_.randint(1, RECORDS))
            rows = {record: version(random_, record) for record in records}
            result = ledger.load(
                write(tmp_path / f"{i}.{random_.choice(('csv', 'jsonl', 'parquet'))}", typed(rows))
            )
            assert result.new == len(rows.keys() - latest.keys())
            assert result.duplicate == sum(latest.get(record) == row for record, row in rows.items())
            assert result.read == len(rows)
            restated += result.restated
            latest |= rows
            assert ledger.roll_up_is_fresh()
        tokens = sum(int(str(row["input_tokens"])) for row in latest.values())
        assert ledger.totals()[:3] == (len(latest), len(latest), tokens)
        assert ledger.rows("select count(*) from usage_restated") == [(restated,)]


def typed(rows: Mapping[int, UsageRow]) -> list[UsageRow]:
    """A cost is a number in Parquet."""
    return [row | {"cost_usd": row["cost_usd"] and float(str(row["cost_usd"]))} for row in rows.values()]


ODD_CELLS = (
    "", "1", "-1", "1e400", "NaN", "2026-11-01T09:00:00Z", "9" * 40, '"', '"a', "sk-abcdefghij", "\x00",
    "{}", "[",
)  # fmt: skip
CELLS = st.one_of(st.sampled_from(ODD_CELLS), st.text(max_size=8))
HEADS = (
    b"", b"started_at,model\n", b'{"started_at":"2026-11-01T09:00:00Z","model":"x"}\n', b"PAR1", b"[",
    b'{"data":[', b"\x1f\x8b",
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    names=st.lists(st.sampled_from([column.name for column in COLUMNS]), max_size=5, unique=True),
    table=st.lists(st.lists(CELLS, max_size=8), max_size=8),
    separator=st.sampled_from(("\n", "\r\n", "\n\n")),
)
def test_any_cells_give_a_result_that_adds_up_or_a_refusal(
    names: list[str], table: list[list[str]], separator: str
) -> None:
    lines = [",".join(("started_at", "model", *(n for n in names if n not in {"started_at", "model"})))]
    loads_or_refuses(
        "a.csv", separator.join(lines + [",".join(row) for row in table]).encode("utf-8", "replace")
    )


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from([column.name for column in COLUMNS]),
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(),
                st.floats(),
                CELLS,
                st.lists(st.integers(), max_size=2),
            ),
        ),
        max_size=6,
    )
)
def test_any_json_values_give_a_result_that_adds_up_or_a_refusal(rows: list[dict[str, object]]) -> None:
    with TemporaryDirectory() as folder:
        content = write(Path(folder) / "a.jsonl", rows).read_bytes()
    loads_or_refuses("a.jsonl", content)


@settings(max_examples=60, deadline=None)
@given(
    content=st.binary(max_size=200),
    head=st.sampled_from(HEADS),
    name=st.sampled_from(("a.csv", "a.jsonl", "a.json", "a.parquet", "a.csv.gz", "a")),
    source=st.sampled_from(sorted(SOURCES)),
)  # fmt: skip
def test_any_bytes_give_a_result_that_adds_up_or_a_refusal(
    content: bytes, head: bytes, name: str, source: SourceFormat
) -> None:
    loads_or_refuses(name, head + content, source)


def loads_or_refuses(name: str, content: bytes, source: SourceFormat = "usage") -> None:
    with TemporaryDirectory() as folder, memory_ledger() as ledger:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            result = ledger.load(path, as_format=source)
        except RefusedError:
            return
        assert result.read == result.new + result.duplicate + result.restated + result.rejected
        assert len(result.errors) == result.rejected
        assert ledger.roll_up_is_fresh()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.text('ab ,"\n', max_size=6), min_size=1, max_size=3), max_size=8),
    st.sampled_from(("\n", "\r\n")),
)
def test_the_line_of_a_record_counts_line_ends_inside_quotes(records: list[list[str]], end: str) -> None:
    texts = [",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in record) for record in records]
    expected, line = {}, 2
    for i, text in enumerate(texts):
        expected[i] = line
        line += 1 + text.count("\n")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(end.join(["header", *texts]).encode())
        assert record_lines(path, set(expected), {}) == expected
