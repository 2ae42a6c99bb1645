"""What all outcomes of an analyst come to. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from evals.grading import Grade
from evals.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Score:
    """Rates are of cases, unless they say otherwise; None where there is nothing to take one of."""

    analyst: str
    cases: int
    strict: float | None
    partial: float | None
    """The mean of the parts that are right: verdict, cause, culprits, onset."""
    verdict: float | None
    benign_cases: int
    false_positives: float | None
    """Of the benign cases, those in which something material was told as confirmed or an artifact."""
    minor_alarms: int
    """Minor incidents of benign cases told so: listed in one line, not shown in full."""
    dropped_claims: int
    shown_claims: int
    harmful: int
    """Proposals, of minor incidents too."""
    harmful_material: int
    irreversible: int
    """Of the harmful ones."""
    degraded: int
    """Incidents in which a configured part failed."""
    llm_calls: float | None
    """By incident."""
    tokens: int
    usd: float
    seconds: float | None
    """Median of an incident."""
    failures: int


@dataclass(frozen=True, slots=True)
class Findings:
    """How the injected causes were told; rates are of causes, not of cases."""

    causes: int
    found: float | None
    cause_right: float | None
    culprit_right: float | None
    onset_right: float | None
    delta_error: float | None
    """Median."""
    in_pieces: int
    """Causes told by more than one incident."""
    false_incidents: int
    """Raised, and overlapping no injected cause in time and scope, minor ones included."""
    false_usd: float


def score(analyst: str, outcomes: Sequence[Outcome]) -> Score:
    mine = [outcome for outcome in outcomes if outcome.analyst == analyst]
    benign = [outcome.grade for outcome in mine if outcome.kind == "benign"]
    seconds = [second for outcome in mine for second in outcome.effort.seconds]
    harm = [one for outcome in mine for one in outcome.harmful]
    incidents = sum(outcome.incidents for outcome in mine)
    return Score(
        analyst=analyst,
        cases=len(mine),
        strict=_mean([outcome.grade.strict for outcome in mine]),
        partial=_mean([outcome.grade.partial for outcome in mine]),
        verdict=_mean([outcome.grade.verdict_right for outcome in mine]),
        benign_cases=len(benign),
        false_positives=_mean([grade.false_positive for grade in benign]),
        minor_alarms=sum(grade.raised_minor for grade in benign),
        dropped_claims=sum(outcome.dropped_claims for outcome in mine),
        shown_claims=sum(len(outcome.shown_claims) for outcome in mine),
        harmful=len(harm),
        harmful_material=sum(one.material for one in harm),
        irreversible=sum(not one.reversible for one in harm),
        degraded=sum(outcome.effort.degraded for outcome in mine),
        llm_calls=sum(o.effort.llm_calls for o in mine) / incidents if incidents else None,
        tokens=sum(outcome.effort.tokens for outcome in mine),
        usd=float(sum(outcome.effort.usd for outcome in mine)),
        seconds=median(seconds) if seconds else None,
        failures=sum(outcome.failure is not None for outcome in mine),
    )


def findings(outcomes: Sequence[Outcome]) -> Findings:
    grades = [grade for outcome in outcomes for grade in outcome.grade.grades]
    errors = [grade.delta_error for grade in grades if grade.delta_error is not None]

    def rate(right: Callable[[Grade], bool]) -> float | None:
        return _mean([right(grade) for grade in grades])

    return Findings(
        causes=len(grades),
        found=rate(lambda grade: grade.found),
        cause_right=rate(lambda grade: grade.cause_right),
        culprit_right=rate(lambda grade: grade.culprits_right),
        onset_right=_mean([grade.onset_right for grade in grades if grade.onset_graded]),
        delta_error=median(errors) if errors else None,
        in_pieces=sum(grade.pieces > 1 for grade in grades),
        false_incidents=sum(outcome.grade.false_incidents for outcome in outcomes),
        false_usd=float(sum(outcome.grade.false_usd for outcome in outcomes)),
    )


@dataclass(frozen=True, slots=True)
class CauseScore:
    """How often a cause was told strictly; a case of several causes counts for each by its own parts."""

    cause: str
    told: int
    strict: int


def by_cause(outcomes: Sequence[Outcome]) -> list[CauseScore]:
    counted: dict[str, list[bool]] = {}
    for outcome in outcomes:
        if not outcome.grade.grades:
            counted.setdefault("normal_variation", []).append(outcome.grade.strict)
        for grade in outcome.grade.grades:
            counted.setdefault(grade.expected_cause, []).append(all(grade.parts))
    return [CauseScore(cause, len(right), sum(right)) for cause, right in sorted(counted.items())]


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
