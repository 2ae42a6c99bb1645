"""A level that stays shifted is one incident; what grows, or happens again, is another."""

import numpy as np

from tests.company_builder import change, company, hours, merged, office_hours, spike

KEY = "team=t1 key=k11"


def test_a_level_that_stays_shifted_between_two_spikes_is_one_incident() -> None:
    org = company()
    change(org, hours(20, 90), 1.8, key="k11")
    assert merged(org, spike(KEY, 24, 10), spike(KEY, 98, 12)) == ["team=t1, key_id=k11 up 24-110"]


def test_two_spikes_with_ordinary_days_between_them_are_two_incidents() -> None:
    org = company()
    change(org, hours(24, 6), 4, key="k11")
    change(org, hours(72, 6), 4, key="k11")
    assert merged(org, spike(KEY, 24, 6), spike(KEY, 72, 6)) == [
        "team=t1, key_id=k11 up 24-30",
        "team=t1, key_id=k11 up 72-78",
    ]


def test_a_burst_between_two_spikes_is_no_level() -> None:
    org = company()
    for start in (24, 50, 84):
        change(org, hours(start, 3), 8, key="k11")
    assert len(merged(org, spike(KEY, 24, 3), spike(KEY, 84, 3))) == 2


def test_a_shifted_working_week_is_one_incident_across_its_silent_weekend() -> None:
    org = company()
    for values in org.values():
        values *= office_hours()
    change(org, hours(-3 * 24, 4 * 24), 2, key="k11")
    friday, monday = spike(KEY, -64, 10), spike(KEY, 8, 10)
    assert merged(org, friday, monday) == ["team=t1, key_id=k11 up -64-18"]


def test_a_job_that_costs_twice_as_much_every_night_is_one_incident() -> None:
    org = company()
    org["t1", "large", "k11"][:] = 0.01
    org["t1", "small", "k11"][:] = np.where(np.arange(35 * 24) % 24 < 3, 40.0, 0.0)
    change(org, hours(24, 96), 2, key="k11")
    nights = [spike(KEY, start, 3) for start in (24, 48, 96)]
    assert merged(org, *nights) == ["team=t1, key_id=k11 up 24-99"]


def test_a_level_that_grows_well_above_what_was_told_is_told_again() -> None:
    org = company()
    change(org, hours(20, 50), 2, key="k11")
    change(org, hours(70, 60), 4, key="k11")
    assert merged(org, spike(KEY, 20, 20), spike(KEY, 100, 30)) == [
        "team=t1, key_id=k11 up 20-40",
        "team=t1, key_id=k11 up 100-130",
    ]


def test_a_total_stop_told_in_parts_is_one_incident_over_all_of_it() -> None:
    org = company()
    change(org, hours(33, 72), 0, key="k02")
    days = [spike("team=t0 key=k02", start, 12, "down") for start in (33, 57, 93)]
    assert merged(org, *days) == ["team=t0, key_id=k02 down 33-105"]
