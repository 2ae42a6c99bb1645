"""The figures of a chaos run: a table for people, and JSON for evals/RESULTS.md."""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from evals.chaos.points import POINTS, RANDOM
from evals.chaos.running import Ran
from evals.results import RESULTS

OUT = RESULTS.parent / "out" / "chaos.json"


def document(ran: Ran) -> dict[str, object]:
    found = ran.findings
    return {
        "seed": ran.seed,
        "kills": sum(ran.landed.values()),
        "kills_at_named_points": sum(n for point, n in ran.landed.items() if point != RANDOM),
        "points": len(POINTS),
        "points_hit": sum(1 for point in POINTS if ran.landed[point]),
        "landed": {point: ran.landed[point] for point in (*POINTS, RANDOM)},
        "trials": ran.trials,
        "failed_calls_outside": ran.faults,
        "clicks_sent": ran.clicks_sent,
        "clicks_acknowledged": ran.clicks_acknowledged,
        "decisions": found.decisions,
        "effects": found.effects,
        "slack_messages": found.messages,
        "lost": len(found.lost),
        "doubled_effects": len(found.doubled),
        "duplicate_messages": len(found.duplicates),
        "other_faults": len(found.others),
        "repeated_identical_writes": found.repeated_writes,
        "whispers_given_up": found.whispers_given_up,
        "told_not_done": dict(found.loud),
        "restart_s_median": round(median(ran.restarts_s), 3) if ran.restarts_s else None,
        "seconds": round(ran.seconds, 1),
    }


def save(ran: Ran, path: Path = OUT) -> None:
    """Under the name of the database; figures of the other one stay."""
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(kept | {ran.database: document(ran)}, indent=1) + "\n", "utf-8")


def table(ran: Ran) -> Iterator[str]:
    for point in (*POINTS, RANDOM):
        yield f"{point:28} {ran.landed[point]:4}"
    for name, value in document(ran).items():
        if not isinstance(value, dict):
            yield f"{name:28} {value}"
    for told, number in ran.findings.loud.items():
        yield f"told {number} times: {told}"
    yield from (f"FAULT {told}" for told in ran.findings.violations[:20])
