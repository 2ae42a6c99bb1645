from decimal import Decimal

import pytest

from evals.eval_report import case_lines, markdown_report
from evals.grading import CaseGrade, Grade
from evals.harm import Harm
from evals.outcome import Effort, Outcome
from evals.scores import by_cause, findings, score

RIGHT = Grade(
    "retry_storm", found=True, reported_cause="retry_storm", culprit="right", verdict_right=True,
    onset_hours=0.0, delta_error=0.1, pieces=1,
)  # fmt: skip
MISSED = Grade("key_leak", found=False)
HARM = Harm("inc_1", "revoke_key", {"key_id": "k1"}, reversible=False, material=False, why="acts on nobody")


def outcomes() -> list[Outcome]:
    return [
        Outcome(
            "case-01", "a", "incident", ("retry_storm",), False, CaseGrade((RIGHT,)), incidents=2,
            shown_claims=("inc_1: $1",), effort=Effort((0.1, 0.3), 4, 900, Decimal("0.02"), 1),
        ),
        Outcome(
            "case-02", "a", "incident", ("retry_storm", "key_leak"), True, CaseGrade((RIGHT, MISSED)),
            incidents=2, dropped_claims=3, effort=Effort((0.5,), 2, 100, Decimal("0.01")),
        ),
        Outcome("case-03", "a", "benign", ("normal_variation",), True, CaseGrade((), benign=True, raised=1)),
        Outcome(
            "case-04", "a", "benign", ("normal_variation",), True,
            CaseGrade((), benign=True, raised_minor=2), harmful=(HARM,),
        ),
        Outcome("case-04", "b", "benign", ("normal_variation",), True, CaseGrade(()), failure="boom"),
    ]  # fmt: skip


def test_a_score_takes_rates_of_the_cases_of_one_analyst() -> None:
    mine = score("a", outcomes())
    assert (mine.cases, mine.strict, mine.verdict) == (4, 0.5, 0.5)
    assert mine.partial == pytest.approx((1 + 0.5 + 0 + 1) / 4)
    assert (mine.benign_cases, mine.false_positives, mine.minor_alarms) == (2, 0.5, 2)
    assert (mine.dropped_claims, mine.shown_claims) == (3, 1)
    assert (mine.harmful, mine.harmful_material, mine.irreversible) == (1, 0, 1)


def test_effort_is_by_incident_and_in_total() -> None:
    mine = score("a", outcomes())
    assert (mine.llm_calls, mine.tokens, mine.usd, mine.seconds) == (1.5, 1000, 0.03, 0.3)
    assert (mine.degraded, mine.failures) == (1, 0)
    assert score("b", outcomes()).failures == 1


def test_nothing_run_has_no_rates() -> None:
    nobody = score("c", outcomes())
    assert (nobody.cases, nobody.strict, nobody.false_positives, nobody.seconds) == (0, None, None, None)


def test_findings_are_of_causes() -> None:
    told = findings(outcomes()[:2])
    assert (told.causes, told.delta_error) == (3, 0.1)
    assert told.found == pytest.approx(2 / 3)


def test_a_cause_is_strict_by_its_own_parts() -> None:
    counted = {one.cause: (one.strict, one.told) for one in by_cause(outcomes()[:4])}
    assert counted == {"key_leak": (0, 1), "normal_variation": (1, 2), "retry_storm": (2, 2)}


def test_the_report_has_a_row_per_analyst_and_both_parts() -> None:
    report = markdown_report(outcomes(), ["a", "b"])
    assert report.count("\n| a ") == report.count("\n| b ") == 3
    assert "Held out" in report
    assert "retry_storm" in report


def test_the_lines_of_a_case_say_what_was_wrong() -> None:
    lines = "\n".join("\n".join(case_lines(outcome)) for outcome in outcomes())
    assert "key_leak -> missed" in lines
    assert "harmful: revoke_key" in lines
    assert "FAILED" in lines
