"""The model's choice of cause as one more witness: strong, but not able to overrule what is clear."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from math import exp

from agent.analyst import Judged, judge_scope, verdict_of
from agent.dialogue.submission import Submission, SubmittedCulprit
from agent.evidence import Evidence
from agent.look import LEAST_PART, Subject
from agent.scoring import LEAST_SCORE, MOST_CONFIDENT, TEMPERATURE, Scored
from ledger.errors import RefusedError
from ledger.scope import Scope
from playbooks import Cause, Playbook

VOTE = 3.0
"""Nats that the model's choice adds to a cause: what the playbooks give a strong rule."""
MAX_NEW_SCOPES = 3
HARMLESS: frozenset[Cause] = frozenset({"normal_variation", "unknown"})
"""Causes that end an alert: a model that reads hostile text must not be able to choose them."""
ALARM = 2
"""Strength of the verdicts that ask people to do something; a vote never lowers it."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Suspects with the model's votes counted, and why a vote was not."""

    judged: tuple[Judged, ...]
    refused: tuple[str, ...]


def new_scopes(
    subject: Subject, judged: Sequence[Judged], names: Collection[str], submission: Submission
) -> tuple[Scope, ...]:
    """Scopes the model blames that nobody has looked at closely; of values that the evidence has."""
    found = [_scope_of(subject, c) for c in submission.culprits]
    fresh = [s for s in found if s is not None and _match(s, subject, judged) is None]
    known = [s for s in fresh if all(value in names for _, value in s.items)]
    return tuple(dict.fromkeys(known))[:MAX_NEW_SCOPES]


def weigh(
    subject: Subject,
    judged: Sequence[Judged],
    evidence: Sequence[Evidence],
    playbooks: Sequence[Playbook],
    submission: Submission,
) -> Weighed:
    """Count each vote for the suspect it is about; a scope of the model's own must carry its cause itself."""
    counted = {j.scope: j for j in judged}
    refused = []
    votes: dict[Scope, Cause] = {}
    for culprit in submission.culprits:
        try:
            voted = _voted(subject, judged, evidence, playbooks, culprit)
            if votes.setdefault(voted.scope, culprit.cause) != culprit.cause:
                raise _RefusedVoteError(f"{_told(voted.scope)} is given two causes")
            counted[voted.scope] = voted
        except _RefusedVoteError as error:
            refused.append(str(error))
    return Weighed(tuple(sorted(counted.values(), key=_order)), tuple(refused))


class _RefusedVoteError(Exception):
    """The evidence does not let this vote count."""


def _voted(
    subject: Subject,
    judged: Sequence[Judged],
    evidence: Sequence[Evidence],
    playbooks: Sequence[Playbook],
    culprit: SubmittedCulprit,
) -> Judged:
    scope = _scope_of(subject, culprit)
    if scope is None:
        raise _RefusedVoteError(f"the scope of {culprit.cause} lies outside the incident")
    found = _match(scope, subject, judged)
    if found is None:
        found = _looked_at(scope, judged, evidence, playbooks)
    if culprit.cause in HARMLESS and found.best.cause not in HARMLESS:
        raise _RefusedVoteError(f"the evidence for {found.best.cause} does not go away by itself")
    if not found.stands_out and culprit.cause != found.best.cause:
        raise _RefusedVoteError(f"{_told(found.scope)} does what it did before: nothing is there to name")
    voted = with_vote(found, culprit.cause)
    if voted.best.cause != culprit.cause:
        raise _RefusedVoteError(
            f"the evidence speaks for {voted.best.cause} and against {culprit.cause} in {_told(found.scope)}"
        )
    if _strength(voted) < (ALARM if found.added else _strength(found)):
        raise _RefusedVoteError(f"{culprit.cause} in {_told(found.scope)} would end the alert")
    return voted


def _strength(judged: Judged) -> int:
    """What the verdict asks of people."""
    verdict = verdict_of(judged)
    return 0 if verdict == "benign" else 1 if verdict == "inconclusive" else ALARM


def with_vote(judged: Judged, cause: Cause) -> Judged:
    """Ranked anew; agreeing changes nothing, and a cause that its own rules do not carry gains nothing.

    What the rules are not sure enough of for a gateway to act on, a model that agrees does not make surer.
    """
    if judged.best.cause == cause:
        return judged
    ranked = [
        replace(s, score=s.score + VOTE) if s.cause == cause and s.score >= LEAST_SCORE else s
        for s in judged.ranked
    ]
    by_code = judged.best.cause
    voted = replace(judged, ranked=_with_confidence(ranked))
    return voted if voted.best.cause == by_code else replace(voted, turned_from=by_code)


def _with_confidence(ranked: Sequence[Scored]) -> tuple[Scored, ...]:
    ordered = sorted(ranked, key=lambda s: -s.score)
    odds = [exp((s.score - ordered[0].score) / TEMPERATURE) for s in ordered]
    total = sum(odds)
    return tuple(
        replace(s, confidence=round(min(o / total, MOST_CONFIDENT), 3))
        for s, o in zip(ordered, odds, strict=True)
    )


def _looked_at(
    scope: Scope, judged: Sequence[Judged], evidence: Sequence[Evidence], playbooks: Sequence[Playbook]
) -> Judged:
    """A scope that only the model blames; refused where it is not known or carries next to nothing."""
    if any(j.stands_out and _may_overlap(j.scope, scope) for j in judged):
        raise _RefusedVoteError(f"{_told(scope)} may be the dollars of a culprit told already")
    if not any(e.tool == "compare" and e.where == scope and e.status == "ok" for e in evidence):
        raise _RefusedVoteError(f"{_told(scope)} is in no evidence, or has no usage")
    found = judge_scope(scope, evidence, playbooks)
    least = LEAST_PART * max((abs(float(j.delta_usd)) for j in judged), default=0.0)
    if found.best.cause in HARMLESS or abs(float(found.delta_usd)) < least:
        raise _RefusedVoteError(f"{_told(scope)} does not stand out")
    return replace(found, added=True)


def _may_overlap(one: Scope, other: Scope) -> bool:
    """Whether there may be rows that lie in both: no dimension is pinned to different values."""
    theirs = other.as_dict()
    return all(theirs.get(d, value) == value for d, value in one.items)


def _match(scope: Scope, subject: Subject, judged: Sequence[Judged]) -> Judged | None:
    """The suspect a scope is about: the same, else the largest that lies in it or that it lies in."""
    if same := next((j for j in judged if j.scope == scope), None):
        return same
    if scope == subject.scope:
        return judged[0]
    return next((j for j in judged if j.scope.contains(scope) or scope.contains(j.scope)), None)


def _scope_of(subject: Subject, culprit: SubmittedCulprit) -> Scope | None:
    """The scope within the question; None where it lies outside."""
    try:
        scope = subject.scope.narrowed_to(culprit.as_scope())
    except RefusedError:
        return None
    return scope if subject.scope.contains(scope) else None


def _order(judged: Judged) -> tuple[bool, Decimal]:
    return not judged.stands_out, -abs(judged.delta_usd)


def _told(scope: Scope) -> str:
    """The dimensions alone: values go to the model as data only."""
    return f"that {' and '.join(scope.dimensions)}" if scope.items else "all spend"
