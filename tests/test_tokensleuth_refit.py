"""The nightly refit: what it keeps, in one transaction, and that nights add up."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from detectors.accepted import Baseline
from detectors.settings import DetectorSettings
from ledger.errors import RefusedError
from ledger.scope import Scope
from ledger.store import Ledger
from ledger.window import Window
from tests.ledger_builder import Cell, LedgerBuilder, at
from tests.live_builder import FIRST, LONG, ledger_at, write_organisation
from tokensleuth.kept_profiles import KeptProfiles
from tokensleuth.live import detect_live
from tokensleuth.refit import refit

SETTINGS = DetectorSettings()
Rows = list[tuple[object, ...]]


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("organisation") / "l.duckdb"
    write_organisation(path)
    return path


@pytest.fixture
def ledger(organisation: Path, tmp_path: Path) -> Iterator[Ledger]:
    shutil.copy(organisation, tmp_path / "l.duckdb")
    with ledger_at(tmp_path / "l.duckdb") as opened:
        yield opened


def kept(ledger: Ledger) -> Mapping[str, Rows]:
    """All that is kept, but for the numbers that arrays happen to have."""
    query = ledger.kept.connection.execute
    arrays = """select fitted_at, block, name, dtype, shape, list(number order by n.rowid)
        from kept_arrays join kept_numbers n using (array_id)
        group by fitted_at, block, name, dtype, shape order by fitted_at, block, name"""
    return {
        "models": query("select * from kept_models order by all").fetchall(),
        "arrays": query(arrays).fetchall(),
        "series": query("select * exclude (series_id) from kept_series order by all").fetchall(),
        "hours": query(
            """select h.* exclude (series_id), k.* exclude (series_id) from kept_hours h
            join kept_series k using (series_id) order by all"""
        ).fetchall(),
    }


def same(ours: Rows, theirs: Rows) -> bool:
    """Whether rows are the same but for the last bits of sums that were added up in another order."""
    if len(ours) != len(theirs):
        return False
    pairs = [pair for rows in zip(ours, theirs, strict=True) for pair in zip(*rows, strict=True)]
    return all(a == b or np.allclose(_numbers(a), _numbers(b), rtol=1e-9, equal_nan=True) for a, b in pairs)


def _numbers(value: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array(value, dtype=float)


def test_a_refit_after_some_days_learns_the_midnights_between(ledger: Ledger, organisation: Path) -> None:
    for day in range(FIRST, 36):
        refit(ledger, SETTINGS, until=at(day))
    nightly = kept(ledger)
    other = organisation.with_name("other.duckdb")
    shutil.copy(organisation, other)
    with ledger_at(other) as later:
        refit(later, SETTINGS, until=at(FIRST))
        done = refit(later, SETTINGS, until=at(35, 17))
        assert done.learnt == tuple(at(day) for day in range(FIRST + 1, 36))
        at_once = kept(later)
    assert nightly["models"] == at_once["models"]
    assert nightly["series"] == at_once["series"]
    assert same(nightly["arrays"], at_once["arrays"])
    assert same(nightly["hours"], at_once["hours"])


def test_run_again_it_learns_the_same(ledger: Ledger) -> None:
    for day in range(FIRST, 33):
        refit(ledger, SETTINGS, until=at(day))
    before = kept(ledger)
    assert refit(ledger, SETTINGS, until=at(32, 23)).learnt == (at(32),)
    after = kept(ledger)
    assert before["models"] == after["models"]
    assert same(before["arrays"], after["arrays"])


def test_the_first_refit_warms_up_like_detect(ledger: Ledger) -> None:
    done = refit(ledger, SETTINGS, until=at(FIRST, 7))
    assert done.learnt == (at(FIRST - 7), at(FIRST))
    assert done.model.facts["history"] == Window(at(0), at(FIRST)).as_json()


def test_models_of_four_midnights_are_kept(ledger: Ledger) -> None:
    for day in range(FIRST, FIRST + 6):
        done = refit(ledger, SETTINGS, until=at(day))
    assert done.kept == tuple(at(day) for day in range(FIRST + 2, FIRST + 6))
    rows = ledger.kept.connection.execute("select distinct fitted_at from kept_arrays order by 1").fetchall()
    grown = at(FIRST - 7).replace(tzinfo=None)
    assert [row[0] for row in rows] == [grown, *(day.replace(tzinfo=None) for day in done.kept)]
    numbers = "select count(*) from kept_numbers where array_id not in (select array_id from kept_arrays)"
    assert ledger.kept.connection.execute(numbers).fetchall() == [(0,)]


def test_shapes_and_the_forest_are_renewed_every_seventh_night(ledger: Ledger) -> None:
    grown = [
        refit(ledger, SETTINGS, until=at(day)).model.facts["forest_at"] for day in range(FIRST, FIRST + 8)
    ]
    days = [FIRST - 7] * 6 + [FIRST + 6] * 2
    assert grown == [at(day).isoformat().replace("+00:00", "Z") for day in days]


@pytest.mark.parametrize("failing", [1, 2])
def test_a_refit_that_fails_half_way_changes_nothing(ledger: Ledger, failing: int) -> None:
    refit(ledger, SETTINGS, until=at(FIRST))
    before, calls = kept(ledger), []

    def fail(done: int, _total: int) -> None:
        calls.append(done)
        if len(calls) == failing:
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        refit(ledger, SETTINGS, until=at(FIRST + 2), progress=fail)
    assert kept(ledger) == before
    assert detect_live(ledger, SETTINGS, now=at(FIRST + 2, 3)).in_force.late_hours == 48


def test_changed_settings_begin_afresh(ledger: Ledger) -> None:
    refit(ledger, SETTINGS, until=at(FIRST))
    done = refit(ledger, replace(SETTINGS, quiet_hours=9), until=at(FIRST + 1))
    assert done.learnt == (at(FIRST - 6), at(FIRST + 1))
    assert done.kept == done.learnt


def test_after_more_than_a_week_without_a_refit_it_begins_afresh(ledger: Ledger) -> None:
    refit(ledger, SETTINGS, until=at(FIRST))
    assert refit(ledger, SETTINGS, until=at(FIRST + 8)).learnt == (at(FIRST + 1), at(FIRST + 8))


def test_a_level_that_lasts_is_not_learnt_as_long_as_it_is_masked(ledger: Ledger) -> None:
    for day in range(FIRST, 39):
        refit(ledger, SETTINGS, until=at(day))
    model = KeptProfiles.of(ledger.kept.models, ledger.kept.models.all()[-1])
    names = ledger.kept.series.scopes(model.rows.series_ids.tolist())
    row = model.rows.position[[names.index(Scope((("key_id", LONG),)))]]
    expected = model.ahead(row, at(39), None).expected[0, 24:].sum()
    usual = ledger.reader.hourly(Window(at(28), at(35)), where=Scope((("key_id", LONG),))).values.sum() / 7
    assert expected == pytest.approx(usual, rel=0.1)


def test_an_accepted_level_is_normal_from_the_next_refit_on(ledger: Ledger) -> None:
    scope = Scope((("key_id", LONG),))
    baseline = Baseline.known_until(scope, at(35), at(37))
    for day in range(FIRST, 38):
        refit(ledger, SETTINGS, until=at(day))
    before = detect_live(ledger, SETTINGS, now=at(37, 20))
    assert any(s.series.scope == scope and s.window.end_at == at(37, 20) for s in before.spikes)
    done = refit(ledger, SETTINGS, until=at(37), baselines=[baseline])
    assert done.model.facts["baselines"]
    after = detect_live(ledger, SETTINGS, now=at(37, 20))
    assert not [s for s in after.spikes if s.series.scope == scope and s.window.end_at > at(37, 8)]


def test_too_few_days_are_refused() -> None:
    reader = LedgerBuilder().run(Cell(), days=2.9).reader()
    with pytest.raises(RefusedError, match="2 whole days of usage before 2026-10-07T00:00:00Z; 3 are needed"):
        refit(Ledger(reader.engine.connection), SETTINGS, until=at(2, 22))  # type: ignore[attr-defined]


def test_a_young_ledger_is_learnt_without_a_warm_up() -> None:
    reader = LedgerBuilder().run(Cell(), days=5).reader()
    ledger = Ledger(reader.engine.connection)  # type: ignore[attr-defined]
    assert refit(ledger, SETTINGS, until=at(4, 5)).learnt == (at(4),)
    found = detect_live(ledger, SETTINGS, now=at(4, 5))
    assert found.window == Window(at(4), at(4, 5))
    assert found.series_scored == 6
    assert found.window.end_at - found.window.start_at < timedelta(hours=72)
