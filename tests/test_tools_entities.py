"""Who is new, who is gone, and who only changed its name."""

from dataclasses import replace
from datetime import datetime

import pytest

from ledger.leaf_sums import leaf_sums, scope_table
from ledger.scope import DIMENSIONS, UNALLOCATED, Dimension
from tests.ledger_builder import Cell, LedgerBuilder, span
from tools.comparison import compare_with
from tools.entities import Entities, find_entities, gone_leaves, new_leaves
from tools.leaves import gathered

DAY = span(30)
K1 = Cell()
NEW = replace(K1, key_id="k1-new")


def noon(hour: datetime) -> float:
    """One hour a day, so that a ledger of weeks is small."""
    return 1.0 if hour.hour == 12 else 0.0


def _found(*runs: tuple[Cell, float, float]) -> Entities:
    """Entities of cells that ran for some days since a day, beside a key that always runs."""
    builder = LedgerBuilder().run(Cell(key_id="steady"), days=35, shape=noon)
    for cell, days, since in runs:
        builder.run(cell, days=days, since=since, shape=noon)
    reader = builder.reader()
    compared, table = compare_with(reader, DAY), scope_table(reader)
    sums = leaf_sums(reader, table, (compared.window, *compared.baseline))
    return find_entities(table, gathered(sums, table, compared), compared)


def _named(*runs: tuple[Cell, float, float], new: bool, dimension: Dimension = "key_id") -> set[str]:
    builder = LedgerBuilder().run(Cell(key_id="steady"), days=35, shape=noon)
    for cell, days, since in runs:
        builder.run(cell, days=days, since=since, shape=noon)
    table = scope_table(builder.reader())
    found = _found(*runs)
    codes = (found.new if new else found.gone)[dimension]
    return {str(name) for name in table.names[DIMENSIONS.index(dimension)][codes]}


def test_a_key_never_seen_before_the_window_is_new() -> None:
    assert _named((replace(K1, key_id="k9", team="ads"), 5, 30), new=True) == {"k9"}
    assert _named((replace(K1, key_id="k9", team="ads"), 5, 30), new=True, dimension="team") == {"ads"}


def test_a_key_that_begins_after_the_baseline_and_before_the_window_is_new() -> None:
    assert _named((replace(K1, key_id="k9", team="ads"), 8, 26), new=True) == {"k9"}
    assert _named((replace(K1, key_id="k9", team="ads"), 20, 15), new=True) == set()


def test_a_key_that_begins_after_the_window_is_not_new_in_it() -> None:
    assert _named((replace(K1, key_id="k9", team="ads"), 3, 32), new=True) == set()


def test_a_key_that_fell_silent_before_the_window_is_gone() -> None:
    assert _named((replace(K1, team="ads"), 29, 0), new=False) == {"k1"}


def test_a_new_key_that_does_the_work_of_a_silent_one_replaces_it() -> None:
    found = _found((K1, 30, 0), (NEW, 5, 30))
    assert found.renamed == {"k1": "k1-new"}
    assert found.gone["key_id"].size == found.new["key_id"].size == 0


@pytest.mark.parametrize("since", [8, 15, 22, 29])
def test_a_rotation_within_the_baseline_weeks_is_found_too(since: int) -> None:
    assert _found((K1, since, 0), (NEW, 35 - since, since)).renamed == {"k1": "k1-new"}


def test_a_weekend_may_lie_between_the_two_keys() -> None:
    assert _found((K1, 28, 0), (NEW, 5, 30)).renamed == {"k1": "k1-new"}
    assert _found((K1, 27, 0), (NEW, 5, 30)).renamed == {}


def test_both_keys_may_be_in_use_for_some_hours() -> None:
    def all_day(_: datetime) -> float:
        return 1.0

    def renamed(*, overlap_hours: int) -> bool:
        builder = LedgerBuilder().run(Cell(key_id="steady"), days=35, shape=noon)
        builder.run(K1, days=30 + overlap_hours / 24, shape=all_day).run(NEW, days=5, since=30, shape=all_day)
        reader = builder.reader()
        compared, table = compare_with(reader, DAY), scope_table(reader)
        sums = leaf_sums(reader, table, (compared.window, *compared.baseline))
        return bool(find_entities(table, gathered(sums, table, compared), compared).renamed)

    assert renamed(overlap_hours=5)
    assert not renamed(overlap_hours=12)


def test_a_chain_of_replacements_counts_as_the_last_key() -> None:
    second, third = replace(K1, key_id="second"), replace(K1, key_id="third")
    found = _found((K1, 12, 0), (second, 10, 12), (third, 13, 22))
    assert found.renamed == {"k1": "third", "second": "third"}


def test_a_key_that_does_more_of_the_same_work_replaces_the_old_one() -> None:
    assert _found((K1, 30, 0), (replace(NEW, requests=600), 5, 30)).renamed == {"k1": "k1-new"}


def test_different_work_of_another_size_is_no_rotation() -> None:
    other = replace(NEW, feature="drafts", region="eu", requests=600)
    assert _found((K1, 30, 0), (other, 5, 30)).renamed == {}


@pytest.mark.parametrize("changes", [{"team": "ads"}, {"project": "batch"}])
def test_work_elsewhere_is_no_rotation(changes: dict[str, str]) -> None:
    assert _found((K1, 30, 0), (replace(NEW, **changes), 5, 30)).renamed == {}  # type: ignore[arg-type]


def test_a_key_that_still_runs_was_not_replaced() -> None:
    assert _found((K1, 35, 0), (NEW, 5, 30)).renamed == {}


def test_a_key_replaces_the_one_whose_work_it_does() -> None:
    drafts = replace(K1, key_id="k2", feature="drafts")
    found = _found((K1, 30, 0), (drafts, 30, 0), (replace(NEW, feature="drafts"), 5, 30))
    assert found.renamed == {"k2": "k1-new"}


def test_one_silent_key_is_replaced_once() -> None:
    found = _found((K1, 30, 0), (NEW, 5, 30), (replace(NEW, key_id="k1-other"), 5, 30))
    assert len(found.renamed) == 1


def test_usage_that_names_no_key_replaces_none() -> None:
    assert _found((K1, 30, 0), (replace(NEW, key_id=UNALLOCATED), 5, 30)).renamed == {}


def test_without_a_baseline_nobody_is_renamed() -> None:
    reader = LedgerBuilder().run(K1, days=1).reader()
    compared, table = compare_with(reader, span(0)), scope_table(reader)
    leaves = gathered(leaf_sums(reader, table, (compared.window,)), table, compared)
    assert find_entities(table, leaves, compared).renamed == {}


def test_only_what_ran_in_every_baseline_window_can_be_gone() -> None:
    builder = LedgerBuilder().run(K1, days=29, shape=noon)
    builder.run(Cell(key_id="rare", team="ads"), days=10, shape=noon).run(Cell(key_id="on"), days=35)
    builder.run(Cell(key_id="new", team="chat"), days=5, since=30, shape=noon)
    reader = builder.reader()
    compared, table = compare_with(reader, DAY), scope_table(reader)
    leaves = gathered(leaf_sums(reader, table, (compared.window, *compared.baseline)), table, compared)
    entities, keys = find_entities(table, leaves, compared), leaves.column("key_id")
    assert keys[gone_leaves(leaves, entities)].tolist() == ["k1"]
    assert keys[new_leaves(leaves, entities)].tolist() == ["new"]
