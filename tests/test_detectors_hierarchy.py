"""One cause, one incident: real detection over small organisations in which we know what happened."""

from datetime import UTC, datetime

import numpy as np
import pytest

from detectors.detection import Detection, detect
from detectors.incidents import Incident
from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray
from ledger.errors import RefusedError
from ledger.reader import HourlySeries
from ledger.scope import Dimension, Scope
from ledger.window import HOUR, Window

START = datetime(2026, 10, 5, tzinfo=UTC)
HISTORY = 28 * 24
HOURS = 35 * 24
RANGE = Window(START + HISTORY * HOUR, START + HOURS * HOUR)
LEAF: tuple[Dimension, ...] = ("team", "model", "key_id")
LEVELS: tuple[tuple[Dimension, ...], ...] = (
    (), ("team",), ("model",), ("key_id",), ("team", "model"), ("team", "key_id"),
)  # fmt: skip

Company = dict[tuple[str, str, str], FloatArray]
"""Hourly spend by team, model and key."""


def company(teams: int = 4, keys: int = 3) -> Company:
    """Every key of every team uses a large and a small model by day."""
    rng = np.random.default_rng(9)
    hour = np.arange(HOURS)
    day = 1 + 0.6 * np.sin((hour % 24 - 8) / 24 * 2 * np.pi)
    return {
        (f"t{team}", model, f"k{team}{key}"): mean * (1 + key) * day * np.exp(rng.normal(0, 0.1, HOURS))
        for team in range(teams)
        for key in range(keys)
        for model, mean in (("large", 6.0), ("small", 3.0))
    }


def hours(start: int, length: int) -> slice:
    return slice(HISTORY + start, HISTORY + start + length)


def change(org: Company, when: slice, factor: float, **where: str) -> None:
    """Multiply the spend of the leaves that match."""
    for leaf, values in org.items():
        if all(value in leaf for value in where.values()):
            values[when] *= factor


def series_by(org: Company, by: tuple[Dimension, ...]) -> HourlySeries:
    sums: dict[Scope, FloatArray] = {}
    for leaf, values in org.items():
        pinned = dict(zip(LEAF, leaf, strict=True))
        scope = Scope.of([(dimension, pinned[dimension]) for dimension in by])
        sums[scope] = sums.get(scope, np.zeros(HOURS)) + values
    scopes = tuple(sorted(sums))
    return HourlySeries(Window(START, RANGE.end_at), "cost_usd", scopes, np.array([sums[s] for s in scopes]))


def found(org: Company) -> Detection:
    levels = [series_by(org, by) for by in LEVELS]
    return detect(levels, series_by(org, LEAF), RANGE, DetectorSettings())


def told(detection: Detection) -> list[str]:
    return [f"{incident.scope} {incident.direction}" for incident in detection.incidents]


