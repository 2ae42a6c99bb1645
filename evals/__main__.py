"""`python -m evals`: every scenario through ingest and investigate, graded; a table and out/eval.json."""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from evals.grading import CaseGrade, Grade, Report, Summary, grade_report, summarise
from evals.runs import Stores, run_product
from evals.scenarios import SCENARIOS, Scenario
from ledger.synthetic.files import write_usage
from ledger.window import Window, instant_text

OUT = Path(__file__).parent / "out"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One scenario run end to end; `failure` says why there is nothing to grade."""

    name: str
    grade: CaseGrade
    seconds: float
    failure: str | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m evals", description=__doc__)
    parser.add_argument("--limit", type=int, default=len(SCENARIOS), help="run only the first N scenarios")
    parser.add_argument(
        "--keep", type=Path, help="keep the files and stores of every scenario in this folder"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        results = [run_scenario(scenario, folder / scenario.name) for scenario in SCENARIOS[: options.limit]]
    summary = summarise([result.grade for result in results])
    print_summary(summary)
    write_json(results, summary)
    return 1 if any(result.failure for result in results) else 0


def run_scenario(scenario: Scenario, folder: Path) -> CaseResult:
    """Write the files, load and investigate them with the product, grade the answer and print its line."""
    organisation = scenario.organisation()
    stores = Stores.fresh(folder)
    files = write_usage(organisation.rows, folder, file_format="parquet", split_by="week")
    ingest = run_product("ingest", *map(str, files), stores=stores)
    mode = ["--explain"] if scenario.explain else []
    answer = run_product("investigate", range_text(scenario.asked), *mode, stores=stores)
    seconds = ingest.seconds + answer.seconds
    try:
        report = Report.model_validate(answer.document())
    except (RuntimeError, ValueError) as error:
        missed = tuple(Grade(expected_cause=truth.cause, found=False) for truth in organisation.injected)
        result = CaseResult(scenario.name, CaseGrade(missed, 0), seconds, failure=str(error))
    else:
        (folder / "report.json").write_text(answer.stdout, encoding="utf-8")
        result = CaseResult(scenario.name, grade_report(report, organisation.injected), seconds)
    print_case(result)
    return result


def range_text(window: Window) -> str:
    return f"{instant_text(window.start_at)}..{instant_text(window.end_at)}"


def print_case(result: CaseResult) -> None:
    begin = f"{result.name}  {result.seconds:5.1f} s  "
    if result.failure:
        print(f"{begin}FAILED  {result.failure}")
    for grade in result.grade.grades:
        told = grade.reported_cause or "missed"
        error = "-" if grade.delta_error is None else f"{grade.delta_error:.1%}"
        verdict = "right" if grade.verdict_right else "wrong"
        print(
            f"{begin}{grade.expected_cause:20} -> {told:20} culprit {grade.culprit:6} "
            f"verdict {verdict}  delta error {error}  pieces {grade.pieces}"
        )
    if not result.grade.grades or result.grade.false_incidents:
        print(f"{begin}false incidents: {result.grade.false_incidents} (${result.grade.false_usd})")


def print_summary(summary: Summary) -> None:
    error = "-" if summary.median_delta_error is None else f"{summary.median_delta_error:.1%}"
    print(
        f"\n{summary.causes} causes: found {summary.found:.0%}, cause right {summary.cause_right:.0%}, "
        f"culprit right {summary.culprit_right:.0%}, both {summary.exact:.0%}, "
        f"verdict right {summary.verdict_right:.0%}, median delta error {error}; "
        f"{summary.false_incidents} false incidents (${summary.false_usd:,.0f})"
    )


def write_json(results: Sequence[CaseResult], summary: Summary) -> None:
    OUT.mkdir(exist_ok=True)
    document = {"summary": summary._asdict(), "cases": [asdict(result) for result in results]}
    (OUT / "eval.json").write_text(json.dumps(document, indent=2, default=str) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
