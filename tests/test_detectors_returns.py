"""The end of something new is not news; the fall of what was there before is."""

import numpy as np

from detectors.statistics import FloatArray
from tests.company_builder import HOURS, Company, change, company, hours, merged, spike

KEY = "team=t2 key=k2-new"


def pilot(length: int) -> tuple[Company, dict[str, FloatArray]]:
    """A new key that spends from hour 20 on, and that it is expected to go on after its end."""
    org = company()
    spend = np.zeros(HOURS)
    spend[hours(20, length)] = 80
    org["t2", "large", "k2-new"] = spend
    learnt = np.zeros(168)
    learnt[20 + length :] = 80
    return org, {KEY: learnt}


def test_the_end_of_a_new_workload_belongs_to_it() -> None:
    org, learnt = pilot(90)
    pieces = [spike(KEY, 20, 88), spike(KEY, 112, 40, "down")]
    assert merged(org, *pieces, expected=learnt) == ["team=t2, key_id=k2-new up 20-108"]


def test_the_stop_of_a_key_after_a_rise_is_an_incident_of_its_own() -> None:
    org = company()
    change(org, hours(20, 10), 4, key="k11")
    change(org, hours(32, 20), 0, key="k11")
    pieces = [spike("team=t1 key=k11", 20, 10), spike("team=t1 key=k11", 32, 20, "down")]
    assert [told.split()[2] for told in merged(org, *pieces)] == ["up", "down"]


def test_a_rise_after_a_stop_is_no_return() -> None:
    org = company()
    change(org, hours(20, 12), 0, key="k11")
    change(org, hours(60, 20), 1.4, key="k11")
    usual = sum(values[hours(0, 168)] for leaf, values in org.items() if "k11" in leaf)
    low = {"team=t1 key=k11": np.full(168, 0.2 * float(np.mean(usual)))}
    pieces = [spike("team=t1 key=k11", 20, 12, "down"), spike("team=t1 key=k11", 60, 20)]
    assert len(merged(org, *pieces, expected=low)) == 2
