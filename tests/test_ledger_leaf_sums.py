"""Sums of every scope over some windows, as arrays."""

from collections.abc import Mapping

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ledger.leaf_sums import MEASURES, dense, hour_number, leaf_sums, scope_table
from ledger.reader import Reader
from ledger.scope import DIMENSIONS, EVERYTHING, UNALLOCATED, Scope
from tests.ledger_builder import Cell, LedgerBuilder, at, span

K1 = Scope((("key_id", "k1"),))
HOURS_TO_START = 497_544
"""From 1970 to the builder's first hour."""


def _two_keys() -> Reader:
    builder = LedgerBuilder().run(Cell(retried=4, failed=7, cache_read_tokens=50), days=3)
    return builder.run(Cell(key_id="k2", user="u1", billed=True), days=1, since=1).reader()


def _requests(reader: Reader, *days: int, where: Scope = EVERYTHING) -> Mapping[tuple[str, int], float]:
    table = scope_table(reader)
    sums = leaf_sums(reader, table, [span(day) for day in days], where)
    key = DIMENSIONS.index("key_id")
    names = table.names[key][table.codes[key][sums.scope]].tolist()
    requests = sums.measures[:, MEASURES.index("requests")].tolist()
    return dict(zip(zip(names, sums.window.tolist(), strict=True), requests, strict=True))


def test_a_scope_table_tells_every_dimension_of_every_scope() -> None:
    table = scope_table(_two_keys())
    told = [
        {str(names[code]) for code in codes} for names, codes in zip(table.names, table.codes, strict=True)
    ]
    assert told[DIMENSIONS.index("key_id")] == {"k1", "k2"}
    assert told[DIMENSIONS.index("user")] == {UNALLOCATED, "u1"}
    assert told[DIMENSIONS.index("model")] == {"gpt-big"}


def test_a_scope_table_tells_from_when_to_when_a_scope_was_used() -> None:
    table = scope_table(_two_keys())
    assert table.first_hour.tolist() == [HOURS_TO_START, HOURS_TO_START + 24]
    assert table.last_hour.tolist() == [HOURS_TO_START + 71, HOURS_TO_START + 47]


def test_hours_are_counted_from_1970_and_windows_are_half_open() -> None:
    assert hour_number(span(0)) == (HOURS_TO_START, HOURS_TO_START + 24)


def test_every_scope_has_a_row_for_each_window_with_traffic() -> None:
    requests = _requests(_two_keys(), 1, 0)
    assert requests.keys() == {("k1", 0), ("k1", 1), ("k2", 0)}


def test_the_sums_are_those_of_the_reader() -> None:
    reader = _two_keys()
    table = scope_table(reader)
    sums = leaf_sums(reader, table, [span(1)])
    total = reader.totals([span(1)])[EVERYTHING]
    by_name = dict(zip(MEASURES, sums.measures.sum(axis=0), strict=True))
    assert sum(sums.cost_pico.tolist()) == total.cost_pico > 0
    assert by_name["failed"] == total.failed_requests > 0
    assert by_name["retried"] == total.retried_requests > 0
    assert by_name["cache_read"] == total.tokens.cache_read > 0


def test_only_the_scope_asked_for_is_summed() -> None:
    assert {key for key, _ in _requests(_two_keys(), 1, where=K1)} == {"k1"}


def test_characters_that_one_hour_lacks_are_not_a_number() -> None:
    builder = LedgerBuilder().run(Cell(characters_per_token=4.0), days=2)
    builder.run(Cell(characters_per_token=None), days=1 / 24, since=1)
    reader = builder.reader()
    sums = leaf_sums(reader, scope_table(reader), [span(0), span(1)])
    sent = sums.measures[np.argsort(sums.window), MEASURES.index("input_characters")]
    assert sent[0] > 0
    assert np.isnan(sent[1])


def test_tokens_without_a_price_are_counted_and_cost_nothing() -> None:
    reader = LedgerBuilder().run(Cell(unpriced=True), days=1).reader()
    sums = leaf_sums(reader, scope_table(reader), [span(0)])
    assert sums.cost_pico.tolist() == [0]
    assert sums.measures[0, MEASURES.index("unpriced")] > 0


def test_an_empty_ledger_has_no_rows() -> None:
    reader = LedgerBuilder().reader()
    table = scope_table(reader)
    assert table.codes.shape == (len(DIMENSIONS), 0)
    assert leaf_sums(reader, table, [span(0)]).measures.shape == (0, len(MEASURES))


def test_a_window_that_nobody_used_has_no_rows() -> None:
    assert _requests(_two_keys(), 20) == {}


def test_a_scope_table_can_be_narrowed() -> None:
    assert len(scope_table(_two_keys(), K1).scope_ids) == 1


def test_two_scopes_of_one_hour_are_two_rows() -> None:
    cells = [(at(0), Cell(region=region)) for region in ("us", "eu")]
    reader = LedgerBuilder(cells=cells).reader()
    assert len(leaf_sums(reader, scope_table(reader), [span(0)]).scope) == 2


codes = st.one_of(st.integers(0, 3), st.integers(0, 2**40))


@given(st.lists(st.tuples(codes, codes, codes), max_size=20))
def test_codes_are_dense_and_alike_only_where_all_columns_are(rows: list[tuple[int, int, int]]) -> None:
    columns = [np.array([row[i] for row in rows], dtype=np.int64) for i in range(3)]
    found = dense(columns, len(rows)).tolist()
    assert sorted(set(found)) == list(range(len(set(rows))))
    assert len(set(zip(found, rows, strict=True))) == len(set(rows))
