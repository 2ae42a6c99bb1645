"""An accepted level lifts the history of its leaves and of the series that hold them, and nothing else."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from detectors.accepted import Baseline
from detectors.baselines import Lifted, lift
from detectors.statistics import FloatArray
from ledger.errors import RefusedError
from ledger.hourly import HourlySeries
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window
from tests.ledger_builder import at

WEEKS = 8
HOURS = WEEKS * 168
CHANGE = 6 * 168 + 34
"""The column of a Tuesday, 10 o'clock."""
RANGE = 7 * 168
K1, K2, NEW = (Scope.parse(["team=search", f"key_id={key}"]) for key in ("k1", "k2", "new"))
TEAM = Scope.parse(["team=search"])


def steady(usd: float) -> FloatArray:
    """Dollars per hour with a day's rhythm, and less at the weekend."""
    hour = np.arange(HOURS)
    weekend = np.where(hour // 24 % 7 >= 5, 0.5, 1.0)
    return np.asarray(usd * (1 + 0.5 * np.sin(hour % 24 / 24 * 2 * np.pi)) * weekend)


def stepped(usd: float, times: float, column: int = CHANGE) -> FloatArray:
    values = steady(usd)
    values[column:] *= times
    return values


def begun(usd: float, column: int = CHANGE) -> FloatArray:
    values = steady(usd)
    values[:column] = 0
    return values


def series(**rows: FloatArray) -> HourlySeries:
    scopes = {"total": EVERYTHING, "team": TEAM, "k1": K1, "k2": K2, "new": NEW}
    window = Window(at(0), at(0, HOURS))
    return HourlySeries(
        window, "cost_usd", tuple(scopes[name] for name in rows), np.array(list(rows.values()))
    )


def baseline(scope: Scope, column: int = CHANGE, until: int = RANGE) -> Baseline:
    return Baseline(scope, at(0, column), at(0, until))


def lifted(k1: FloatArray, k2: FloatArray, *baselines: Baseline, start: int = RANGE) -> Lifted:
    """The team and its two keys."""
    leaves = series(k1=k1, k2=k2)
    return lift([series(team=k1 + k2), leaves], leaves, baselines, at(0, start))


def test_the_history_of_a_key_is_lifted_to_the_level_since_and_the_team_follows() -> None:
    team, keys = lifted(stepped(10, 2), steady(4), baseline(K1)).series
    assert keys.values[0] == pytest.approx(steady(20))
    assert keys.values[1] == pytest.approx(steady(4))
    assert team.values[0] == pytest.approx(steady(24))


def test_the_leaves_are_lifted_too() -> None:
    leaves = lifted(stepped(10, 2), steady(4), baseline(K1)).leaves
    assert leaves.values == pytest.approx(np.array([steady(20), steady(4)]))


def test_a_team_is_lifted_by_the_keys_that_changed() -> None:
    _, keys = lifted(stepped(10, 5), steady(4), baseline(TEAM)).series
    assert keys.values == pytest.approx(np.array([steady(50), steady(4)]))


def test_what_is_handed_in_stays_as_it_is_and_so_do_the_hours_since_the_change() -> None:
    k1, k2 = stepped(10, 2) + np.arange(HOURS) % 5, steady(4)
    leaves = series(k1=k1, k2=k2)
    before = leaves.values.copy()
    after = lift([leaves], leaves, [baseline(EVERYTHING)], at(0, RANGE)).series[0]
    assert np.array_equal(leaves.values, before)
    assert np.array_equal(after.values[:, CHANGE:], before[:, CHANGE:])


def test_nothing_from_the_range_on_is_looked_at() -> None:
    other = stepped(10, 2)
    other[RANGE:] = 1000
    team, keys = lifted(stepped(10, 2), steady(4), baseline(K1, until=HOURS)).series
    again, others = lifted(other, steady(4), baseline(K1, until=HOURS)).series
    assert np.array_equal(keys.values[:, :RANGE], others.values[:, :RANGE])
    assert np.array_equal(team.values[:, :RANGE], again.values[:, :RANGE])


def test_a_growth_after_the_level_was_accepted_is_no_part_of_it() -> None:
    grown = stepped(10, 2)
    grown[CHANGE + 48 :] *= 3
    _, keys = lifted(grown, steady(4), baseline(K1, until=CHANGE + 48)).series
    assert keys.values[0, :CHANGE] == pytest.approx(steady(20)[:CHANGE])


@pytest.mark.parametrize("start", [CHANGE - 24, CHANGE, CHANGE + 23])
def test_a_range_that_starts_before_a_day_of_the_level_was_seen_is_judged_as_ever(start: int) -> None:
    k1 = stepped(10, 2)
    assert np.array_equal(lifted(k1, steady(4), baseline(K1), start=start).series[1].values[0], k1)


def test_a_change_before_the_history_is_in_it_anyway() -> None:
    early = Baseline(K1, at(0) - timedelta(days=9), at(0) - timedelta(days=2))
    k1 = steady(10)
    assert np.array_equal(lifted(k1, steady(4), early).series[1].values[0], k1)


def test_a_second_change_is_lifted_on_top_of_the_first() -> None:
    second = 5 * 168
    k1 = stepped(10, 2, 3 * 168)
    k1[second:] *= 2
    baselines = [baseline(K1, second, second + 100), baseline(K1, 3 * 168, 4 * 168)]
    _, keys = lifted(k1, steady(4), *baselines).series
    assert keys.values[0] == pytest.approx(steady(40))


def test_a_new_key_lifts_its_team_by_its_mean_day_and_stays_young_itself() -> None:
    leaves = series(k1=steady(10), new=begun(6))
    team = series(team=steady(10) + begun(6))
    (team, keys), told = lift([team, leaves], leaves, [baseline(NEW)], at(0, CHANGE + 48))
    assert np.array_equal(keys.values, leaves.values)
    weekday = steady(6)[:24]
    added = team.values[0, :CHANGE] - steady(10)[:CHANGE]
    assert added == pytest.approx(np.resize(weekday, CHANGE))
    assert told.values[1, :CHANGE] == pytest.approx(added)


def test_from_a_week_on_a_new_key_lifts_its_team_by_its_mean_week() -> None:
    column = 5 * 168
    leaves = series(k1=steady(10), new=begun(6, column))
    team = series(team=steady(10) + begun(6, column))
    ((team,), _) = lift([team], leaves, [baseline(NEW, column, HOURS)], at(0, RANGE))
    assert team.values[0] == pytest.approx(steady(16))


def test_a_team_is_lifted_from_its_own_first_usage_on() -> None:
    young = begun(10, 4 * 168)
    leaves = series(k1=young, new=begun(6))
    ((team,), _) = lift([series(team=young + begun(6))], leaves, [baseline(NEW)], at(0, RANGE))
    assert not team.values[0, : 4 * 168].any()
    assert (team.values[0, 4 * 168 : CHANGE] > young[4 * 168 : CHANGE]).all()


def test_what_was_next_to_nothing_before_has_no_rhythm_to_multiply() -> None:
    k1 = stepped(0.01, 1000)
    k1[CHANGE - 30] = 5
    _, keys = lifted(k1, steady(4), baseline(K1)).series
    assert keys.values[0, :CHANGE] == pytest.approx(np.resize(keys.values[0, :24], CHANGE))
    assert keys.values[0, :24].max() < 20


def test_what_fell_to_nothing_keeps_a_trace_and_its_age() -> None:
    team, keys = lifted(stepped(10, 0), steady(4), baseline(K1)).series
    assert keys.values[0, :CHANGE] == pytest.approx(steady(0.1)[:CHANGE])
    assert team.values[0, :CHANGE] == pytest.approx(steady(4.1)[:CHANGE])


def test_the_luck_of_a_small_unsteady_key_is_not_taken_for_its_level() -> None:
    unsteady = np.where(np.arange(HOURS) // 24 % 10 == 0, 0.3, 0.0)
    _, keys = lifted(stepped(10, 2), unsteady, baseline(TEAM)).series
    assert np.array_equal(keys.values[1], unsteady)


def test_one_week_with_an_incident_does_not_change_what_is_usual() -> None:
    k1 = stepped(10, 2)
    k1[CHANGE - 168 : CHANGE - 148] *= 30
    _, keys = lifted(k1, steady(4), baseline(K1)).series
    assert keys.values[0, : CHANGE - 168] == pytest.approx(steady(20)[: CHANGE - 168])


def test_a_key_younger_than_a_week_is_measured_by_its_days() -> None:
    thursday = 6 * 168 + 3 * 24 + 10
    young = stepped(10, 3, thursday)
    young[: thursday - 80] = 0
    _, keys = lifted(young, steady(4), baseline(K1, thursday, thursday + 24)).series
    assert keys.values[0, :thursday] == pytest.approx(young[:thursday] * 3)


def test_a_scope_that_the_leaves_do_not_tell_is_refused() -> None:
    with pytest.raises(RefusedError, match="scope `feature=x` needs leaves by feature"):
        lifted(steady(1), steady(1), baseline(Scope.parse(["feature=x"])))


def test_nothing_accepted_changes_nothing_and_copies_nothing() -> None:
    leaves = series(k1=steady(10))
    found = lift([leaves], leaves, [], at(0, RANGE))
    assert found.series[0] is leaves
    assert found.leaves is leaves


def test_a_scope_without_leaves_changes_nothing() -> None:
    elsewhere = baseline(Scope.parse(["team=mobile"]))
    assert np.array_equal(lifted(steady(1), steady(2), elsewhere).leaves.values, [steady(1), steady(2)])


def test_other_units_than_dollars_are_lifted_alike() -> None:
    leaves = replace(series(k1=stepped(1000, 2)), metric="tokens")
    assert lift([leaves], leaves, [baseline(K1)], at(0, RANGE)).series[0].values[0] == pytest.approx(
        steady(2000)
    )
