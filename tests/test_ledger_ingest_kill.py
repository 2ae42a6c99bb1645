"""A process killed at any moment of a load leaves a ledger that the next load completes."""

import random
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from ledger.store import open_ledger
from tests.usage_builder import FRESH_ROLL_UP, SPEND, STORED_ROLL_UP, UsageRow, usage, write

KILLS = 20
ROWS = 12_000
LONGEST_SECONDS = 30
START_OVER = 0.3
"""Chance of an empty ledger after a kill: else most kills would meet files that are loaded already."""

LOADER = """
import sys
from datetime import datetime
from pathlib import Path
from ledger.ingest.load import LoadOptions
from ledger.ingest.scopes import Attribution
from ledger.prices.book import PriceBook
from ledger.store import open_ledger

attribution = Attribution(lambda model: "openai", lambda owned: "ads")
options = LoadOptions(now=datetime(2026, 11, 22))
with open_ledger(Path(sys.argv[1])) as ledger:
    print("open", flush=True)
    for path in sys.argv[2:]:
        ledger.load(Path(path), options, attribution=attribution, book=PriceBook())
"""


def record(n: int, *, version: int) -> UsageRow:
    """Every seventh record has another count in every version."""
    tokens = n + version * (n % 7 == 0)
    return usage(f"2026-11-{1 + n % 20:02d}T{n % 24:02d}:00:00Z", record_id=f"r{n}", input_tokens=tokens)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three files that overlap; each restates some rows of the one before."""
    found = []
    for i in range(3):
        first = i * ROWS // 2
        rows = [
            usage(
                f"2026-11-{1 + n % 20:02d}T{n % 24:02d}:00:00Z",
                record_id=f"r{n}",
                input_tokens=n + i * (n % 7 == 0),
            )
            for n in range(first, first + ROWS)
        ]
        found.append(write(tmp_path / f"{i}.parquet", rows))
    return found


def loader(ledger: Path, files: list[Path]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", LOADER, str(ledger), *map(str, files)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parent.parent)
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n"
    return process


def finish(process: "subprocess.Popen[bytes]") -> None:
    with process:
        assert process.wait(timeout=LONGEST_SECONDS) == 0


def killed_after(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Whether the process was still at work when it was killed."""
    with process:
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=LONGEST_SECONDS)
            return True
    return False


def rows(ledger: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(ledger)) as connection:
        return connection.execute(sql).fetchall()


def test_totals_after_twenty_kills_are_those_of_a_clean_load(tmp_path: Path, files: list[Path]) -> None:
    clean, broken = tmp_path / "clean.duckdb", tmp_path / "broken.duckdb"
    process = loader(clean, files)
    opened_at = time.monotonic()
    finish(process)
    longest = time.monotonic() - opened_at
    random_ = random.Random(0)  # noqa: S311
    kills = 0
    while kills < KILLS:
        kills += killed_after(loader(broken, files), random_.uniform(0, longest))
        assert rows(broken, FRESH_ROLL_UP) == rows(broken, STORED_ROLL_UP)
        if random_.random() < START_OVER:
            broken.unlink()
            broken.with_name(f"{broken.name}.wal").unlink(missing_ok=True)
    finish(loader(broken, files))
    for sql in (SPEND, "select count(*), sum(input_tokens) from usage"):
        assert rows(broken, sql) == rows(clean, sql)


def test_what_a_killed_load_had_spilled_is_removed(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.duckdb"
    spilled = tmp_path / "ledger.duckdb.tmp" / "duckdb_temp_storage_DEFAULT-0.tmp"
    spilled.parent.mkdir()
    spilled.write_bytes(b"x")
    with open_ledger(ledger):
        assert not spilled.exists()
