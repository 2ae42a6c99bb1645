"""What the casebook takes in: one investigation with the full documents of its evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, cast

from ledger.ids import fact_id
from ledger.scope import Dimension, Scope
from ledger.window import Window

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


def range_incident_id(scope: Scope, window: Window) -> str:
    """The id of an investigation of a range as a whole, in which nothing need have been detected."""
    return fact_id("inc", scope.items, window.start_at.isoformat(), window.end_at.isoformat(), "range")


def is_whole_range(incident: JsonObject) -> bool:
    """Whether a stored incident is a range that was explained, rather than something detected."""
    scope = Scope.of(cast(dict[Dimension, str], incident["scope"]))
    start_at, end_at = (datetime.fromisoformat(str(incident[name])) for name in ("start_at", "end_at"))
    return incident["id"] == range_incident_id(scope, Window(start_at, end_at))


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
class Touched:
    """What a measure on a target would touch, by the last 24 h of usage."""

    spend_share: float
    """The target's part of all spend, 0 to 1."""
    owner: str | None
    """The team that spent most of it; None where nothing was spent."""
    keys: frozenset[str] = frozenset()
    """The ids of the keys it would touch."""


@dataclass(frozen=True, slots=True)
class InvestigationRecord:
    """One investigated incident as `investigate --json` prints it, and all its evidence."""

    incident: Mapping[str, object]
    evidence: Sequence[EvidenceDocument]
    saved_at: datetime
    requested_by: str = "service:local"
    """Who asked for the investigation: they cannot approve what it proposes."""
    touched: Mapping[str, Touched] = field(default_factory=dict)
    """By proposal: what it would touch; those nobody could tell are left out."""
    timeline: Mapping[str, object] | None = None
    """The hours around the incident as they are charted."""
    reopen_rehearsed: bool = False
    """Whether what was only rehearsed in a dry run is put up for decision again."""

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
