"""Spikes of several scopes with one cause are one incident; those with causes of their own stay apart."""

import numpy as np

from tests.company_builder import change, company, found, hours, merged, spike, text, window_of


def test_a_growth_flagged_in_pieces_at_different_hours_is_one_incident_of_all_spend() -> None:
    org = company()
    change(org, hours(20, 100), 1.6)
    pieces = [
        spike("team=t0", 31, 89),
        spike("team=t1 key=k12", 44, 76),
        spike("model=small", 50, 20),
        spike("team=t3", 26, 94),
    ]
    assert merged(org, *pieces) == ["all spend up 26-120"]


def test_a_price_step_flagged_at_one_key_is_told_at_the_model() -> None:
    org = company()
    change(org, hours(40, 60), 1.5, model="large")
    assert merged(org, spike("key=k12 team=t1", 40, 60)) == ["model=large up 40-100"]


def test_a_key_that_rises_while_the_rest_of_its_model_is_calm_is_told_at_the_key() -> None:
    org = company()
    change(org, hours(40, 60), 1.5, key="k12")
    assert merged(org, spike("key=k12 team=t1", 40, 60)) == ["team=t1, key_id=k12 up 40-100"]


def test_a_burst_inside_a_growth_is_an_incident_of_its_own() -> None:
    org = company()
    change(org, hours(20, 100), 1.6)
    change(org, hours(60, 4), 9, key="k21")
    pieces = [spike("team=t0", 20, 100), spike("team=t3", 24, 96), spike("team=t2 key=k21", 60, 4)]
    assert merged(org, *pieces) == ["all spend up 20-120", "team=t2, key_id=k21 up 60-64"]


def test_a_runaway_inside_a_price_step_keeps_what_it_spent_on_other_models() -> None:
    org = company()
    change(org, hours(40, 100), 2.5, model="large")
    change(org, hours(60, 6), 8, key="k21")
    pieces = [
        spike("team=t2 key=k21", 40, 100),
        spike("team=t1 key=k12", 40, 100),
        spike("team=t2 model=small", 60, 6),
    ]
    assert merged(org, *pieces) == ["model=large up 40-140", "model=small, team=t2 up 60-66"]


def test_level_shifts_that_began_a_day_apart_stay_two() -> None:
    org = company(keys=4)
    change(org, hours(30, 100), 2, key="k12")
    change(org, hours(70, 60), 2, key="k13")
    pieces = [spike("team=t1 key=k12", 30, 100), spike("team=t1 key=k13", 70, 60)]
    assert merged(org, *pieces) == ["team=t1, key_id=k12 up 30-130", "team=t1, key_id=k13 up 70-130"]


def test_three_keys_that_retry_in_the_same_hours_are_one_incident_at_the_model_they_call() -> None:
    org = company(teams=6)
    storm = ("k00", "k21", "k42")
    for key in storm:
        change(org, hours(40, 5), 7, key=key, model="large")
    pieces = [spike(f"team=t{key[1]} key={key}", 40 + i, 5) for i, key in enumerate(storm)]
    assert merged(org, *pieces) == ["model=large up 40-47"]


def test_three_keys_that_rise_by_different_ratios_stay_three() -> None:
    org = company(teams=6)
    for key, factor in (("k00", 15), ("k21", 5), ("k42", 2)):
        change(org, hours(40, 5), factor, key=key, model="large")
    pieces = [spike(f"team=t{key[1]} key={key}", 40, 5) for key in ("k00", "k21", "k42")]
    assert len(merged(org, *pieces)) == 3


def test_two_keys_that_keep_the_same_hours_and_ratio_are_one_incident_at_the_team() -> None:
    org = company(keys=6)
    change(org, hours(40, 6), 6, key="k11")
    change(org, hours(40, 6), 6, key="k13")
    pieces = [spike("team=t1 key=k11", 40, 6), spike("team=t1 key=k13", 40, 6)]
    assert merged(org, *pieces) == ["team=t1 up 40-46"]


def test_two_keys_that_rise_at_once_by_different_ratios_stay_two() -> None:
    org = company(keys=2)
    change(org, hours(40, 6), 8, key="k10")
    change(org, hours(40, 6), 2.5, key="k11")
    pieces = [spike("team=t1", 40, 6), spike("team=t1 key=k10", 40, 6), spike("team=t1 key=k11", 40, 6)]
    assert merged(org, *pieces) == ["team=t1, key_id=k10 up 40-46", "team=t1, key_id=k11 up 40-46"]


def test_a_nightly_batch_counted_twice_belongs_to_the_day_counted_twice() -> None:
    org = company(keys=4, noise=0.02)
    batch = np.zeros(len(org["t1", "large", "k10"]))
    batch[np.arange(len(batch)) % 24 == 2] = 90.0
    org["t1", "large", "k1-batch"] = batch
    change(org, hours(48, 24), 2, team="t1")
    pieces = [spike("team=t1 key=k1-batch", 50, 1), spike("team=t1", 55, 17)]
    assert merged(org, *pieces) == ["team=t1 up 50-72"]


def test_keys_without_anything_in_common_keep_their_own_incidents_wherever_they_are_filed() -> None:
    rng = np.random.default_rng(4)
    for team in ("everybody", "t-{}"):
        org = {(team.format(i), "m", f"k{i}"): rng.gamma(0.3, 20.0, 35 * 24) for i in range(40)}
        pieces = []
        for i in range(40):
            start, length = int(rng.integers(0, 140)), int(rng.integers(2, 24))
            org[team.format(i), "m", f"k{i}"][hours(start, length)] += rng.uniform(40, 400)
            pieces.append(spike(f"key=k{i}", start, length))
        assert len([told for told in merged(org, *pieces) if "key_id" in told]) == 40


def test_a_team_that_doubles_for_a_day_is_one_incident() -> None:
    org = company()
    change(org, hours(24, 24), 2.5, team="t2")
    (incident,) = found(org).incidents
    assert text(incident).startswith("team=t2 up")
    assert window_of(incident)[0] in range(24, 30)
