"""What is made of the reports of other people's validators."""

from pathlib import Path

import pytest

from evals.focus_validators import main, validator_verdict, verdict_of
from evals.unavailable import Unavailable

HEAD = '<testsuites name="FOCUS Validations" tests="578" failures="3" errors="0" skipped="210">'


def failure(rule: str, message: str) -> str:
    fault = f'<failure name="{rule}" message="{message}">F</failure>'
    return f'<testcase name="{rule} :: x" time="0">{fault}</testcase>'


def test_faults_of_the_rules_are_told_apart_from_those_of_the_file() -> None:
    report = HEAD + "".join(
        [
            failure("InvoiceId-C-005-C", "Nullability check for InvoiceId"),
            failure("CostAndUsage-D-002-M", "Composite check for CostAndUsage"),
            failure("BilledCost-C-003-M", "Nullability check for BilledCost"),
        ]
    )
    verdict = verdict_of(report)
    assert verdict.failures == ["BilledCost-C-003-M: Nullability check for BilledCost"]
    assert verdict.known == ["CostAndUsage-D-002-M", "InvoiceId-C-005-C"]
    assert (verdict.passed, verdict.skipped) == (365, 210)


def test_a_validator_that_is_not_there_is_said_to_be_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Unavailable, match="no focus-validator in"):
        validator_verdict(tmp_path / "bill.csv", tmp_path)
    assert main([str(tmp_path / "bill.csv"), "--version", "1.2", "--validator", str(tmp_path)]) == 3
    assert "not run: no focus-validator" in capsys.readouterr().out
