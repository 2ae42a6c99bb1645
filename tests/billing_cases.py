"""The sample bills, one of each kind, and ledgers that hold them."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ledger.billing import billing_summary
from ledger.bills import BillingSummary
from ledger.owners import OwnerRule
from ledger.window import Window
from tests.usage_builder import TestLedger, memory_ledger

SAMPLES = Path(__file__).parent / "samples"
NAMES = ("copilot", "prepaid", "promo", "provisioned", "seats", "tokens", "watsonx")
OCTOBER = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
PICO = 10**12


@contextmanager
def billed(*names: str, owners: tuple[OwnerRule, ...] = ()) -> Iterator[TestLedger]:
    """A ledger with these samples, or all of them."""
    with memory_ledger(*owners) as ledger:
        for name in names or NAMES:
            assert ledger.load(SAMPLES / f"{name}.csv", as_format="focus").rejected == 0
        yield ledger


def summary(ledger: TestLedger, window: Window = OCTOBER) -> BillingSummary:
    return billing_summary(ledger.ledger.reader, window)


def sample_rows(name: str) -> list[dict[str, str]]:
    with (SAMPLES / f"{name}.csv").open("r", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_bill(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
