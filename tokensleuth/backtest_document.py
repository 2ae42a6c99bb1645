"""A backtest as the `simulate --json` document."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from detectors.incidents import Incident
from ledger.window import instant_text
from tokensleuth.backtest import Backtest, Labelled, Run
from tokensleuth.detection_document import incident_json
from tokensleuth.labels import Label, LabelScore
from tokensleuth.setting_changes import differences


def backtest_document(backtest: Backtest, *, seconds: float) -> dict[str, object]:
    """The whole answer: both runs in numbers, the incidents that only one of them found, the labels."""
    before, after, matching = backtest.before, backtest.after, backtest.matching
    labelled = backtest.labelled
    return {
        "range": backtest.window.as_json(),
        "settings": {"changed": differences(before.settings, after.settings)},
        "before": _run(before),
        "after": _run(after),
        "kept": len(matching.kept),
        "gained": _told(after, matching.gained, labelled.after if labelled else None),
        "lost": _told(before, matching.lost, labelled.before if labelled else None),
        "labels": _labels(labelled) if labelled else None,
        "seconds": round(seconds, 3),
    }


def _run(run: Run) -> dict[str, object]:
    """`excess_usd` is the sum of the incidents', drops being negative; `worth_usd` counts their sizes."""
    excesses = [Decimal(str(incident_json(incident)["excess_usd"])) for incident in run.incidents]
    return {
        "incidents": len(run.incidents),
        "incidents_per_week": round(run.incidents_per_week, 3),
        "excess_usd": _summed(excesses),
        "worth_usd": _summed([abs(excess) for excess in excesses]),
        "spikes": len(run.found.detection.spikes),
        "series_scored": run.found.detection.series_scored,
    }


def _summed(amounts: Sequence[Decimal]) -> str:
    return str(sum(amounts, Decimal("0.00")))


def _told(run: Run, incidents: Sequence[Incident], score: LabelScore | None) -> list[dict[str, object]]:
    """As in `detect`, with the spikes of each summed up: the document lists none."""
    places = [run.incidents.index(incident) for incident in incidents]
    return [
        _incident(run, incident) | {"false_alarm": score.false_alarms[place] if score else None}
        for place, incident in zip(places, incidents, strict=True)
    ]


def _incident(run: Run, incident: Incident) -> dict[str, object]:
    spikes = [run.found.detection.spikes[i] for i in incident.spikes]
    told = {name: value for name, value in incident_json(incident).items() if name != "spikes"}
    return told | {
        "score": round(max(spike.score for spike in spikes), 3),
        "spike_count": len(spikes),
        "detected_at": instant_text(min(spike.detected_at for spike in spikes)),
    }


def _labels(labelled: Labelled) -> dict[str, object]:
    hits = zip(labelled.labels, labelled.before.hits, labelled.after.hits, strict=True)
    return {
        "count": len(labelled.labels),
        "before": _score(labelled.before),
        "after": _score(labelled.after),
        "items": [_label(label, hit_before=then, hit_after=now) for label, then, now in hits],
    }


def _score(score: LabelScore) -> Mapping[str, object]:
    return {
        "hits": sum(score.hits),
        "misses": len(score.hits) - sum(score.hits),
        "false_alarms": sum(score.false_alarms),
        "precision": _ratio(score.precision),
        "recall": _ratio(score.recall),
    }


def _ratio(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _label(label: Label, *, hit_before: bool, hit_after: bool) -> Mapping[str, object]:
    return {
        "scope": label.scope.as_dict(),
        **label.window.as_json(),
        "kind": label.kind,
        "hit_before": hit_before,
        "hit_after": hit_after,
    }
