"""Which incidents a person's mark or a raised threshold keeps quiet; a possible key leak never."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from ledger.window import Window, instant_text
from tokensleuth.announcing.routing import scope_of
from tokensleuth.announcing.severity import is_alerted, is_leak
from tokensleuth.casebook.marks import Mark
from tokensleuth.casebook.records import JsonObject
from tokensleuth.thresholds import Height, Threshold, keeper_of

BELOW: Final = "below a raised threshold"


def quiet_because(
    incident: JsonObject, marks: Sequence[Mark], thresholds: Sequence[Threshold]
) -> dict[str, object] | None:
    """What keeps it quiet, as the audit trail notes it; None: nothing does."""
    mark = next((mark for mark in marks if _silences(mark, incident)), None)
    if mark is not None:
        return {"because": "marked as expected", "mark": mark.as_json()}
    threshold = keeper_of(height_of_document(incident), thresholds) if is_tunable(incident) else None
    return _told(threshold) if threshold else None


def is_tunable(incident: JsonObject) -> bool:
    """Whether a threshold may keep it quiet: no leak, no error of the books, and something people see."""
    return is_alerted(incident) and not is_leak(incident) and incident["verdict"] != "accounting_artifact"


def height_of_document(incident: Mapping[str, object]) -> Height:
    """Of an incident of the contract; its `peak_score` is there where detection told it."""
    start_at, end_at = (datetime.fromisoformat(str(incident[name])) for name in ("start_at", "end_at"))
    score = incident.get("peak_score")
    return Height(
        scope=scope_of(incident),
        window=Window(start_at, end_at),
        usd=Decimal(str(incident["delta_usd"])),
        score=None if score is None else float(str(score)),
    )


def _told(threshold: Threshold) -> dict[str, object]:
    usd = threshold.min_usd
    return {
        "because": BELOW,
        "tuning_id": threshold.tuning_id,
        "min_usd": None if usd is None else str(usd),
        "min_score": threshold.min_score,
        "until_at": instant_text(threshold.window.end_at),
    }


def _silences(mark: Mark, incident: JsonObject) -> bool:
    """Who calls a scope expected has not seen the key that leaks there tomorrow."""
    seen = mark.incident_id == incident["id"]
    return seen or (mark.covers(scope_of(incident)) and not is_leak(incident))
