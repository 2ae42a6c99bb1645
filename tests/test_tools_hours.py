"""What the hours of a scope say beside its own sessions and the month before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ledger.scope import EVERYTHING
from ledger.window import HOUR, Window
from tests.ledger_builder import Cell, LedgerBuilder, at, span
from tools.comparison import compare_with
from tools.hours import _month_before, _session_spreads, hour_facts


def _facts(window: Window, *bursts: Window) -> dict[str, object]:
    def busy(_: datetime, cell: Cell) -> Cell:
        return replace(cell, requests=30 * cell.requests)

    builder = LedgerBuilder().run(Cell(), days=75)
    for burst in bursts:
        builder = builder.change(burst, busy)
    reader = builder.reader()
    return dict(hour_facts(reader, compare_with(reader, window), EVERYTHING))


@pytest.mark.parametrize(
    ("start", "then"),
    [("2026-11-01", "2026-10-01"), ("2026-03-31", "2026-02-28"), ("2027-01-15", "2026-12-15")],
)
def test_the_month_before_has_the_same_day_or_its_last(start: str, then: str) -> None:
    began = datetime.fromisoformat(start).replace(tzinfo=UTC)
    found = _month_before(Window(began, began + 10 * HOUR))
    assert found.start_at.date().isoformat() == then
    assert found.hours == 10


def test_a_window_as_long_as_a_month_is_not_its_own_month_ago() -> None:
    began = at(31)
    facts = _facts(Window(began, began + timedelta(days=40)), span(31))
    assert "month_ago_ratio" not in facts


def test_what_stood_out_a_month_ago_is_told() -> None:
    start = at(57)
    month_ago = _month_before(Window(start, start + 6 * HOUR))
    facts = _facts(Window(start, start + 6 * HOUR), Window(start, start + 6 * HOUR), month_ago)
    assert facts["month_ago_ratio"] == pytest.approx(1.0, abs=0.1)


def test_any_day_of_the_month_before_is_not() -> None:
    start = at(57)
    assert "month_ago_ratio" not in _facts(Window(start, start + 6 * HOUR), Window(start, start + 6 * HOUR))


def test_sessions_are_held_against_their_own_spread() -> None:
    past = np.zeros(28 * 24)
    past[::48] = [1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 1, 2]
    assert 0.5 < (_session_spreads(past, 8.0) or 0) < 2
    assert (_session_spreads(past, 800.0) or 0) > 6
    assert _session_spreads(past[: 6 * 48], 8.0) is None
