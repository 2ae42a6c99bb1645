"""What a run of one scenario by one analyst came to."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypedDict

from evals.grading import CaseGrade
from evals.harm import Harm
from evals.reported import Report
from evals.scenarios.scenario import Kind


@dataclass(frozen=True, slots=True)
class Effort:
    """What an analyst spent on the incidents of a case."""

    seconds: tuple[float, ...] = ()
    """Of the investigation, by incident."""
    llm_calls: int = 0
    tokens: int = 0
    usd: Decimal = Decimal(0)
    degraded: int = 0
    """Incidents in which a configured part failed."""


class OutcomeFacts(TypedDict):
    """What is known of an outcome before anybody investigated."""

    case: str
    analyst: str
    kind: Kind
    causes: tuple[str, ...]
    held_out: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scenario told by one analyst, graded."""

    case: str
    analyst: str
    kind: Kind
    causes: tuple[str, ...]
    held_out: bool
    grade: CaseGrade
    incidents: int = 0
    dropped_claims: int = 0
    """Claims the product itself found unsupported and left out."""
    shown_claims: tuple[str, ...] = ()
    """Numbers in its reports that no evidence backs."""
    harmful: tuple[Harm, ...] = ()
    effort: Effort = field(default_factory=Effort)
    failure: str | None = None
    """Why there is nothing to grade."""


def effort_of(report: Report) -> Effort:
    incidents = report.incidents
    return Effort(
        seconds=tuple(incident.seconds for incident in incidents if incident.seconds is not None),
        llm_calls=sum(incident.cost.llm_calls for incident in incidents),
        tokens=sum(incident.cost.tokens for incident in incidents),
        usd=sum((incident.cost.usd for incident in incidents), Decimal(0)),
        degraded=sum(incident.degraded for incident in incidents),
    )
