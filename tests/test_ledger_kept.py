from collections.abc import Iterator
from datetime import UTC, datetime

import duckdb
import numpy as np
import pytest

from ledger.errors import RefusedError
from ledger.kept.hours import KeptHours
from ledger.kept.models import WHOLE, KeptModel, Numbers
from ledger.kept.series import Level
from ledger.kept.store import Kept
from ledger.migrations import migrate
from ledger.scope import EVERYTHING, Scope
from ledger.window import HOUR, Window
from tests.ledger_builder import Cell, LedgerBuilder, at, span

MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def kept() -> Iterator[Kept]:
    with duckdb.connect() as connection:
        migrate(connection)
        yield Kept(connection)


def arrays(seed: int) -> dict[str, Numbers]:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(3000, 24))
    matrix[5, 7] = np.nan
    return {
        "expected": matrix,
        "envelope": rng.normal(size=(300, 4, 24)).astype(np.float32),
        "trained": rng.random(3000) < 0.5,
        "rows": rng.integers(0, 2**40, 3000),
        "empty": np.zeros((0, 7)),
    }


def test_arrays_come_back_as_they_were_written(kept: Kept) -> None:
    kept.connection.execute("set threads = 4")
    written = {(day, block): arrays(10 * day + block + 1) for day in range(3) for block in (WHOLE, 0, 1)}
    for (day, block), values in written.items():
        kept.models.write(at(day), block, values)
    for (day, block), values in written.items():
        found = kept.models.read(at(day), block, ["rows", "envelope", "expected", "empty", "trained", "none"])
        assert found.keys() == values.keys()
        for name, array in values.items():
            assert found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array)


def test_what_is_not_there_is_not_found(kept: Kept) -> None:
    assert kept.models.read(MIDNIGHT, WHOLE, ["expected"]) == {}
    kept.models.write(MIDNIGHT, WHOLE, {})
    assert kept.models.all() == []


def test_an_array_that_lost_numbers_is_refused(kept: Kept) -> None:
    kept.models.write(MIDNIGHT, 0, arrays(1))
    kept.connection.execute("delete from kept_numbers where rowid = 17")
    with pytest.raises(RefusedError, match="damaged; make a new one: tokensleuth refit"):
        kept.models.read(MIDNIGHT, 0, ["expected"])


def test_models_that_are_not_kept_go_with_their_arrays_but_for_the_spared(kept: Kept) -> None:
    for day in range(3):
        kept.models.add(KeptModel(at(day), {"seed": day}, "1", {"number": day}))
        kept.models.write(at(day), WHOLE, {"forest.left": np.arange(5), "expected": np.arange(9.0)})
    kept.models.keep_only([at(2)], [(at(0), "forest.")])
    assert [model.facts for model in kept.models.all()] == [{"number": 2}]
    left = [list(kept.models.read(at(day), WHOLE, ["forest.left", "expected"])) for day in range(3)]
    assert left == [["forest.left"], [], ["forest.left", "expected"]]
    assert kept.connection.execute("select count(*) from kept_numbers").fetchall() == [(5 + 5 + 9,)]


def test_a_transaction_that_fails_leaves_nothing(kept: Kept) -> None:
    def fail() -> None:
        with kept.transaction():
            kept.models.add(KeptModel(MIDNIGHT, {}, "1", {}))
            kept.models.write(MIDNIGHT, 0, arrays(1))
            assert kept.models.all()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert kept.models.all() == []
    assert kept.models.read(MIDNIGHT, 0, ["expected"]) == {}


def test_series_keep_their_numbers_and_know_their_scopes() -> None:
    builder = LedgerBuilder().run(Cell(), days=1).run(Cell(key_id="k2"), days=1)
    builder.run(Cell(team="ads", key_id="k2"), days=1, since=1)
    kept = Kept(builder.reader().engine.connection)  # type: ignore[attr-defined]
    levels: list[Level] = [(), ("key_id",), ("team", "key_id")]
    kept.series.add_used(levels, span(0))
    first = [ids.tolist() for ids in kept.series.in_order(levels)]
    kept.series.add_used(levels, span(0, hours=48))
    kept.series.add_used(levels, span(0, hours=48))
    later = kept.series.in_order(levels)
    assert [len(ids) for ids in later] == [1, 2, 3]
    assert first[1] == later[1].tolist()
    named = [kept.series.scopes(ids.tolist()) for ids in later]
    assert named[0] == [EVERYTHING]
    assert [str(scope) for scope in named[2]] == [
        "team=ads, key_id=k2", "team=search, key_id=k1", "team=search, key_id=k2"
    ]  # fmt: skip
    members = kept.series.members(levels)
    assert (members.series_id[0] == later[0][0]).all()
    held = {str(s): (members.series_id[1] == i).sum() for s, i in zip(named[1], later[1], strict=True)}
    assert held == {"key_id=k1": 1, "key_id=k2": 2}


def test_scopes_without_a_series_are_named() -> None:
    builder = LedgerBuilder().run(Cell(), days=1)
    kept = Kept(builder.reader().engine.connection)  # type: ignore[attr-defined]
    level: Level = ("team", "key_id")
    assert (kept.series.members([level]).series_id == -1).all()
    assert kept.series.scopes_without(level, [0]) == [Scope.parse(["team=search", "key_id=k1"])]


def some_hours() -> KeptHours:
    return KeptHours(
        series_id=np.array([4, 2, 2], dtype=np.int32),
        hour=np.array([0, 30, 31]),
        actual=np.array([9.0, 1.0, 2.0]),
        expected=np.array([1.0, 1.5, 2.5]),
        scale=np.array([0.1, 0.2, 0.3]),
        score=np.array([30.0, 5.5, 1.0]),
        flagged=np.array([1, -1, 0], dtype=np.int8),
        masked=np.array([True, True, False]),
        terms=np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
    )


def test_kept_hours_are_found_by_series_and_masked_ones_by_window(kept: Kept) -> None:
    kept.hours.add(some_hours(), MIDNIGHT)
    window = Window(MIDNIGHT - 5 * HOUR, MIDNIGHT + 48 * HOUR)
    masked = kept.hours.masked(window)
    assert (masked.series_id.tolist(), masked.hour.tolist()) == ([2, 4], [35, 5])
    found = kept.hours.of_series([2, 7], window, terms=2)
    assert found.hour.tolist() == [35, 36]
    assert found.terms.tolist() == [[3.0, 4.0], [5.0, 6.0]]
    assert found.flagged.tolist() == [-1, 0]
    kept.hours.delete_outside(Window(MIDNIGHT, MIDNIGHT + 31 * HOUR))
    assert len(kept.hours.of_series([2, 4], window, terms=2)) == 2
    kept.hours.clear()
    assert len(kept.hours.of_series([2, 4], window, terms=2)) == 0
