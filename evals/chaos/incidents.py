"""What a trial decides on: an incident with a proposal for each thing that can become of one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

from evals.fake_litellm import FakeLiteLlm
from ledger.ids import fact_id
from ledger.window import HOUR, instant_text
from tokensleuth.casebook import Casebook, InvestigationRecord, JsonObject
from tokensleuth.casebook.decided import read_asked
from tokensleuth.casebook.queues import Letter, put_in_outbox
from tokensleuth.casebook.records import Touched
from tokensleuth.casebook.saving import save_investigation
from tokensleuth.casebook.telling import Message, add_message
from tokensleuth.slackapp.buttons import Verb, button_value

Role = Literal["limited", "budgeted", "downgraded", "blocked", "revoked", "rejected", "raced", "left"]

_MEASURES: Mapping[Role, tuple[str, JsonObject]] = {
    "limited": ("set_rate_limit", {"tokens_per_minute": 1000}),
    "budgeted": ("set_budget", {"max_usd": "5.00", "period": "day"}),
    "downgraded": ("downgrade_model", {"from_model": "gpt-4o", "to_model": "gpt-4o-mini"}),
    "blocked": ("block_key", {}),
    "revoked": ("revoke_key", {}),
    "rejected": ("block_key", {}),
    "raced": ("block_key", {}),
    "left": ("set_rate_limit", {"requests_per_minute": 7}),
}
ROLES = tuple(_MEASURES)


@dataclass(frozen=True, slots=True)
class Asked:
    """A proposal as people see it."""

    id: str
    role: Role
    key: str
    """The LiteLLM key that it acts on."""
    payload_hash: str

    def button(self, verb: Verb, secret: bytes) -> str:
        return button_value(verb, self.id, 1, self.payload_hash, secret)


@dataclass(frozen=True, slots=True)
class Case:
    """One incident that is told of in a channel of its own."""

    incident_id: str
    channel: str
    alert_id: str
    """The outbox id of its message."""
    asked: Mapping[Role, Asked]


def open_case(casebook: Casebook, litellm: FakeLiteLlm, name: str, number: int, now: datetime) -> Case:
    """Keys at the proxy; the incident, its proposals and its alert in one transaction."""
    incident_id, channel = fact_id("inc", name, number), f"C{number:06d}"
    keys = {role: sha256(f"{name} {number} {role}".encode()).hexdigest() for role in ROLES}
    for key in keys.values():
        litellm.add_key(key, tpm_limit=50_000, key_alias=f"chaos-{key[:8]}")
    document = _incident(incident_id, list(_proposals(incident_id, keys, now)), now)
    touched = {_id_of(incident_id, role): Touched(0.01, None) for role in ROLES}
    alert_id = fact_id("out", incident_id, channel)
    with casebook.writing() as connection:
        record = InvestigationRecord(document, [], now, touched=touched)
        save_investigation(connection, record, casebook.key)
        about = {"channel": channel, "outbox_id": alert_id}
        letter = Letter(alert_id, f"slack:{channel}", "alert", incident_id, about)
        put_in_outbox(connection, letter, now)
        add_message(connection, Message(incident_id, channel, "alert", None, alert_id, now))
        hashes = {role: read_asked(connection, _id_of(incident_id, role)) for role in ROLES}
    asked = {
        role: Asked(found.id, role, keys[role], found.payload_hash) for role, found in hashes.items() if found
    }
    return Case(incident_id, channel, alert_id, asked)


def _id_of(incident_id: str, role: Role) -> str:
    return fact_id("prop", incident_id, role)


def _proposals(incident_id: str, keys: Mapping[Role, str], now: datetime) -> Iterator[JsonObject]:
    for role, (action, parameters) in _MEASURES.items():
        yield {
            "id": _id_of(incident_id, role),
            "action": action,
            "target": {"gateway": "litellm", "team": "search", "key_id": keys[role]},
            "parameters": parameters,
            "expected_saving_usd_per_day": "10.00",
            "requests_refused_per_day": None,
            "reversible": role != "revoked",
            "undo": "cannot be undone" if role == "revoked" else "back to what it was",
            "expires_at": instant_text(now + 4 * HOUR),
            "rationale": "The key retries without a pause.",
            "evidence": [],
        }


def _incident(incident_id: str, proposals: list[JsonObject], now: datetime) -> JsonObject:
    start = (now - timedelta(hours=6)).replace(minute=0, second=0)
    scope = {"team": "search"}
    culprit = {
        "scope": scope, "cause": "retry_storm", "confidence": 0.93, "delta_usd": "83.70", "share": 1.0,
        "evidence": [], "playbook": "retry_storm", "decided_by": "deterministic", "onset_at": None,
    }  # fmt: skip
    return {
        "id": incident_id,
        "start_at": instant_text(start),
        "end_at": instant_text(start + 6 * HOUR),
        "scope": scope,
        "expected_usd": "12.40",
        "actual_usd": "96.10",
        "delta_usd": "83.70",
        "verdict": "confirmed",
        "cause": "retry_storm",
        "confidence": 0.93,
        "alternatives": [],
        "culprits": [culprit],
        "effects": [{"name": "volume", "usd": "83.70"}],
        "changes": [],
        "evidence": [],
        "report": "**Retry storm** in team search.",
        "proposals": proposals,
        "analyst": "deterministic",
        "unsupported_claims": 0,
        "unpriced_tokens": 0,
        "model": None,
        "cost": {"llm_calls": 0, "input_tokens": 0, "output_tokens": 0, "usd": "0.00"},
        "refused_actions": [],
        "seconds": 0.1,
        "degraded": False,
        "degraded_because": [],
    }
