"""What an investigation finds and proposes, and its JSON as the contract has it."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import JsonValue

from agent.evidence import Evidence
from agent.llm.allowance import Spent
from agent.measures import Frozen, Measure
from agent.target import Target, scope_json
from ledger.ids import fact_id
from ledger.scope import Scope
from ledger.window import Window, instant_text
from playbooks import ActionName, Cause, Verdict
from tools.split import EffectName

Analyst = Literal["deterministic", "llm"]


class Effect(Frozen):
    """One line of the exact split of the change."""

    name: EffectName
    usd: Decimal


class Culprit(Frozen):
    """A scope that carries part of the change, with its own cause."""

    scope: Scope
    cause: Cause
    confidence: float
    delta_usd: Decimal
    share: float | None
    """Of the incident's change; None where that is 0."""
    evidence: tuple[str, ...]
    onset_at: datetime | None = None
    """The first hour in which it acted; None where nothing tells it apart from the incident's start."""
    verdict: Verdict = "confirmed"
    """Of this culprit alone; what is benign calls for no act, whatever else is in the incident."""
    playbook: str = ""
    """The name of the playbook that fits best of its cause's; empty: the shipped one."""
    turned_from: Cause | None = None
    """What the rules alone say, where the model's choice turned a close call."""
    added: bool = False
    """Whether only the model blames this scope."""

    @property
    def decided_by(self) -> Analyst:
        """Whose word decides; what a model decides is told to people, and no gateway acts on it."""
        return "llm" if self.added or self.turned_from else "deterministic"

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "scope": scope_json(self.scope),
            "cause": self.cause,
            "confidence": self.confidence,
            "delta_usd": str(self.delta_usd),
            "share": self.share,
            "evidence": list(self.evidence),
            "playbook": self.playbook or self.cause,
            "decided_by": self.decided_by,
            "onset_at": None if self.onset_at is None else instant_text(self.onset_at),
        }


class Alternative(Frozen):
    """Another cause, how likely it still is, and the evidence that speaks against it."""

    cause: Cause
    confidence: float
    refuted_by: tuple[str, ...]
    reasons: tuple[str, ...] = ()

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "cause": self.cause,
            "confidence": self.confidence,
            "refuted_by": list(self.refuted_by),
            "reasons": list(self.reasons),
        }


class Change(Frozen):
    """Something dated that happened beside the change in cost."""

    kind: Literal["price", "tokenizer", "model", "key", "tier", "cache"]
    at: datetime
    what: str
    source: str
    """The id of the evidence that shows it."""

    def as_json(self) -> dict[str, JsonValue]:
        return {"kind": self.kind, "at": instant_text(self.at), "what": self.what, "source": self.source}


class Proposal(Frozen):
    """A measure for people to decide on."""

    id: str
    measure: Measure
    target: Target
    expected_saving_usd_per_day: Decimal | None
    """None where the measure saves nothing by itself."""
    requests_refused_per_day: int | None
    reversible: bool
    undo: str
    expires_at: datetime
    rationale: str
    evidence: tuple[str, ...] = ()

    @property
    def action(self) -> ActionName:
        return self.measure.action

    def as_json(self) -> dict[str, JsonValue]:
        saving = self.expected_saving_usd_per_day
        parameters = self.measure.model_dump(mode="json", exclude={"action"}, exclude_none=True)
        return {
            "id": self.id,
            "action": self.action,
            "target": self.target.as_json(),
            "parameters": parameters,
            "expected_saving_usd_per_day": None if saving is None else str(saving),
            "requests_refused_per_day": self.requests_refused_per_day,
            "reversible": self.reversible,
            "undo": self.undo,
            "expires_at": instant_text(self.expires_at),
            "rationale": self.rationale,
            "evidence": list(self.evidence),
        }


def proposal_id(incident_id: str, measure: Measure, target: Target) -> str:
    """The same measure for the same incident keeps its id, whenever it is proposed again."""
    parameters = measure.model_dump(mode="json", exclude={"until", "message"})
    return fact_id("prop", incident_id, parameters, target.gateway, target.scope.items)


class RefusedAction(Frozen):
    """A measure the model wanted and the policy does not allow."""

    action: ActionName
    scope: Scope
    reason: str

    def as_json(self) -> dict[str, JsonValue]:
        return {"action": self.action, "target": scope_json(self.scope), "reason": self.reason}


class Finding(Frozen):
    """The outcome of one investigation."""

    incident_id: str
    window: Window
    scope: Scope
    expected_usd: Decimal
    actual_usd: Decimal
    delta_usd: Decimal
    verdict: Verdict
    cause: Cause
    confidence: float
    alternatives: tuple[Alternative, ...]
    culprits: tuple[Culprit, ...]
    effects: tuple[Effect, ...]
    changes: tuple[Change, ...]
    unpriced_tokens: int
    report: str = ""
    proposals: tuple[Proposal, ...] = ()
    analyst: Analyst = "deterministic"
    unsupported_claims: int = 0
    degraded: bool = False
    degraded_because: tuple[str, ...] = ()
    """Which configured part failed, and how."""
    model: str | None = None
    """The language model that was asked; None where none is configured."""
    spent: Spent = Spent()
    """What the model's calls took."""
    refused: tuple[RefusedAction, ...] = ()

    def as_json(
        self, evidence: tuple[Evidence, ...], *, seconds: float | None = None
    ) -> dict[str, JsonValue]:
        """The incident of `investigate --json`."""
        return {
            "id": self.incident_id,
            **self.window.as_json(),
            "scope": scope_json(self.scope),
            "expected_usd": str(self.expected_usd),
            "actual_usd": str(self.actual_usd),
            "delta_usd": str(self.delta_usd),
            "verdict": self.verdict,
            "cause": self.cause,
            "confidence": self.confidence,
            "alternatives": [a.as_json() for a in self.alternatives],
            "culprits": [c.as_json() for c in self.culprits],
            "effects": [{"name": e.name, "usd": str(e.usd)} for e in self.effects],
            "changes": [c.as_json() for c in self.changes],
            "evidence": [e.as_json() for e in evidence],
            "report": self.report,
            "proposals": [p.as_json() for p in self.proposals],
            "analyst": self.analyst,
            "unsupported_claims": self.unsupported_claims,
            "unpriced_tokens": self.unpriced_tokens,
            "model": self.model,
            "cost": self.spent.as_json(),
            "refused_actions": [r.as_json() for r in self.refused],
            "seconds": seconds,
            "degraded": self.degraded,
            "degraded_because": list(self.degraded_because),
        }
