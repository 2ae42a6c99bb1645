from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from evals.grading import CulpritGrade, Grade, grade_report, grade_scope, nothing_told
from evals.reported import Report
from evals.scenarios import Truth
from ledger.scope import Scope
from ledger.synthetic.causes import CauseName
from ledger.synthetic.inject import Injected
from ledger.window import Window

START_AT = datetime(2026, 11, 10, 6, tzinfo=UTC)


def truth(cause: CauseName = "retry_storm") -> Injected:
    return Injected(
        cause=cause,
        scope=Scope.parse(["key_id=k1"]),
        accepted={"team": ("search",), "key_id": ("k1",), "model": ("a", "b"), "feature": ("rank",)},
        identified_by=("key_id", "feature"),
        window=Window(START_AT, START_AT + timedelta(hours=6)),
        delta_usd=Decimal("100.00"),
        rows=6,
    )


def incident(**changes: object) -> dict[str, object]:
    told: dict[str, object] = {
        "start_at": "2026-11-10T07:00:00Z",
        "end_at": "2026-11-10T12:00:00Z",
        "scope": {"team": "search", "key_id": "k1"},
        "delta_usd": "110.00",
        "verdict": "confirmed",
        "cause": "retry_storm",
        "culprits": [],
        "a_field_added_later": 1,
    }
    return told | changes


def report(*incidents: dict[str, object]) -> Report:
    return Report.model_validate({"incidents": incidents})


def graded(*incidents: dict[str, object], cause: CauseName = "retry_storm") -> tuple[Grade, int]:
    case = grade_report(report(*incidents), Truth((truth(cause),), benign=False))
    return case.grades[0], case.false_incidents


@pytest.mark.parametrize(
    ("reported", "grade"),
    [
        ({"key_id": "k1"}, "right"),
        ({"team": "search", "key_id": "k1"}, "right"),
        ({"key_id": "k1", "model": "b"}, "right"),
        ({"feature": "rank"}, "right"),
        ({"team": "search"}, "part"),
        ({}, "part"),
        ({"key_id": "k1", "region": "eu"}, "part"),
        ({"key_id": "k2"}, "wrong"),
        ({"team": "support", "key_id": "k1"}, "wrong"),
    ],
)
def test_a_scope_is_right_when_it_pins_the_culprit_and_nothing_untrue(
    reported: dict[str, str], grade: CulpritGrade
) -> None:
    assert grade_scope(reported, truth()) == grade


def test_a_told_incident_is_found_with_cause_culprit_and_delta() -> None:
    grade, false_incidents = graded(incident())
    assert (grade.found, grade.cause_right, grade.culprit, grade.verdict_right) == (True, True, "right", True)
    assert grade.delta_error == pytest.approx(0.1)
    assert false_incidents == 0


def test_an_incident_at_another_time_is_false_and_finds_nothing() -> None:
    grade, false_incidents = graded(incident(start_at="2026-11-11T07:00:00Z", end_at="2026-11-11T08:00:00Z"))
    assert not grade.found
    assert false_incidents == 1


def test_an_incident_of_another_key_at_the_same_time_is_false() -> None:
    grade, false_incidents = graded(incident(scope={"key_id": "k2"}))
    assert not grade.found
    assert false_incidents == 1


def test_explaining_ordinary_variation_is_neither_found_nor_false() -> None:
    quiet = incident(verdict="benign", cause="normal_variation")
    assert graded(quiet) == (Grade(expected_cause="retry_storm", found=False), 0)
    assert grade_report(report(quiet), Truth()).false_incidents == 0


def test_one_of_several_culprits_is_graded_by_its_own_cause_and_delta() -> None:
    culprits = [
        {"scope": {"key_id": "k9"}, "cause": "volume_growth", "delta_usd": "500.00"},
        {"scope": {"key_id": "k1"}, "cause": "retry_storm", "delta_usd": "90.00"},
    ]
    grade, _ = graded(incident(scope={}, cause="volume_growth", delta_usd="590.00", culprits=culprits))
    assert (grade.cause_right, grade.culprit) == (True, "right")
    assert grade.delta_error == pytest.approx(0.1)


def test_an_incident_told_in_pieces_is_worth_their_sum() -> None:
    pieces = [
        incident(end_at="2026-11-10T08:00:00Z", delta_usd="30.00"),
        incident(start_at="2026-11-10T09:00:00Z", delta_usd="60.00"),
    ]
    grade, _ = graded(*pieces)
    assert grade.pieces == 2
    assert grade.delta_error == pytest.approx(0.1)


def test_the_incident_that_tells_a_cause_best_counts() -> None:
    wider = incident(scope={"team": "search"}, cause="volume_growth")
    assert graded(wider, incident())[0].cause_right


