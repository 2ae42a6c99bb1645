"""The comparison as Markdown tables."""

import math
from collections.abc import Mapping, Sequence

from evals.detection.ablation_rows import AblationRow, Loss
from evals.detection.count import Count
from evals.detection.meeting import GRACE_HOURS
from evals.detection.ours import NAME
from evals.detection.peers.registry import grace_hours
from evals.detection.summary import Line
from evals.detection.targets import Target

_MAIN = (
    "method",
    "P",
    "R",
    "F1 (95 %)",
    "FA",
    "R@.1",
    "R@.25",
    "delay h",
    "AP",
    "VUS-PR",
    "$ missed",
    "ms",
    "alarm share",
)


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are figures."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main_table(lines: Sequence[Line]) -> str:
    """Our detector first, then the peers by F1."""
    ordered = sorted(lines, key=lambda line: (line.method != NAME, line.method != NAME and -line.count.f1))
    return markdown(_MAIN, [_main_row(line) for line in ordered])


def kinds_table(columns: Mapping[str, Line]) -> str:
    """Events, recall and delay of each kind; the lines are those of our detector."""
    kinds = sorted({kind for line in columns.values() for kind in line.count.by_kind})
    head = ["kind", *(f"{name}: {what}" for name in columns for what in ("events", "recall", "delay h"))]
    return markdown(head, [[kind, *_kind_cells(kind, columns)] for kind in kinds])


def families_table(columns: Mapping[str, Line]) -> str:
    """Precision, recall, F1 and false alarms of each family."""
    families = sorted({family for line in columns.values() for family in line.count.by_family})
    head = ["family", *(f"{name}: {what}" for name in columns for what in ("P", "R", "F1", "FA"))]
    return markdown(head, [[family, *_family_cells(family, columns)] for family in families])


def targets_table(targets: Sequence[Target], columns: Mapping[str, Line]) -> str:
    """Each figure with whether it meets its bound."""
    rows = [
        [
            target.name,
            f"{target.comparison} {target.bound:g}",
            *(f"{number(target.figure(line))} {_met(target, line)}" for line in columns.values()),
        ]
        for target in targets
    ]
    return markdown(["figure", "target", *columns], rows)


def ablation_table(rows: Sequence[AblationRow]) -> str:
    """The whole first; a loss whose interval leaves 0 out is bold."""
    head = (
        "without",
        "F1",
        "lost",
        "FA",
        "delay h",
        "own F1",
        "lost",
        "R@.25",
        "AP",
        "lost",
        "VUS-PR",
        "lost",
    )
    return markdown(head, [_ablation_cells(row) for row in rows])


def number(value: float, digits: int = 2) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _main_row(line: Line) -> list[str]:
    counted, ranked = line.count, line.ranked
    late = "*" if grace_hours(line.method) != GRACE_HOURS else ""
    name = f"**{line.method}**, {line.way}" if line.method == NAME else line.method + late
    return [
        name,
        number(counted.precision),
        number(counted.recall),
        f"{number(counted.f1)} ({number(line.f1.low)} to {number(line.f1.high)})",
        number(counted.false_per_series_week),
        number(ranked.recall_at_tenth),
        number(ranked.recall_at_quarter),
        number(counted.median_delay, 1),
        number(ranked.average_precision),
        number(ranked.vus_pr),
        number(100 * line.missed_share, 0) + " %",
        number(line.cpu_ms, 0) if line.cpu_ms >= 10 else number(line.cpu_ms, 1),
        number(100 * counted.alarm_share, 0) + " %",
    ]


def _kind_cells(kind: str, columns: Mapping[str, Line]) -> list[str]:
    cells = []
    for line in columns.values():
        part = line.count.by_kind.get(kind)
        cells += _kind_figures(part) if part else ["0", "-", "-"]
    return cells


def _kind_figures(part: Count) -> list[str]:
    return [str(part.hits + part.misses), number(part.recall), number(part.median_delay, 1)]


def _family_cells(family: str, columns: Mapping[str, Line]) -> list[str]:
    cells = []
    for line in columns.values():
        part = line.count.by_family.get(family)
        figures = (part.precision, part.recall, part.f1, part.false_per_series_week) if part else ()
        cells += [number(figure) for figure in figures] or ["-"] * 4
    return cells


def _met(target: Target, line: Line) -> str:
    return "yes" if target.is_met(line) else "**no**"


def _ablation_cells(row: AblationRow) -> list[str]:
    told, scored = row.told, row.scored
    whole = row.name == NAME
    return [
        "nothing" if whole else row.name,
        number(told.count.f1, 3),
        "" if whole else _loss(row.told_f1),
        number(told.count.false_per_series_week, 3),
        number(told.count.median_delay, 1),
        number(scored.count.f1, 3),
        "" if whole else _loss(row.own_f1),
        number(scored.ranked.recall_at_quarter, 3),
        number(scored.ranked.average_precision, 3),
        "" if whole else _loss(row.average_precision),
        number(scored.ranked.vus_pr, 3),
        "" if whole else _loss(row.vus_pr),
    ]


def _loss(loss: Loss) -> str:
    shown = f"**{loss.value:+.3f}**" if loss.is_sure else f"{loss.value:+.3f}"
    return f"{shown} ({loss.interval.low:+.3f} to {loss.interval.high:+.3f})"
