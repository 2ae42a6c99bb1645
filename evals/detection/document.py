"""The comparison as JSON: evals/out/detection.json."""

from dataclasses import asdict

from evals.detection.ablation_rows import AblationRow
from evals.detection.comparison import Comparison
from evals.detection.count import Count
from evals.detection.servegen_week import SIZES_USD, RealWeek
from evals.detection.summary import Line


def json_report(found: Comparison, week: RealWeek | None) -> dict[str, object]:
    return {
        "lines": [_line_json(line) for line in found.lines],
        "ablation": {trial: [_ablation_json(row) for row in rows] for trial, rows in found.ablation.items()},
        "left_out": [one._asdict() for one in found.left_out],
        "real_week": _week_json(week) if week else None,
    }


def _week_json(week: RealWeek) -> dict[str, object]:
    return {
        "series_scored": week.series,
        "incidents_over_usd": {str(usd): week.count_over(usd) for usd in SIZES_USD},
    }


def _ablation_json(row: AblationRow) -> dict[str, object]:
    return {
        "without": row.name,
        "told": _line_json(row.told),
        "scored": _line_json(row.scored),
        "lost": {
            "told_f1": asdict(row.told_f1),
            "own_f1": asdict(row.own_f1),
            "average_precision": asdict(row.average_precision),
            "vus_pr": asdict(row.vus_pr),
        },
    }


def _line_json(line: Line) -> dict[str, object]:
    ranked = line.ranked
    return {
        "method": line.method,
        "trial": line.trial,
        "way": line.way,
        **_count_json(line.count),
        "f1_interval": list(line.f1),
        "missed_share": line.missed_share,
        "alarms_of_several_series": line.of_several,
        "cpu_ms_per_series": line.cpu_ms,
        "recall_at_tenth": ranked.recall_at_tenth,
        "recall_at_quarter": ranked.recall_at_quarter,
        "average_precision": ranked.average_precision,
        "vus_pr": ranked.vus_pr,
        "curve": [[p.threshold, p.count.false_per_series_week, p.count.recall] for p in ranked.curve],
        "by_kind": {kind: _count_json(part) for kind, part in line.count.by_kind.items()},
        "by_family": {family: _count_json(part) for family, part in line.count.by_family.items()},
    }


def _count_json(count: Count) -> dict[str, object]:
    return {
        "precision": count.precision,
        "recall": count.recall,
        "f1": count.f1,
        "false_per_series_week": count.false_per_series_week,
        "median_delay_hours": count.median_delay,
        "alarm_share": count.alarm_share,
        "true_alarms": count.true_alarms,
        "false_alarms": count.false_alarms,
        "hits": count.hits,
        "misses": count.misses,
        "missed_usd": count.missed_usd,
    }
