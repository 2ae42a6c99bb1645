"""Grades what `tokensleuth investigate --json` told against what was injected. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import fmean
from typing import Literal, NamedTuple

from evals.reported import Report, ReportedCulprit, ReportedIncident
from evals.scenarios import Truth
from ledger.synthetic.inject import Injected
from ledger.window import HOUR

CulpritGrade = Literal["right", "part", "wrong"]
"""`part`: a slice of the culprit's rows, or the culprit among others in a wider scope."""
ONSET_HOURS = 1.0
"""So far the told beginning may lie from the true one."""
BLAMED = Decimal("0.1")
"""Somebody else blamed for at least this part of an incident spoils its culprits."""


@dataclass(frozen=True, slots=True)
class Grade:
    """How one injected cause was told."""

    expected_cause: str
    found: bool
    reported_cause: str | None = None
    culprit: CulpritGrade = "wrong"
    others_blamed: bool = False
    """Whether the telling incident also blames somebody whom no injected cause touched."""
    verdict_right: bool = False
    onset_graded: bool = True
    onset_hours: float | None = None
    """Told minus true beginning; None where it was not found."""
    delta_error: float | None = None
    """|reported - injected| / |injected|, of the culprit's own delta where it is one of several."""
    pieces: int = 0
    """How many incidents tell it equally well; more than one when it was told in parts."""

    @property
    def cause_right(self) -> bool:
        return self.reported_cause == self.expected_cause

    @property
    def culprits_right(self) -> bool:
        return self.culprit == "right" and not self.others_blamed

    @property
    def onset_right(self) -> bool:
        return self.onset_hours is not None and abs(self.onset_hours) <= ONSET_HOURS

    @property
    def parts(self) -> tuple[bool, ...]:
        """Verdict, cause, culprits, and the onset where it is graded."""
        told = (self.verdict_right, self.cause_right, self.culprits_right)
        return (*told, self.onset_right) if self.onset_graded else told


@dataclass(frozen=True, slots=True)
class CaseGrade:
    """How a whole case was told; one without grades is a quiet one."""

    grades: tuple[Grade, ...]
    benign: bool = False
    raised: int = 0
    """Material incidents told as confirmed or as an artifact: in a benign case each is a false positive."""
    raised_minor: int = 0
    false_incidents: int = 0
    """Incidents raised that overlap no injected cause in time and scope."""
    false_usd: Decimal = Decimal(0)
    """What they are said to be worth, up or down."""

    @property
    def false_positive(self) -> bool:
        return self.benign and self.raised > 0

    @property
    def strict(self) -> bool:
        """All that is graded of every injected cause is right; a quiet case raises nothing material."""
        return all(all(grade.parts) for grade in self.grades) if self.grades else not self.raised

    @property
    def partial(self) -> float:
        """The mean of the parts, of all injected causes alike."""
        if not self.grades:
            return float(not self.raised)
        return fmean(fmean(grade.parts) for grade in self.grades)

    @property
    def verdict_right(self) -> bool:
        return all(g.verdict_right for g in self.grades) if self.grades else not self.raised


def grade_report(report: Report, truth: Truth) -> CaseGrade:
    """Grade every injected cause by the incident that tells it best, and count incidents out of the blue."""
    matches = [[i for i in report.incidents if _matches(i, one)] for one in truth.injected]
    grades = tuple(_best(found, one, truth) for found, one in zip(matches, truth.injected, strict=True))
    explained = [incident for found in matches for incident in found]
    raised = [incident for incident in report.incidents if incident.raised]
    false = [incident for incident in raised if incident not in explained]
    material = sum(incident.material for incident in raised)
    return CaseGrade(
        grades=grades,
        benign=truth.benign,
        raised=material,
        raised_minor=len(raised) - material,
        false_incidents=len(false),
        false_usd=sum((abs(incident.delta_usd) for incident in false), Decimal(0)),
    )


def nothing_told(truth: Truth) -> CaseGrade:
    """The grade of an investigation that failed: nothing is right, not even silence."""
    grades = tuple(Grade(expected_cause=cause, found=False) for cause in truth.causes)
    return CaseGrade(grades, benign=truth.benign)


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
    others_blamed: bool
    verdict_right: bool
    onset_at: datetime
    delta_usd: Decimal


def _best(candidates: Sequence[ReportedIncident], one: Injected, truth: Truth) -> Grade:
    """The grade of the best telling; incidents that tell as well are pieces, whose deltas add up.

    The largest piece gives the verdict, the earliest the onset.
    """
    graded = truth.onset_graded(one)
    telling = [incident for incident in candidates if incident.raised or incident.cause == one.cause]
    if not telling:
        return Grade(expected_cause=one.cause, found=False, onset_graded=graded)
    told = [_told(incident, one, truth) for incident in telling]
    best = max(told, key=lambda t: (_rank(t), abs(t.delta_usd)))
    pieces = [t for t in told if _rank(t) == _rank(best)]
    error = abs(sum(piece.delta_usd for piece in pieces) - one.delta_usd)
    return Grade(
        expected_cause=one.cause,
        found=True,
        reported_cause=best.cause,
        culprit=best.culprit,
        others_blamed=any(piece.others_blamed for piece in pieces),
        verdict_right=best.verdict_right,
        onset_graded=graded,
        onset_hours=_hours(min(piece.onset_at for piece in pieces) - one.window.start_at),
        delta_error=float(error / abs(one.delta_usd)) if one.delta_usd else None,
        pieces=len(pieces),
    )


def _rank(told: _Told) -> tuple[bool, int]:
    return told.cause_right, ("wrong", "part", "right").index(told.culprit)


def _told(incident: ReportedIncident, one: Injected, truth: Truth) -> _Told:
    culprit = _told_culprit(incident, one)
    cause_right, place = culprit.cause == one.cause, grade_scope(culprit.scope, one)
    # Another alarm somewhere inside a wide culprit, such as a model, is no verdict on it.
    about_it = cause_right or place == "right"
    return _Told(
        cause=culprit.cause,
        cause_right=cause_right,
        culprit=place,
        others_blamed=_blames_others(incident, truth),
        verdict_right=about_it and incident.verdict == truth.verdict(one),
        onset_at=culprit.onset_at or incident.start_at,
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


def _blames_others(incident: ReportedIncident, truth: Truth) -> bool:
    large = [c for c in incident.culprits if abs(c.delta_usd) >= BLAMED * abs(incident.delta_usd)]
    return any(all(grade_scope(c.scope, one) == "wrong" for one in truth.injected) for c in large)


def _hours(difference: timedelta) -> float:
    return difference / HOUR
