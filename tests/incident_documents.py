"""Short, valid incidents of the contract for tests, and a way to put them into a casebook."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ledger.window import instant_text
from tokensleuth.casebook import Casebook, EvidenceDocument, InvestigationRecord, JsonObject
from tokensleuth.casebook.saving import save_investigation

START = datetime(2026, 11, 3, 14, tzinfo=UTC)
NOW = datetime(2026, 11, 3, 20, 5, tzinfo=UTC)


def incident_document(incident_id: str = "inc_1", /, **changed: object) -> JsonObject:
    """A retry storm of 83.70 USD in 6 hours on a key of team search, with nothing proposed."""
    scope = changed.get("scope", {"team": "search", "key_id": "k1"})
    document: JsonObject = {
        "id": incident_id,
        "start_at": instant_text(START),
        "end_at": instant_text(START + timedelta(hours=6)),
        "scope": scope,
        "expected_usd": "12.40",
        "actual_usd": "96.10",
        "delta_usd": "83.70",
        "verdict": "confirmed",
        "cause": "retry_storm",
        "confidence": 0.93,
        "alternatives": [],
        "culprits": [culprit(scope)],
        "effects": [{"name": "volume", "usd": "83.70"}],
        "changes": [],
        "evidence": [],
        "report": "**Retry storm** on key `k1` of team search.",
        "proposals": [],
        "analyst": "deterministic",
        "unsupported_claims": 0,
        "unpriced_tokens": 0,
        "model": None,
        "cost": {"llm_calls": 0, "input_tokens": 0, "output_tokens": 0, "usd": "0.00"},
        "refused_actions": [],
        "seconds": 0.41,
        "degraded": False,
        "degraded_because": [],
    }
    return document | changed


def culprit(scope: object, **changed: object) -> JsonObject:
    """A culprit that carries the whole change of the document above."""
    found: JsonObject = {
        "scope": scope,
        "cause": "retry_storm",
        "confidence": 0.93,
        "delta_usd": "83.70",
        "share": 1.0,
        "evidence": ["ev_1"],
        "playbook": "retry_storm",
        "decided_by": "deterministic",
        "onset_at": None,
    }
    return found | changed


def proposal_document(
    action: str = "notify_owner",
    parameters: Mapping[str, object] | None = None,
    *,
    proposal_id: str | None = None,
    **changed: object,
) -> JsonObject:
    """A proposal to tell the owner of team search, open for a day."""
    told = {"owner": "search-oncall", "message": "Key k1 retries without a pause."}
    proposal: JsonObject = {
        "id": proposal_id or f"prop_{action}",
        "action": action,
        "target": {"gateway": "none", "team": "search", "key_id": "k1"},
        "parameters": dict(told if parameters is None else parameters),
        "expected_saving_usd_per_day": None,
        "requests_refused_per_day": None,
        "reversible": True,
        "undo": "tell them that it is settled",
        "expires_at": instant_text(START + timedelta(days=1)),
        "rationale": "The owner can fix the retry policy of the client.",
        "evidence": ["ev_1"],
    }
    return proposal | changed


def save_incidents(casebook: Casebook, *documents: JsonObject, at: datetime = NOW) -> list[str]:
    """Store each as the outcome of an investigation with one piece of evidence; gives their ids."""
    evidence = EvidenceDocument("ev_1", "breakdown", {"by": "key_id"}, "ok", [{"key_id": "k1"}], {})
    with casebook.writing() as connection:
        for document in documents:
            save_investigation(connection, InvestigationRecord(document, [evidence], at), casebook.key)
    return [str(document["id"]) for document in documents]
