"""What the casebook takes in: one investigation with the full documents of its evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from ledger.ids import fact_id

JsonObject: TypeAlias = dict[str, object]
"""An object of the JSON contract, ready for `json.dumps`."""

EvidenceStatus = Literal["ok", "no_data", "failed"]

ProposalState = Literal[
    "pending",
    "approved",
    "rejected",
    "expired",
    "superseded",
    "executing",
    "done",
    "failed",
    "unknown",
    "blocked",
]
"""From `pending` to the next four; from `approved` through `executing` to the last four."""

_CONCLUSION = (
    "id",
    "end_at",
    "verdict",
    "cause",
    "expected_usd",
    "actual_usd",
    "delta_usd",
    "effects",
    "culprits",
    "analyst",
)
"""The fields of an incident that make two investigations of it the same one."""


@dataclass(frozen=True, slots=True)
class EvidenceDocument:
    """The stored answer of one tool call."""

    id: str
    tool: str
    arguments: Mapping[str, object]
    status: EvidenceStatus
    rows: Sequence[Mapping[str, object]]
    """The rows themselves; the contract's incident shows how many there are."""
    facts: Mapping[str, object]
    """Named numbers of the answer."""


@dataclass(frozen=True, slots=True)
class InvestigationRecord:
    """One investigated incident as `investigate --json` prints it, and all its evidence."""

    incident: Mapping[str, object]
    evidence: Sequence[EvidenceDocument]
    saved_at: datetime

    def __post_init__(self) -> None:
        if self.saved_at.utcoffset() != timedelta(0):
            raise ValueError(f"saved_at {self.saved_at.isoformat()} is not an aware UTC instant")

    @property
    def incident_id(self) -> str:
        return str(self.incident["id"])

    @property
    def investigation_id(self) -> str:
        """Made from the conclusion: the same one is the same investigation, another is a new row."""
        return fact_id("inv", {name: self.incident[name] for name in _CONCLUSION})
