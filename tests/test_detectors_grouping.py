"""Which spike is evidence for which, by where the excess lies."""

from tests.company_builder import change, company, hours, merged, spike


def test_the_spike_of_a_team_is_evidence_for_its_key_that_rose() -> None:
    org = company()
    change(org, hours(40, 6), 8, key="k11")
    pieces = [spike("team=t1", 40, 8), spike("team=t1 key=k11", 40, 6), spike("key=k11", 40, 6)]
    assert merged(org, *pieces) == ["team=t1, key_id=k11 up 40-46"]


def test_a_team_whose_key_tells_most_of_its_rise_would_not_have_fired_without_it() -> None:
    org = company(keys=6)
    change(org, hours(40, 12), 3, key="k14")
    change(org, hours(40, 12), 1.25, team="t1")
    pieces = [spike("team=t1", 40, 12, fire_scores=1.5), spike("team=t1 key=k14", 40, 12)]
    assert merged(org, *pieces) == ["team=t1, key_id=k14 up 40-52"]


def test_a_team_that_would_have_fired_without_its_key_has_an_incident_of_its_own() -> None:
    org = company(keys=6)
    change(org, hours(40, 12), 6, key="k14")
    for key in ("k10", "k11", "k12", "k13", "k15"):
        change(org, hours(30, 32), 1.8, key=key)
    pieces = [spike("team=t1", 30, 32, fire_scores=9), spike("team=t1 key=k14", 40, 12)]
    assert merged(org, *pieces) == ["team=t1 up 30-62", "team=t1, key_id=k14 up 40-52"]


def test_a_new_key_is_named_by_the_spike_of_its_team() -> None:
    org = company()
    org["t2", "large", "k2-new"] = org["t2", "large", "k20"] * 0
    org["t2", "large", "k2-new"][hours(40, 20)] = 150
    assert merged(org, spike("team=t2", 40, 20)) == ["team=t2, key_id=k2-new up 40-60"]


def test_a_fall_is_no_evidence_for_a_rise() -> None:
    org = company()
    change(org, hours(40, 6), 8, key="k11")
    change(org, hours(43, 6), 0, team="t2")
    pieces = [spike("team=t1 key=k11", 40, 6), spike("team=t2", 43, 6, "down")]
    assert merged(org, *pieces) == ["team=t1, key_id=k11 up 40-46", "team=t2 down 43-49"]
