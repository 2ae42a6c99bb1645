"""Grades what `tokensleuth investigate --json` printed against what was injected. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from ledger.synthetic.inject import Injected
from ledger.window import Window

CulpritGrade = Literal["right", "part", "wrong"]
"""`part`: a slice of the culprit's rows, or the culprit among others in a wider scope."""


class _Reported(BaseModel):
    """Fields may be added to the contract, never renamed: unknown ones are none of the grader's business."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ReportedCulprit(_Reported):
    scope: Mapping[str, str]
    cause: str
    delta_usd: Decimal


class ReportedIncident(_Reported):
    start_at: datetime
    end_at: datetime
    scope: Mapping[str, str]
    delta_usd: Decimal
    verdict: str
    cause: str
    culprits: tuple[ReportedCulprit, ...]

    @property
    def window(self) -> Window:
        return Window(self.start_at, self.end_at)

    @property
    def raised(self) -> bool:
        """Whether it claims that something happened, rather than explaining ordinary variation."""
        return self.verdict in ("confirmed", "accounting_artifact")


class Report(_Reported):
    incidents: tuple[ReportedIncident, ...]


@dataclass(frozen=True, slots=True)
class Grade:
    """How one injected cause was told."""

    expected_cause: str
    found: bool
    reported_cause: str | None = None
    culprit: CulpritGrade = "wrong"
    verdict_right: bool = False
    delta_error: float | None = None
    """|reported - injected| / |injected|, of the culprit's own delta where it is one of several."""
    pieces: int = 0
    """How many incidents tell it equally well; more than one when it was told in parts."""

    @property
    def cause_right(self) -> bool:
        return self.reported_cause == self.expected_cause


@dataclass(frozen=True, slots=True)
class CaseGrade:
    grades: tuple[Grade, ...]
    false_incidents: int
    """Incidents raised that overlap no injected cause in time and scope."""
    false_usd: Decimal = Decimal(0)
    """What they are said to be worth, up or down."""


class Summary(NamedTuple):
    """Rates are of the injected causes; `exact` is cause and culprit right."""

    causes: int
    found: float
    cause_right: float
    culprit_right: float
    exact: float
    verdict_right: float
    median_delta_error: float | None
    false_incidents: int
    false_usd: float


def grade_report(report: Report, injected: Sequence[Injected]) -> CaseGrade:
    """Grade every injected cause by the incident that tells it best, and count incidents out of the blue."""
    matches = [[i for i in report.incidents if _matches(i, truth)] for truth in injected]
    grades = tuple(_best(candidates, truth) for candidates, truth in zip(matches, injected, strict=True))
    explained = [incident for candidates in matches for incident in candidates]
    false = [incident for incident in report.incidents if incident.raised and incident not in explained]
    return CaseGrade(grades, len(false), sum((abs(incident.delta_usd) for incident in false), Decimal(0)))


def summarise(cases: Sequence[CaseGrade]) -> Summary:
    grades = [grade for case in cases for grade in case.grades]
    errors = [grade.delta_error for grade in grades if grade.delta_error is not None]

    def rate(hits: Sequence[bool]) -> float:
        return sum(hits) / len(hits) if hits else 1.0

    return Summary(
        causes=len(grades),
        found=rate([grade.found for grade in grades]),
        cause_right=rate([grade.cause_right for grade in grades]),
        culprit_right=rate([grade.culprit == "right" for grade in grades]),
        exact=rate([grade.cause_right and grade.culprit == "right" for grade in grades]),
        verdict_right=rate([grade.verdict_right for grade in grades]),
        median_delta_error=median(errors) if errors else None,
        false_incidents=sum(case.false_incidents for case in cases),
        false_usd=float(sum(case.false_usd for case in cases)),
    )


def grade_scope(reported: Mapping[str, str], truth: Injected) -> CulpritGrade:
    """Right when it pins the culprit, or a value only the culprit has, and nothing untrue or too narrow."""
    accepted: dict[str, tuple[str, ...]] = dict(truth.accepted.items())
    accepted |= {name: (*accepted.get(name, ()), value) for name, value in truth.scope.items}
    if any(value not in accepted[name] for name, value in reported.items() if name in accepted):
        return "wrong"
    whole_culprit = all(name in reported for name in truth.scope.dimensions)
    if set(reported) <= set(accepted) and (whole_culprit or set(truth.identified_by) & set(reported)):
        return "right"
    return "part"


def _matches(incident: ReportedIncident, truth: Injected) -> bool:
    """Overlap in time, and a scope that does not contradict the culprit."""
    scopes = [incident.scope, *(culprit.scope for culprit in incident.culprits)]
    overlaps = incident.window.overlap(truth.window) is not None
    return overlaps and any(grade_scope(scope, truth) != "wrong" for scope in scopes)


class _Told(NamedTuple):
    """What one incident says about an injected cause."""

    cause: str
    cause_right: bool
    culprit: CulpritGrade
    verdict_right: bool
    delta_usd: Decimal


def _best(candidates: Sequence[ReportedIncident], truth: Injected) -> Grade:
    """The grade of the best telling; incidents that tell as well are pieces, whose deltas add up."""
    telling = [incident for incident in candidates if incident.raised or incident.cause == truth.cause]
    if not telling:
        return Grade(expected_cause=truth.cause, found=False)
    told = [_told(incident, truth) for incident in telling]
    best = max(told, key=_rank)
    pieces = [one for one in told if _rank(one) == _rank(best)]
    error = abs(sum(piece.delta_usd for piece in pieces) - truth.delta_usd)
    return Grade(
        expected_cause=truth.cause,
        found=True,
        reported_cause=best.cause,
        culprit=best.culprit,
        verdict_right=best.verdict_right,
        delta_error=float(error / abs(truth.delta_usd)) if truth.delta_usd else None,
        pieces=len(pieces),
    )


def _rank(told: _Told) -> tuple[bool, int]:
    return told.cause_right, ("wrong", "part", "right").index(told.culprit)


def _told(incident: ReportedIncident, truth: Injected) -> _Told:
    culprit = _told_culprit(incident, truth)
    return _Told(
        cause=culprit.cause,
        cause_right=culprit.cause == truth.cause,
        culprit=grade_scope(culprit.scope, truth),
        verdict_right=incident.verdict in _verdicts(truth.cause),
        delta_usd=culprit.delta_usd if len(incident.culprits) > 1 else incident.delta_usd,
    )


def _told_culprit(incident: ReportedIncident, truth: Injected) -> ReportedCulprit:
    """The culprit that fits best, else the incident as a whole."""
    whole = ReportedCulprit(scope=incident.scope, cause=incident.cause, delta_usd=incident.delta_usd)
    for wanted in ("right", "part"):
        fitting = [culprit for culprit in incident.culprits if grade_scope(culprit.scope, truth) == wanted]
        if fitting:
            return max(fitting, key=lambda culprit: (culprit.cause == truth.cause, abs(culprit.delta_usd)))
    return whole


def _verdicts(cause: str) -> tuple[str, ...]:
    """Verdicts that go with a cause, by the words of the design."""
    if cause == "accounting_artifact":
        return ("accounting_artifact",)
    may_be_benign = cause in ("volume_growth", "new_workload", "backfill_or_batch", "volume_drop")
    return ("confirmed", "benign") if may_be_benign else ("confirmed",)
