from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from evals.grading import CaseGrade, CulpritGrade, Grade, Report, grade_report, grade_scope, summarise
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


def graded(*incidents: dict[str, object], cause: CauseName = "retry_storm") -> tuple[Grade, int]:
    case = grade_report(Report.model_validate({"incidents": incidents}), [truth(cause)])
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
    assert grade_report(Report.model_validate({"incidents": [quiet]}), []).false_incidents == 0


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
    ("cause", "verdict", "right"),
    [
        ("retry_storm", "confirmed", True),
        ("volume_growth", "benign", True),
        ("backfill_or_batch", "confirmed", True),
        ("accounting_artifact", "accounting_artifact", True),
        ("accounting_artifact", "confirmed", False),
    ],
)
def test_verdicts_go_with_causes(cause: CauseName, verdict: str, right: bool) -> None:
    grade, _ = graded(incident(cause=cause, verdict=verdict), cause=cause)
    assert grade.verdict_right is right


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


def test_a_summary_gives_rates_of_the_injected_causes() -> None:
    right, missed = graded(incident())[0], Grade(expected_cause="key_leak", found=False)
    summary = summarise([CaseGrade((right, missed), 1), CaseGrade((), 2)])
    assert (summary.causes, summary.found, summary.exact, summary.false_incidents) == (2, 0.5, 0.5, 3)
    assert summary.median_delta_error == pytest.approx(0.1)


def test_nothing_injected_and_nothing_raised_is_a_full_score() -> None:
    summary = summarise([CaseGrade((), 0)])
    assert (summary.causes, summary.found, summary.false_incidents) == (0, 1.0, 0)
    assert summary.median_delta_error is None


def test_false_incidents_are_weighed_in_dollars() -> None:
    up, down = incident(delta_usd="30.00"), incident(delta_usd="-12.50")
    case = grade_report(Report.model_validate({"incidents": [up, down]}), [])
    assert (case.false_incidents, case.false_usd) == (2, Decimal("42.50"))
