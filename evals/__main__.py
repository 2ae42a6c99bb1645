"""`python -m evals`: every scenario through ingest and investigate, graded; RESULTS.md and out/eval.json."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from evals.analysts import ANALYSTS, default_analysts
from evals.eval_report import case_lines, markdown_report
from evals.outcome import Outcome
from evals.results import RESULTS, write_part
from evals.running import run_cases
from evals.scenarios import SCENARIOS
from evals.scores import by_cause, findings, score

OUT = RESULTS.parent / "out"
COMMAND = "python -m evals"


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    cases = chosen_cases(options)
    with tempfile.TemporaryDirectory() as scratch:
        running = run_cases(cases, options.analysts, options.keep or Path(scratch), jobs=options.jobs)
        outcomes = _watched(running, len(cases), verbose=options.verbose)
    report = markdown_report(outcomes, options.analysts)
    print(report)
    write_json(outcomes, options.analysts)
    full = len(cases) == len(SCENARIOS) and set(options.analysts) >= set(default_analysts())
    if options.write and full:
        write_part(RESULTS, "eval", COMMAND, report)
    return 1 if any(outcome.failure for outcome in outcomes) else 0


def chosen_cases(options: argparse.Namespace) -> list[str]:
    """Names of the scenarios asked for, in their order."""
    chosen = [s.name for s in SCENARIOS if s.held_out or not options.held_out]
    if options.cases:
        chosen = [name for name in chosen if name in options.cases]
    return chosen[: options.limit]


def parser() -> argparse.ArgumentParser:
    names = [scenario.name for scenario in SCENARIOS]
    analysts = [analyst.name for analyst in ANALYSTS]
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--limit", type=int, help="run only the first N scenarios")
    parser.add_argument("--cases", nargs="+", choices=names, metavar="CASE", help="such as case-07")
    parser.add_argument("--held-out", action="store_true", help="only seeds nobody tuned on")
    parser.add_argument(
        "--analysts", nargs="+", choices=analysts, default=default_analysts(), metavar="ANALYST"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--keep", type=Path, help="keep files, stores and reports in this folder")
    parser.add_argument("--verbose", action="store_true", help="print what was made of each case")
    parser.add_argument(
        "--write",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="write the part of RESULTS.md, which takes a full run",
    )
    return parser


def write_json(outcomes: Sequence[Outcome], analysts: Sequence[str]) -> None:
    OUT.mkdir(exist_ok=True)
    held_out = [outcome for outcome in outcomes if outcome.held_out]
    document = {
        "analysts": [asdict(score(name, outcomes)) for name in analysts],
        "held_out": [asdict(score(name, held_out)) for name in analysts],
        "findings": {name: asdict(findings(_of(outcomes, name))) for name in analysts},
        "causes": {name: [asdict(one) for one in by_cause(_of(outcomes, name))] for name in analysts},
        "cases": [asdict(outcome) | _marks(outcome) for outcome in outcomes],
    }
    (OUT / "eval.json").write_text(json.dumps(document, indent=2, default=str) + "\n", encoding="utf-8")


def _marks(outcome: Outcome) -> dict[str, object]:
    grade = outcome.grade
    return {
        "strict": grade.strict,
        "partial": grade.partial,
        "verdict_right": grade.verdict_right,
        "false_positive": grade.false_positive,
    }


def _of(outcomes: Sequence[Outcome], analyst: str) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.analyst == analyst]


def _watched(running: Iterable[list[Outcome]], total: int, *, verbose: bool) -> list[Outcome]:
    """All outcomes by case; how far it got is told on stderr."""
    outcomes: list[Outcome] = []
    for done, of_case in enumerate(running, start=1):
        print(f"{done}/{total} {of_case[0].case}", file=sys.stderr, flush=True)
        outcomes += of_case
    outcomes.sort(key=lambda outcome: outcome.case)
    for outcome in outcomes:
        if verbose or outcome.failure:
            print("\n".join(case_lines(outcome)))
    return outcomes


if __name__ == "__main__":
    raise SystemExit(main())
