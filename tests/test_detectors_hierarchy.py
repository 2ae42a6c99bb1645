"""One cause, one incident: real detection over small organisations in which we know what happened."""

import time

import numpy as np
import pytest

from detectors.detection import Detection, detect
from detectors.hierarchy import merge_incidents
from detectors.settings import DetectorSettings
from ledger.errors import RefusedError
from tests.company_builder import (
    HOURS,
    LEAF,
    LEVELS,
    RANGE,
    change,
    company,
    found,
    hours,
    series_by,
    spike,
    window_of,
)


def told(detection: Detection) -> list[str]:
    return [f"{incident.scope} {incident.direction}" for incident in detection.incidents]


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


def test_a_thousand_spikes_over_thousands_of_series_merge_in_seconds() -> None:
    rng = np.random.default_rng(3)
    names = [(f"t{t}", f"m{m}", f"k{t}-{k}") for t in range(50) for k in range(20) for m in range(5)]
    org = {name: rng.gamma(1.0, 5.0, HOURS) for name in names}
    scopes = [scope for by in LEVELS for scope in series_by(org, by).scopes]
    spikes = [
        spike(" ".join(f"{d}={v}" for d, v in scopes[i].items), int(rng.integers(0, 140)), int(length))
        for i, length in zip(rng.integers(1, len(scopes), 1000), rng.choice([3, 6, 24], 1000), strict=True)
    ]
    leaves = series_by(org, LEAF)
    started = time.process_time()
    incidents = merge_incidents(spikes, leaves, DetectorSettings(), scopes=scopes)
    assert time.process_time() - started < 5
    assert sorted(i for incident in incidents for i in incident.spikes) == list(range(1000))
