"""The results as JSON: evals/out/rca.json."""

import math
from dataclasses import asdict

from evals.rca.results import SPLITS, Results
from evals.rca.running import Outcome
from evals.rca.summary import Line, summarise
from evals.rca.targets import TARGETS


def json_report(results: Results) -> dict[str, object]:
    return {
        "targets": [_target_json(results, position) for position in range(len(TARGETS))],
        "methods": [_line_json(results.line(method)) for method in results.methods],
        "by_kind": {
            method: {kind: _line_json(results.line(method, [kind])) for kind in results.kinds}
            for method in results.methods
        },
        "splits": {
            name: {
                method: {value: _line_json(line) for value, line in results.split(method, label).items()}
                for method in results.methods
            }
            for name, label in SPLITS.items()
        },
        "sizes": {name: _line_json(summarise(name, outcomes)) for name, outcomes in results.sized},
        "sweep": [_clean(asdict(cell)) for cell in results.sweep],
        "reliability": [asdict(one) for one in results.reliability],
        "wrong": [_case_json(outcome) for outcome in results.ours if not outcome.grade.is_named],
    }


def _target_json(results: Results, position: int) -> dict[str, object]:
    target = TARGETS[position]
    value = target.figure(results)
    return {"name": target.name, "bound": target.bound, "value": _known(value), "met": target.is_met(results)}


def _line_json(line: Line) -> dict[str, object]:
    return {**_clean(asdict(line)), "f1": line.f1}


def _case_json(outcome: Outcome) -> dict[str, object]:
    return {"case": outcome.case, **asdict(outcome.traits), "listing": outcome.listing.splitlines()}


def _clean(values: dict[str, object]) -> dict[str, object]:
    """JSON has no NaN."""
    return {
        key: _clean(value)
        if isinstance(value, dict)
        else _known(value)
        if isinstance(value, float)
        else value
        for key, value in values.items()
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
