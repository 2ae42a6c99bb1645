"""The results as Markdown tables."""

import math
from collections.abc import Sequence

from evals.rca.case import OURS
from evals.rca.reliability import calibration_error
from evals.rca.results import SPLITS, Results
from evals.rca.running import Outcome
from evals.rca.statistics import Estimate
from evals.rca.summary import Line, summarise
from evals.rca.targets import TARGETS

COMPARED = ("scan of cost alone", "Squeeze-like", "Adtributor", "RiskLoc-like")
"""Peers shown beside our product where a table has no room for all."""


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are figures."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def targets_table(results: Results) -> str:
    rows = []
    for target in TARGETS:
        met = "yes" if target.is_met(results) else "**no**"
        side = "at least" if target.at_least else "at most"
        rows.append([target.name, number(target.figure(results), 3), f"{side} {target.bound:g}", met])
    return markdown(("figure", "measured", "target", "met"), rows)


def methods_table(results: Results) -> str:
    head = ("method", "exact (95 %)", "cause and slices", "P", "R", "F1", "$ error", "CPU s p50", "p95")
    return markdown(head, [_method_row(results.line(method)) for method in results.methods])


def kinds_table(results: Results) -> str:
    peers = _shown(results)
    head = ("kind", "cases", "exact", "cause and slices", "$ error", *(f"exact: {p}" for p in peers))
    rows = []
    for kind in results.kinds:
        mine = results.line(OURS, [kind])
        rows.append([kind, str(mine.exact.count), *_pair(mine), number(mine.dollar_error.value, 3)])
        rows[-1] += [number(results.line(peer, [kind]).exact.value) for peer in peers]
    return markdown(head, rows)


def splits_table(results: Results) -> str:
    """Our product by what cases differ in, with the peers' exact share."""
    peers = _shown(results)
    rows = []
    for name, label in SPLITS.items():
        theirs = [results.split(peer, label) for peer in peers]
        for value, line in results.split(OURS, label).items():
            figures = [number(lines[value].exact.value) if value in lines else "-" for lines in theirs]
            rows.append([f"{name}: {value}", str(line.exact.count), *_pair(line), *figures])
    return markdown(("cases", "n", "exact", "cause and slices", *(f"exact: {p}" for p in peers)), rows)


def sized_table(results: Results) -> str:
    head = ("size", "n", "exact", "cause and slices", "CPU s p50", "p95")
    rows = []
    for name, outcomes in results.sized:
        line = summarise(OURS, outcomes)
        cpu = [number(line.cpu_p50), number(line.cpu_p95)]
        rows.append([name, str(line.exact.count), *_pair(line), *cpu])
    return markdown(head, rows)


def sweep_table(results: Results) -> str:
    head = ("tokens for one", "keys", "cases", "named", "named on the right rows")
    rows = [
        [
            f"{c.ratio:g}",
            str(c.switchers),
            str(c.told.count),
            spread(c.told),
            spread(c.right) if c.ratio > 1 else "-",
        ]
        for c in results.sweep
    ]
    return markdown(head, rows)


def reliability_table(results: Results) -> str:
    bins = results.reliability
    rows = [
        [f"{b.low:g} to {min(b.high, 1):g}", str(b.count), number(b.stated, 3), number(b.right, 3)]
        for b in bins
    ]
    rows.append(
        ["all, mean distance", str(sum(b.count for b in bins)), "", number(calibration_error(bins), 3)]
    )
    return markdown(("stated", "culprits", "mean stated", "right"), rows)


def mistakes_table(results: Results) -> str:
    """What was said of causes that were missed or misnamed, most frequent first."""
    counted: dict[tuple[str, str], int] = {}
    for outcome in results.ours:
        for match in outcome.grade.matches:
            if not match.is_named:
                said = (
                    "slice right, named " + str(match.culprit.cause) if match.culprit else _instead(outcome)
                )
                key = (str(match.truth.causes[0]), said)
                counted[key] = counted.get(key, 0) + 1
        if not outcome.grade.matches and outcome.grade.extra:
            key = (outcome.traits.kind, "blamed " + str(outcome.grade.extra[0].cause))
            counted[key] = counted.get(key, 0) + 1
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return markdown(("truth", "instead", "times"), [[*key, str(count)] for key, count in ordered])


def number(value: float, digits: int = 2) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def spread(estimate: Estimate) -> str:
    return f"{number(estimate.value)} ({number(estimate.low)} to {number(estimate.high)})"


def _instead(outcome: Outcome) -> str:
    extra = outcome.grade.extra
    return "other slices, named " + ", ".join(sorted({str(c.cause) for c in extra})) if extra else "nothing"


def _shown(results: Results) -> list[str]:
    return [method for method in COMPARED if method in results.methods]


def _pair(line: Line) -> list[str]:
    return [spread(line.exact), spread(line.named)]


def _method_row(line: Line) -> list[str]:
    is_ours = line.method == OURS
    return [
        f"**{line.method}**" if is_ours else line.method,
        spread(line.exact),
        spread(line.named) if is_ours else "-",
        number(line.precision),
        number(line.recall),
        number(line.f1),
        number(line.dollar_error.value, 3) if is_ours else "-",
        number(line.cpu_p50, 3),
        number(line.cpu_p95, 3),
    ]
