"""What the casebook adds to a digest, as the JSON contract shows it."""

from decimal import Decimal

from ledger.window import instant_text
from tokensleuth.digest.case_facts import (
    CaseFacts,
    IncidentFact,
    MeasureFact,
    NoticeFact,
    TuningFact,
    Waiting,
)

JsonObject = dict[str, object]


def case_json(case: CaseFacts) -> JsonObject:
    """The fields of the document that come from the casebook."""
    found = case.incidents
    return {
        "incidents": [_incident(incident) for incident in found.shown],
        "minor_incidents": {"count": found.minor, "delta_usd": f"{found.minor_usd:.2f}"},
        "realised": {"actions": found.measured, "saved_usd": f"{found.saved_usd:.2f}"},
        "decisions": {"count": len(case.decisions), "worth_usd_per_day": f"{case.worth_usd_per_day:.2f}"},
        "waiting": [_waiting(waiting) for waiting in case.waiting],
        "alerts": case.alerts.as_json() if case.alerts else None,
        "tunings": [_tuning(tuning) for tuning in case.tunings],
        "notices": [_notice(notice) for notice in case.notices],
        "audit_anchor": str(case.anchor) if case.anchor else None,
    }


def _incident(incident: IncidentFact) -> JsonObject:
    return {
        "id": incident.id,
        **incident.window.as_json(),
        "scope": incident.scope.as_dict(),
        "cause": incident.cause,
        "verdict": incident.verdict,
        "delta_usd": str(incident.delta_usd),
        "feedback": incident.feedback,
        "measures": [_measure(measure) for measure in incident.measures],
    }


def _measure(measure: MeasureFact) -> JsonObject:
    return {
        "id": measure.id,
        "action": measure.action,
        "state": measure.state,
        "decided_by": list(measure.decided_by),
        "reason": measure.reason,
        "rehearsed": measure.rehearsed,
        "verified": measure.verified,
        "undone": measure.undone,
        "watch": measure.watch,
        "watched_hours": measure.watched_hours,
        "saved_usd": _usd(measure.saved_usd),
        "hurts": measure.hurts,
    }


def _waiting(waiting: Waiting) -> JsonObject:
    return {
        "id": waiting.id,
        "incident_id": waiting.incident_id,
        "action": waiting.action,
        "target": dict(waiting.target),
        "expected_saving_usd_per_day": _usd(waiting.saving_usd_per_day),
        "expires_at": instant_text(waiting.expires_at),
    }


def _tuning(tuning: TuningFact) -> JsonObject:
    return {
        "id": tuning.id,
        "kind": tuning.kind,
        "scope": tuning.scope.as_dict(),
        "what": tuning.what,
        "until_at": instant_text(tuning.until_at),
        "reason": tuning.reason,
        "given_by": tuning.given_by,
    }


def _notice(notice: NoticeFact) -> JsonObject:
    opened_at = instant_text(notice.opened_at)
    return {"kind": notice.kind, "title": notice.title, "severity": notice.severity, "opened_at": opened_at}


def _usd(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)
