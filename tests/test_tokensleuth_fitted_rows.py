"""Which series a model is fitted to, and how cells add up to them."""

from collections.abc import Sequence

import numpy as np
import pytest

from ledger.cells import CellReader
from ledger.kept.store import Kept
from tests.ledger_builder import Cell, LedgerBuilder, span
from tokensleuth.detection import LEVELS
from tokensleuth.fitted_rows import FittedRows, signatures
from tokensleuth.spend_matrix import added_up, spend_of

WINDOW = span(0, hours=48)


class Built:
    """A ledger of two days with all its series numbered."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        builder = LedgerBuilder()
        for number, cell in enumerate(cells):
            builder.run(cell, days=2 - number / 4)
        self.reader = builder.reader()
        self.kept = Kept(self.reader.engine.connection)  # type: ignore[attr-defined]
        self.kept.series.add_used(LEVELS, WINDOW)
        self.members = self.kept.series.members(LEVELS)
        self.cells = CellReader(self.reader.engine)

    def rows(self, most: int = 100) -> FittedRows:
        in_order = self.kept.series.in_order(LEVELS)
        return FittedRows.chosen(self.cells.sums(WINDOW), self.members, in_order, most)

    def names(self, series_ids: Sequence[int]) -> list[str]:
        return [str(scope) for scope in self.kept.series.scopes(list(series_ids))]


@pytest.fixture
def built() -> Built:
    cells = [Cell(), Cell(key_id="k2", model="gpt-mini"), Cell(team="ads", key_id="k3", requests=10)]
    return Built([*cells, Cell(team="ads", key_id="k1", requests=3)])


def test_series_of_the_same_spend_are_one_row_under_the_first_name(built: Built) -> None:
    rows = built.rows()
    groups: dict[int, list[str]] = {}
    for position, name in zip(rows.position, built.names(rows.series_ids.tolist()), strict=True):
        groups.setdefault(int(position), []).append(name)
    assert list(groups.values()) == [
        ["all spend"],
        ["team=ads", "model=gpt-big, team=ads"],
        ["team=search"],
        ["model=gpt-big"],
        ["model=gpt-mini", "key_id=k2", "model=gpt-mini, team=search", "team=search, key_id=k2"],
        ["key_id=k1"],
        ["key_id=k3", "team=ads, key_id=k3"],
        ["model=gpt-big, team=search", "team=search, key_id=k1"],
        ["team=ads, key_id=k1"],
    ]
    assert built.names(rows.first.tolist()) == [names[0] for names in groups.values()]


def test_series_of_rows_are_all_of_their_names(built: Built) -> None:
    rows = built.rows()
    found = rows.series_of(np.array([4, 1]))
    assert found.index.tolist() == [0, 0, 0, 0, 1, 1]
    assert built.names(found.series_ids.tolist())[3:5] == ["team=search, key_id=k2", "team=ads"]
    assert rows.row_of(found.series_ids).tolist() == [4, 4, 4, 4, 1, 1]
    assert rows.row_of(np.array([10_000])).tolist() == [-1]


def test_the_series_of_least_spend_are_left_out(built: Built) -> None:
    rows = built.rows(most=5)
    assert len(rows.series_ids) == 5
    assert "team=ads, key_id=k1" in built.names(rows.left_out.tolist())


def test_what_becomes_two_series_becomes_two_rows(built: Built) -> None:
    rows = built.rows()
    before = signatures(built.members, np.array([0, 1, 2, 3], dtype=np.int32), 50)
    assert rows.told_apart(before).position.tolist() == rows.position.tolist()
    moved = before.copy()
    moved[rows.series_ids[built.names(rows.series_ids.tolist()).index("key_id=k2")]] += np.uint64(1)
    assert rows.told_apart(moved).count == rows.count + 1


def test_blocks_of_series_add_up_like_the_reader_does(built: Built) -> None:
    rows = built.rows()
    for metric, position in (("cost_usd", 0), ("tokens", 1)):
        levels = built.reader.hourly_levels(WINDOW, LEVELS, metric=metric)  # type: ignore[arg-type]
        known = {s: v for part in levels for s, v in zip(part.scopes, part.values, strict=True)}
        expected = np.stack([known[s] for s in built.kept.series.scopes(rows.series_ids.tolist())])
        fetched = spend_of(built.cells, built.members, LEVELS, rows.series_ids, WINDOW)[position]
        np.testing.assert_allclose(fetched, expected)
        whole = added_up(built.cells.cells(WINDOW), built.members, rows.series_ids, WINDOW.hours)[position]
        np.testing.assert_allclose(whole, expected)
        block = spend_of(built.cells, built.members, LEVELS, rows.series_ids[5:9], WINDOW)[position]
        np.testing.assert_allclose(block, expected[5:9])
