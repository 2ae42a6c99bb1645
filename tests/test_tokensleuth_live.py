"""The hourly path on six weeks of a small organisation, hour after hour and refit after refit."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from detectors.incidents import Incident, Spike
from detectors.settings import DetectorSettings
from ledger.errors import RefusedError
from ledger.scope import Scope
from ledger.store import Ledger
from ledger.window import Window
from tests.ledger_builder import at
from tests.live_builder import FIRST, LATER, NEW, SHIFTED, ledger_at, write_organisation
from tokensleuth.detection import detect_range
from tokensleuth.live import LiveDetection, detect_live
from tokensleuth.refit import refit

SETTINGS = DetectorSettings()


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("organisation") / "l.duckdb"
    write_organisation(path)
    return path


@pytest.fixture(scope="module")
def nightly(organisation: Path) -> Path:
    """Refitted every night up to that of day 36."""
    path = organisation.with_name("nightly.duckdb")
    shutil.copy(organisation, path)
    with ledger_at(path) as ledger:
        for day in range(FIRST, 37):
            refit(ledger, SETTINGS, until=at(day))
    return path


@pytest.fixture
def ledger(nightly: Path, tmp_path: Path) -> Iterator[Ledger]:
    """A copy to change."""
    shutil.copy(nightly, tmp_path / "l.duckdb")
    with ledger_at(tmp_path / "l.duckdb") as opened:
        yield opened


def told(spikes: Sequence[Spike], window: Window) -> dict[tuple[object, ...], list[float]]:
    """Spikes that touch the window: their names, and their amounts."""
    return {
        (s.series, s.window, s.direction, s.detected_at): [s.score, s.expected, s.actual, *s.terms.values()]
        for s in spikes
        if s.window.overlap(window)
    }


def named(incidents: Sequence[Incident], window: Window) -> set[tuple[object, ...]]:
    return {(i.scope, i.window, i.direction) for i in incidents if i.window.overlap(window)}


def key_spikes(found: LiveDetection, key_id: str) -> list[Spike]:
    return [s for s in found.spikes if s.series.scope == Scope((("key_id", key_id),))]


def times(ledger: Ledger, key_id: str, hour: datetime, factor: float) -> None:
    """Restate what a key did in one hour."""
    ledger.kept.connection.execute(
        """update usage_hourly set computed_cost = (computed_cost * $factor)::bigint,
            input_tokens = (input_tokens * $factor)::bigint
        where hour = $hour and scope_id in (select scope_id from scopes where key_id = $key_id)""",
        {"factor": factor, "hour": hour.replace(tzinfo=None), "key_id": key_id},
    )


def test_hourly_calls_find_what_detect_finds_over_the_range(organisation: Path, tmp_path: Path) -> None:
    shutil.copy(organisation, tmp_path / "l.duckdb")
    seen = 0
    with ledger_at(tmp_path / "l.duckdb") as ledger:
        for hour in range(FIRST * 24 + 5, 37 * 24, 23):
            now = at(0, hour)
            refit(ledger, SETTINGS, until=now)
            live = detect_live(ledger, SETTINGS, now=now)
            since = Window(max(live.window.start_at, at(FIRST)), now)
            whole = detect_range(ledger.reader, Window(at(FIRST), now), SETTINGS).detection
            ours, theirs = told(live.spikes, since), told(whole.spikes, since)
            assert ours.keys() == theirs.keys()
            for name, amounts in ours.items():
                assert amounts == pytest.approx(theirs[name], rel=1e-5, abs=1e-5)
            assert named(live.incidents, since) == named(whole.incidents, since)
            seen += len(ours)
    assert seen > 50


def test_a_spike_that_began_before_the_last_hours_is_told_as_a_whole(ledger: Ledger) -> None:
    found = detect_live(ledger, SETTINGS, now=at(36, 9))
    (spike,) = key_spikes(found, SHIFTED)
    assert at(31, 3) <= spike.window.start_at < spike.detected_at < at(31, 18) < found.window.start_at


def test_an_hour_restated_upward_fifty_hours_late_gives_its_spike_and_downward_takes_it_back(
    ledger: Ledger,
) -> None:
    now, late = at(36, 9), at(36, 9) - timedelta(hours=50)
    assert not key_spikes(detect_live(ledger, SETTINGS, now=now), "k00")
    times(ledger, "k00", late, 12)
    (spike,) = key_spikes(detect_live(ledger, SETTINGS, now=now), "k00")
    assert spike.window.start_at == late
    times(ledger, "k00", late, 1 / 12)
    assert not key_spikes(detect_live(ledger, SETTINGS, now=now), "k00")


def test_what_came_late_is_not_learnt_either(ledger: Ledger) -> None:
    times(ledger, "k00", at(34, 20), 12)
    refit(ledger, SETTINGS, until=at(37))
    kept = ledger.kept.connection.execute(
        "select masked from kept_hours where hour = $1 and actual > 5 * expected",
        [at(34, 20).replace(tzinfo=None)],
    )
    assert (True,) in kept.fetchall()
    (spike,) = key_spikes(detect_live(ledger, SETTINGS, now=at(37, 3)), "k00")
    assert spike.window.start_at == at(34, 20)


def test_the_hour_that_is_still_open_is_never_scored(ledger: Ledger) -> None:
    times(ledger, "k00", at(36, 9), 40)
    opened = detect_live(ledger, SETTINGS, now=at(36, 9) + timedelta(minutes=59))
    assert opened.window.end_at == at(36, 9)
    assert not key_spikes(opened, "k00")
    assert key_spikes(detect_live(ledger, SETTINGS, now=at(36, 10)), "k00")


def test_the_last_hour_of_usage_is_open_while_it_lasts(ledger: Ledger) -> None:
    ledger.kept.connection.execute(
        "delete from usage_hourly where hour > $1", [at(36, 9).replace(tzinfo=None)]
    )
    ends = [
        detect_live(ledger, SETTINGS, now=now).window.end_at for now in (at(36, 9), at(36, 10), at(36, 20))
    ]
    assert ends == [at(36, 9), at(36, 10), at(36, 10)]


def test_a_series_the_model_does_not_know_is_named_with_the_reason(ledger: Ledger) -> None:
    for day in (37, 38):
        refit(ledger, SETTINGS, until=at(day))
    (new,) = detect_live(ledger, SETTINGS, now=at(38, 5)).not_scored
    assert new.reason == "not used before 2026-11-12 00:00, when the model was made"
    assert set(new.scopes) == {Scope.parse([f"key_id={NEW}"]), Scope.parse([f"key_id={NEW}", "team=t0"])}
    refit(ledger, SETTINGS, until=at(39))
    (young,) = detect_live(ledger, SETTINGS, now=at(39, 5)).not_scored
    assert young.reason == "less than 3 whole days since its first usage"
    assert set(young.scopes) == set(new.scopes)


def test_series_beyond_the_most_are_counted(ledger: Ledger) -> None:
    few = replace(SETTINGS, max_series=10)
    refit(ledger, few, until=at(37))
    found = detect_live(ledger, few, now=at(37, 5))
    assert found.series_scored == 10
    assert [(part.reason, part.scopes) for part in found.not_scored] == [
        ("beyond the 10 series of most spend", ())
    ]


def test_a_late_refit_leaves_the_old_model_in_force_and_says_so(ledger: Ledger) -> None:
    found = detect_live(ledger, SETTINGS, now=at(38, 5))
    assert found.in_force.newest.fitted_at == at(36)
    assert found.in_force.late_hours == 48
    assert (
        found.in_force.reason == "the refit of 2026-11-12 00:00 did not run or failed; run: tokensleuth refit"
    )
    assert not key_spikes(found, LATER)
    assert found.spikes


def test_a_model_is_not_late_at_its_next_midnight(ledger: Ledger) -> None:
    assert detect_live(ledger, SETTINGS, now=at(37)).in_force.reason is None
    assert detect_live(ledger, SETTINGS, now=at(37, 1)).in_force.late_hours == 24


def test_a_model_older_than_seven_days_is_refused_with_the_remedy(nightly: Path, tmp_path: Path) -> None:
    shutil.copy(nightly, tmp_path / "l.duckdb")
    with ledger_at(tmp_path / "l.duckdb") as ledger:
        ledger.kept.models.keep_only([at(33), at(34)], [(at(FIRST - 7), "forest.")])
        assert detect_live(ledger, SETTINGS, now=at(41)).in_force.late_hours == 6 * 24
        with pytest.raises(RefusedError, match="make a new one: tokensleuth refit"):
            detect_live(ledger, SETTINGS, now=at(41, 1))


def test_settings_that_changed_act_from_the_next_refit_on(ledger: Ledger) -> None:
    higher = replace(SETTINGS, fire_score=50.0)
    found = detect_live(ledger, higher, now=at(36, 9))
    assert found.in_force.reason == (
        "settings changed since (fire_score 5.0 -> 50.0): they act from the next refit on"
    )
    assert found.spikes
    refit(ledger, higher, until=at(36, 9))
    assert not detect_live(ledger, higher, now=at(36, 9)).spikes


def test_a_model_that_this_program_cannot_read_is_refused(ledger: Ledger) -> None:
    ledger.kept.connection.execute("update kept_models set layout = 'another'")
    with pytest.raises(RefusedError, match="another version's; make a new one: tokensleuth refit"):
        detect_live(ledger, SETTINGS, now=at(36, 9))
    assert len(refit(ledger, SETTINGS, until=at(36)).learnt) == 2
    assert detect_live(ledger, SETTINGS, now=at(36, 9)).spikes