@pytest.mark.parametrize(
    ("cause", "benign", "verdict"),
    [
        ("retry_storm", False, "confirmed"),
        ("volume_growth", True, "benign"),
        ("backfill_or_batch", False, "confirmed"),
        ("new_workload", True, "benign"),
        ("accounting_artifact", False, "accounting_artifact"),
    ],
)
def test_one_verdict_goes_with_a_cause(cause: CauseName, benign: bool, verdict: str) -> None:
    facts = Truth((truth(cause),), benign=benign)
    for said in ("confirmed", "benign", "accounting_artifact", "inconclusive"):
        told = grade_report(report(incident(cause=cause, verdict=said)), facts).grades[0]
        assert told.verdict_right is (said == verdict)


@pytest.mark.parametrize(
    ("start_at", "right"),
    [("2026-11-10T05:00:00Z", True), ("2026-11-10T07:00:00Z", True), ("2026-11-10T08:00:00Z", False)],
)
def test_the_onset_is_right_within_an_hour(start_at: str, right: bool) -> None:
    assert graded(incident(start_at=start_at))[0].onset_right is right


def test_an_onset_told_of_the_culprit_counts_before_that_of_the_incident() -> None:
    culprit = {"scope": {"key_id": "k1"}, "cause": "retry_storm", "delta_usd": "90.00"}
    late = incident(start_at="2026-11-10T11:00:00Z", culprits=[culprit])
    known = incident(
        start_at="2026-11-10T11:00:00Z", culprits=[culprit | {"onset_at": "2026-11-10T06:00:00Z"}]
    )
    assert (graded(late)[0].onset_hours, graded(known)[0].onset_hours) == (5.0, 0.0)


def test_an_alarm_of_another_cause_inside_a_wide_culprit_is_no_verdict_on_it() -> None:
    inside = incident(scope={"team": "search"}, cause="runaway_loop")
    assert not graded(inside)[0].verdict_right
    assert graded(incident(cause="runaway_loop"))[0].verdict_right


def test_no_onset_is_graded_of_growth_nor_of_a_range_that_is_the_question() -> None:
    late = incident(start_at="2026-11-10T11:00:00Z", cause="volume_growth")
    assert graded(late, cause="volume_growth")[0].parts == (True, True, True)
    asked = Truth((truth(),), benign=False, onset=False)
    assert grade_report(report(incident(start_at="2026-11-10T11:00:00Z")), asked).strict


def test_blaming_somebody_else_beside_the_culprit_is_not_strict() -> None:
    blamed = [
        {"scope": {"key_id": "k1"}, "cause": "retry_storm", "delta_usd": "90.00"},
        {"scope": {"key_id": "k9"}, "cause": "retry_storm", "delta_usd": "20.00"},
    ]
    grade, _ = graded(incident(culprits=blamed))
    assert (grade.culprit, grade.culprits_right) == ("right", False)
    blamed[1]["delta_usd"] = "2.00"
    assert graded(incident(culprits=blamed))[0].culprits_right


def test_partial_credit_is_the_mean_of_the_parts_of_all_causes() -> None:
    other = replace(truth("key_leak"), scope=Scope.parse(["key_id=k2"]), accepted={"key_id": ("k2",)})
    case = grade_report(report(incident(cause="output_bloat")), Truth((truth(), other), benign=False))
    assert not case.strict
    assert case.partial == pytest.approx((3 / 4 + 0) / 2)


def test_a_quiet_case_is_right_when_nothing_material_is_raised() -> None:
    minor = incident(material=False)
    case = grade_report(report(minor), Truth())
    assert (case.strict, case.partial, case.false_positive, case.raised_minor) == (True, 1.0, False, 1)
    case = grade_report(report(incident()), Truth())
    assert (case.strict, case.partial, case.false_positive, case.raised) == (False, 0.0, True, 1)


def test_only_a_benign_case_can_be_a_false_positive() -> None:
    assert not grade_report(report(incident()), Truth((truth(),), benign=False)).false_positive
    assert grade_report(report(incident()), Truth((truth("new_workload"),))).false_positive


def test_what_failed_has_told_nothing_and_raised_nothing() -> None:
    for facts in (Truth(), Truth((truth(),), benign=False)):
        case = nothing_told(facts)
        assert (case.strict, case.partial, case.raised) == (False, 0.0, 0)


def test_broad_growth_is_told_by_a_scope_that_pins_nothing() -> None:
    broad = Injected(
        cause="volume_growth",
        scope=Scope(),
        accepted={},
        identified_by=(),
        window=truth().window,
        delta_usd=Decimal("10"),
        rows=1,
    )
    assert grade_scope({}, broad) == "right"
    assert grade_scope({"team": "search"}, broad) == "part"


def test_false_incidents_are_weighed_in_dollars() -> None:
    up, down = incident(delta_usd="30.00"), incident(delta_usd="-12.50")
    case = grade_report(report(up, down), Truth())
    assert (case.false_incidents, case.false_usd) == (2, Decimal("42.50"))
