"""What `tokensleuth investigate --json` prints, as far as it is graded."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, model_validator

from ledger.window import Window


class _Reported(BaseModel):
    """Fields may be added to the contract, never renamed: unknown ones are none of the grader's business."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ReportedCulprit(_Reported):
    scope: Mapping[str, str]
    cause: str
    delta_usd: Decimal
    confidence: float = 0.0
    onset_at: datetime | None = None
    """When it began, where the report says it of the culprit itself."""


class ReportedAlternative(_Reported):
    confidence: float


class ReportedEffect(_Reported):
    usd: Decimal


class ReportedProposal(_Reported):
    action: str
    scope: Mapping[str, str]
    """The target without the gateway that would execute it."""
    reversible: bool
    parameters: Mapping[str, object] = {}

    @model_validator(mode="before")
    @classmethod
    def _of_target(cls, given: object) -> object:
        if not isinstance(given, dict) or "target" not in given:
            return given
        return {**given, "scope": {name: v for name, v in given["target"].items() if name != "gateway"}}


class ReportedEvidence(_Reported):
    id: str


class ReportedCost(_Reported):
    llm_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: Decimal = Decimal(0)

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens


class ReportedIncident(_Reported):
    id: str = ""
    start_at: datetime
    end_at: datetime
    scope: Mapping[str, str]
    delta_usd: Decimal
    verdict: str
    cause: str
    confidence: float = 0.0
    alternatives: tuple[ReportedAlternative, ...] = ()
    effects: tuple[ReportedEffect, ...] = ()
    culprits: tuple[ReportedCulprit, ...]
    material: bool = True
    evidence: tuple[ReportedEvidence, ...] = ()
    report: str = ""
    proposals: tuple[ReportedProposal, ...] = ()
    unsupported_claims: int = 0
    refused_actions: tuple[object, ...] = ()
    cost: ReportedCost = ReportedCost()
    seconds: float | None = None
    degraded: bool = False

    @property
    def window(self) -> Window:
        return Window(self.start_at, self.end_at)

    @property
    def raised(self) -> bool:
        """Whether it claims that something happened, rather than explaining ordinary variation."""
        return self.verdict in ("confirmed", "accounting_artifact")


class Report(_Reported):
    incidents: tuple[ReportedIncident, ...]
