"""Spend that moves within the keys is one incident; a fall and a rise that do not make up are two."""

import numpy as np

from tests.company_builder import HOURS, Company, change, company, hours, merged, spike


def switched(factor: float, *keys: str, of: str = "small", to: str = "xl") -> Company:
    """From hour 40 on the keys call another model, at a multiple of the cost."""
    org = company()
    for key in keys:
        team = f"t{key[1]}"
        old = org[team, of, key]
        new = org.setdefault((team, to, key), np.zeros(HOURS))
        new[hours(40, 100)] += factor * old[hours(40, 100)]
        old[hours(40, 100)] = 0
    return org


def test_a_switch_to_a_dearer_model_is_told_with_the_fall_of_the_old_one() -> None:
    org = switched(9, "k10", "k11", "k12")
    pieces = [spike("team=t1", 40, 100), spike("team=t1 model=small", 42, 98, "down")]
    assert merged(org, *pieces) == ["team=t1 up 40-140"]


def test_a_switch_to_a_model_in_use_is_told_at_the_team_and_not_at_half_of_it() -> None:
    org = switched(4, "k10", "k11", "k12", to="large")
    pieces = [spike("team=t1 model=large", 40, 100), spike("team=t1 model=small", 40, 100, "down")]
    assert merged(org, *pieces) == ["team=t1 up 40-140"]


def test_keys_of_many_teams_that_leave_a_model_are_one_incident_with_its_fall() -> None:
    org = switched(1.5, "k10", "k12", "k20", "k22", "k31")
    pieces = [
        spike("model=small", 40, 100, "down"),
        spike("team=t1 key=k12", 47, 93),
        spike("team=t2 key=k22", 60, 80),
    ]
    assert merged(org, *pieces) == ["all spend up 40-140"]


def test_a_fall_made_up_for_by_dearer_rises_that_nobody_flagged_is_told_as_their_net() -> None:
    org = switched(1.6, "k10", "k11", "k12")
    assert merged(org, spike("team=t1 model=small", 40, 100, "down")) == ["team=t1 up 40-140"]


def test_a_switch_to_a_much_cheaper_model_is_told_as_the_fall() -> None:
    org = switched(0.1, "k10", "k11", "k12", of="large")
    fall = spike("team=t1 model=large", 40, 100, "down")
    assert merged(org, fall) == ["model=large, team=t1 down 40-140"]


def test_the_stop_of_one_key_and_the_rise_of_another_are_two_incidents() -> None:
    org = company()
    change(org, hours(36, 12), 0, key="k02")
    change(org, hours(36, 12), 5, key="k01")
    pieces = [spike("team=t0 key=k02", 36, 12, "down"), spike("team=t0 key=k01", 36, 12)]
    assert sorted(merged(org, *pieces)) == ["team=t0, key_id=k01 up 36-48", "team=t0, key_id=k02 down 36-48"]


def test_the_rise_of_a_key_hours_before_its_stop_is_an_incident_of_its_own() -> None:
    org = company()
    change(org, hours(20, 10), 5, key="k11")
    change(org, hours(33, 24), 0, key="k11")
    pieces = [spike("team=t1 key=k11", 20, 10), spike("team=t1 key=k11", 33, 24, "down")]
    assert merged(org, *pieces) == ["team=t1, key_id=k11 up 20-30", "team=t1, key_id=k11 down 33-57"]


def test_a_model_that_fails_is_no_switch_while_the_others_only_fluctuate() -> None:
    org = company(noise=0.3)
    change(org, hours(36, 12), 0, model="small", team="t0")
    change(org, hours(38, 6), 6, model="large", key="k01")
    pieces = [spike("team=t0 model=small", 36, 12, "down"), spike("team=t0 key=k01", 38, 6)]
    assert sorted(merged(org, *pieces)) == ["model=small, team=t0 down 36-48", "team=t0, key_id=k01 up 38-44"]
