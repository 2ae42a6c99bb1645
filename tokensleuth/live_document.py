"""What the hourly path found, and what a refit did, as the objects of the JSON contract."""

from collections.abc import Sequence
from decimal import Decimal

from detectors.accepted import Baseline
from ledger.window import instant_text
from tokensleuth.detection_document import baseline_json, incidents_json, spike_json, suppressed_json
from tokensleuth.in_force import InForce
from tokensleuth.kept_facts import baseline_fact
from tokensleuth.live import LiveDetection, NotScored
from tokensleuth.refit import Refitted
from tokensleuth.unpriced import Unpriced


def live_document(
    found: LiveDetection,
    *,
    accepted: Sequence[Baseline],
    unpriced: Unpriced,
    material_share: float,
    seconds: float,
) -> dict[str, object]:
    """The `detect --live --json` document: that of `detect`, and what it was judged by."""
    in_force = found.in_force
    least_usd = _least_usd(in_force, material_share)
    return {
        "range": found.window.as_json(),
        "model": model_json(in_force),
        "series_scored": found.series_scored,
        "series_not_scored": sum(part.series for part in found.not_scored),
        "not_scored": [_not_scored(part) for part in found.not_scored],
        "seconds": round(seconds, 3),
        "unpriced_tokens": unpriced.tokens,
        "unpriced_models": list(unpriced.models),
        "spikes": [spike_json(spike) for spike in found.spikes],
        "material_usd": str(least_usd),
        "incidents": incidents_json(found.opened, least_usd),
        "suppressed": suppressed_json(found.suppressed),
        "baselines": [baseline_json(b, acts=_acts(b, in_force)) for b in accepted],
    }


def model_json(in_force: InForce) -> dict[str, object]:
    """The newest model, and why it is not the one it should be, where it is not."""
    return {
        "fitted_at": instant_text(in_force.newest.fitted_at),
        "late_hours": in_force.late_hours,
        "reason": in_force.reason,
    }


def refit_document(done: Refitted, *, seconds: float) -> dict[str, object]:
    """The `refit --json` document."""
    facts = done.model.facts
    return {
        "fitted_at": instant_text(done.model.fitted_at),
        "learnt": [instant_text(at) for at in done.learnt],
        "kept": [instant_text(at) for at in done.kept],
        "history": facts["history"],
        "forest_grown_at": facts["forest_at"],
        "series": facts["series"],
        "series_too_young": facts["young"],
        "series_left_out": facts["left_out"],
        "baselines": facts["baselines"],
        "seconds": round(seconds, 3),
    }


def _least_usd(in_force: InForce, share: float) -> Decimal:
    """The share of an average day, as it was when the model was made."""
    usd_per_day = Decimal(str(in_force.newest.facts["usd_per_day"]))
    return (usd_per_day * Decimal(repr(share))).quantize(Decimal("0.01"))


def _acts(baseline: Baseline, in_force: InForce) -> bool:
    """Whether the model was made by it; those accepted since act from the next refit on."""
    return baseline_fact(baseline) in in_force.newest.facts["baselines"]  # type: ignore[operator]


def _not_scored(part: NotScored) -> dict[str, object]:
    return {
        "reason": part.reason,
        "series": part.series,
        "scopes": [scope.as_dict() for scope in part.scopes],
    }