def window_of(incident: Incident) -> tuple[int, int]:
    start, end = ((at - RANGE.start_at) // HOUR for at in (incident.window.start_at, incident.window.end_at))
    return start, end


def test_nothing_happened() -> None:
    assert told(found(company())) == []


def test_a_runaway_key_is_one_incident_at_the_key_and_not_one_at_each_level() -> None:
    org = company()
    change(org, hours(40, 6), 8, key="k11")
    detection = found(org)
    assert told(detection) == ["team=t1, key_id=k11 up"]
    (incident,) = detection.incidents
    assert window_of(incident) == (40, 46)
    assert len(detection.spikes) > 3
    assert incident.spikes == tuple(range(len(detection.spikes)))


def test_the_amounts_are_those_of_the_incident_scope() -> None:
    org = company()
    change(org, hours(40, 6), 8, key="k11")
    (incident,) = found(org).incidents
    actual = sum(float(v[hours(40, 6)].sum()) for leaf, v in org.items() if "k11" in leaf)
    assert incident.actual_usd == pytest.approx(actual)
    assert incident.expected_usd == pytest.approx(actual / 8, rel=0.15)
    assert incident.excess_usd == pytest.approx(actual * 7 / 8, rel=0.05)


def test_two_keys_with_causes_of_their_own_at_the_same_time_are_two_incidents() -> None:
    org = company()
    change(org, hours(40, 6), 8, key="k11")
    change(org, hours(41, 8), 5, key="k30")
    assert sorted(told(found(org))) == ["team=t1, key_id=k11 up", "team=t3, key_id=k30 up"]


def test_two_keys_of_one_team_are_two_incidents_while_its_other_keys_are_calm() -> None:
    org = company(keys=5)
    change(org, hours(40, 6), 8, key="k11")
    change(org, hours(40, 6), 6, key="k13")
    assert sorted(told(found(org))) == ["team=t1, key_id=k11 up", "team=t1, key_id=k13 up"]


def test_a_price_change_of_a_model_is_one_incident_at_the_model() -> None:
    org = company()
    change(org, hours(40, 128), 2.5, model="large")
    detection = found(org)
    assert told(detection) == ["model=large up"]
    assert window_of(detection.incidents[0]) == (40, 168)


def test_a_team_that_grows_as_a_whole_is_one_incident_at_the_team() -> None:
    org = company()
    change(org, hours(40, 48), 3, team="t2")
    assert told(found(org)) == ["team=t2 up"]


def test_everything_doubling_is_one_incident_of_all_spend() -> None:
    org = company()
    change(org, hours(40, 24), 2.5)
    assert told(found(org)) == ["all spend up"]


def test_an_outage_of_one_team_is_one_drop() -> None:
    org = company()
    change(org, hours(36, 12), 0, team="t0")
    detection = found(org)
    assert told(detection) == ["team=t0 down"]
    assert window_of(detection.incidents[0]) == (36, 48)


def test_a_new_key_too_young_to_be_scored_is_named_by_its_team_spike() -> None:
    org = company()
    fresh = np.zeros(HOURS)
    fresh[hours(40, 20)] = 150
    org["t2", "large", "k2-new"] = fresh
    assert told(found(org)) == ["team=t2, key_id=k2-new up"]


def test_a_switch_to_a_dearer_model_is_one_incident_with_the_drop_of_the_old_one() -> None:
    org = company()
    for key in ("k10", "k11", "k12"):
        moved = org["t1", "small", key]
        org["t1", "xl", key] = np.zeros(HOURS)
        org["t1", "xl", key][hours(40, 128)] = 9 * moved[hours(40, 128)]
        moved[hours(40, 128)] = 0
    detection = found(org)
    assert told(detection) == ["team=t1 up"]
    assert detection.incidents[0].spikes == tuple(range(len(detection.spikes)))


def test_a_spike_hours_later_is_another_incident() -> None:
    org = company()
    change(org, hours(10, 4), 8, key="k11")
    change(org, hours(60, 4), 8, key="k11")
    assert [window_of(incident) for incident in found(org).incidents] == [(10, 14), (60, 64)]


def test_a_level_shift_is_one_incident_and_not_one_a_day() -> None:
    org = company()
    change(org, hours(20, 148), 3, key="k11")
    (incident,) = found(org).incidents
    assert window_of(incident) == (20, 168)


def test_ids_are_made_from_facts() -> None:
    org = company()
    change(org, hours(40, 6), 8, key="k11")
    first, second = (found(org).incidents[0].id for _ in range(2))
    assert first == second
    assert first.startswith("inc_")


def test_leaves_that_do_not_tell_a_dimension_apart_are_refused() -> None:
    org = company()
    change(org, hours(40, 6), 8, key="k11")
    coarse = series_by(org, ("team", "key_id"))
    with pytest.raises(RefusedError, match=r"`model=large` needs leaves by model; these are by team, key_id"):
        detect([series_by(org, ("model",))], coarse, RANGE, DetectorSettings())
