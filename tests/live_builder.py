"""Six weeks of a small organisation in which things happen, as a ledger file to refit and to judge."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from ledger.store import Ledger, open_ledger
from tests.ledger_builder import Cell, LedgerBuilder, at, daily, span

DAYS = 42
FIRST = 30
"""The day of the first refit."""
BURST, SHIFTED, SILENT, LONG, LATER, NEW = "k03", "k05", "k07", "k06", "k02", "k12"


def write_organisation(path: Path) -> None:
    """Twelve keys, two of them intermittent, and one that is first used on day 38."""
    rng = np.random.default_rng(3)
    builder = LedgerBuilder()
    for number in range(13):
        _add_key(builder, rng, number)
    _times(builder, "k01", 26, 5, hours=40, factor=4)
    _times(builder, BURST, 29, 20, hours=9, factor=5)
    _times(builder, SHIFTED, 31, 3, hours=60, factor=3)
    _times(builder, SILENT, 33, 12, hours=10, factor=0)
    _times(builder, LATER, 34, 22, hours=5, factor=8)
    _times(builder, LONG, 35, 0, hours=168, factor=2.5)
    connection = builder.reader().engine.connection  # type: ignore[attr-defined]
    connection.execute(f"attach '{path}' as file; copy from database memory to file; detach file")
    connection.close()


def _add_key(builder: LedgerBuilder, rng: np.random.Generator, number: int) -> None:
    usual, empty = int(300 * np.exp(rng.normal())), 0.6 if number in (4, 9) else 0.0
    cell = Cell(f"t{number % 4}", f"k{number:02}", ("gpt-big", "gpt-mini")[number % 2])
    for i in range(38 * 24 if cell.key_id == NEW else 0, DAYS * 24):
        requests = round(usual * daily(at(0, i)) * float(np.exp(rng.normal(0, 0.2))))
        if requests and rng.random() >= empty:
            builder.cells.append((at(0, i), replace(cell, requests=requests)))


def _times(builder: LedgerBuilder, key_id: str, day: int, hour: int, *, hours: int, factor: float) -> None:
    def change(_: datetime, cell: Cell) -> Cell | None:
        if cell.key_id != key_id:
            return cell
        requests = round(cell.requests * factor)
        return replace(cell, requests=requests) if requests else None

    builder.change(span(day, hour, hours=hours), change)


@contextmanager
def ledger_at(path: Path) -> Iterator[Ledger]:
    with open_ledger(path, create=False) as ledger:
        yield ledger
