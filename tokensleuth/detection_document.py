"""What detection found as the objects of the JSON contract."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from detectors.accepted import Baseline
from detectors.detection import Detection
from detectors.incidents import Incident, SeriesKey, Spike
from detectors.reasons import why
from ledger.money import usd_text
from ledger.window import HOUR, Window, instant_text
from tokensleuth.detection import RangeDetection
from tokensleuth.materiality import is_material
from tokensleuth.thresholds import Suppressed


def detection_document(
    found: RangeDetection, *, least_usd: Decimal, seconds: float, with_scores: bool
) -> dict[str, object]:
    """The `detect --json` document; incidents of at least `least_usd` are material."""
    detection = found.detection
    beside = found.unpriced.detection
    document: dict[str, object] = {
        "range": found.window.as_json(),
        "series_scored": sum(d.series_scored for d in (detection, beside) if d),
        "series_not_scored": sum(len(d.unscored) for d in (detection, beside) if d),
        "seconds": round(seconds, 3),
        "unpriced_tokens": found.unpriced.tokens,
        "unpriced_models": list(found.unpriced.models),
        "spikes": [spike_json(spike) for spike in found.spikes],
        "material_usd": str(least_usd),
        "incidents": incidents_json(found.opened, least_usd),
        "suppressed": suppressed_json(found.suppressed),
        "baselines": [
            *(baseline_json(baseline, acts=True) for baseline in found.baselines),
            *(baseline_json(baseline, acts=False) for baseline in found.baselines_to_come),
        ],
    }
    scores = [scored for d in (detection, beside) if d for scored in _scores(d, found.window)]
    return document | ({"scores": scores} if with_scores else {})


def spike_json(spike: Spike) -> dict[str, object]:
    """A spike of the contract; one in tokens has no dollars."""
    money = spike.series.metric == "cost_usd"
    return {
        "series": _series(spike.series),
        **spike.window.as_json(),
        "direction": spike.direction,
        "score": round(spike.score, 3),
        "expected_usd": usd_text(spike.expected) if money else None,
        "actual_usd": usd_text(spike.actual) if money else None,
        "excess_usd": _excess(spike.actual, spike.expected) if money else None,
        "expected_tokens": None if money else round(spike.expected),
        "actual_tokens": None if money else round(spike.actual),
        "detected_at": instant_text(spike.detected_at),
        "terms": {name: round(value, 3) for name, value in spike.terms.items()},
        "why": why(spike),
    }


def incidents_json(incidents: Sequence[Incident], least_usd: Decimal) -> list[dict[str, object]]:
    """Incidents of the contract, each with whether it is material."""
    return [
        {**item, "material": is_material(item["excess_usd"], least_usd)}
        for item in map(incident_json, incidents)
    ]


def suppressed_json(quiet: Sequence[Suppressed]) -> dict[str, object]:
    """Incidents that do not open because somebody raised a threshold: how many, worth what, and each."""
    items = [incident_json(each.incident) | {"tuning_id": each.threshold.tuning_id} for each in quiet]
    worth = sum((abs(Decimal(str(item["excess_usd"]))) for item in items), Decimal("0.00"))
    return {"count": len(items), "worth_usd": str(worth), "incidents": items}


def baseline_json(baseline: Baseline, *, acts: bool) -> dict[str, object]:
    """An accepted level that touches the range; those that do not act yet begin in it."""
    return {
        "scope": baseline.scope.as_dict(),
        "from_at": instant_text(baseline.from_at),
        "acts_from": instant_text(baseline.acts_from),
        "acts": acts,
    }


def incident_json(incident: Incident) -> dict[str, object]:
    """An incident of the contract; its spikes are positions in the list of spikes."""
    return {
        "id": incident.id,
        **incident.window.as_json(),
        "scope": incident.scope.as_dict(),
        "direction": incident.direction,
        "expected_usd": usd_text(incident.expected_usd),
        "actual_usd": usd_text(incident.actual_usd),
        "excess_usd": _excess(incident.actual_usd, incident.expected_usd),
        "spikes": list(incident.spikes),
    }


def _series(series: SeriesKey) -> dict[str, object]:
    return {"metric": series.metric, "scope": series.scope.as_dict()}


def _scores(detection: Detection, window: Window) -> list[dict[str, object]]:
    scores = detection.scores
    first = int((window.start_at - scores.window.start_at) / HOUR)
    return [
        {
            "series": _series(series),
            "start_at": instant_text(window.start_at),
            "values": [None if np.isnan(v) else round(float(v), 3) for v in values[first:]],
        }
        for series, values in zip(scores.series, scores.values, strict=True)
    ]


def _excess(actual: float, expected: float) -> str:
    """The difference of the amounts as they are shown."""
    return str(Decimal(usd_text(actual)) - Decimal(usd_text(expected)))
