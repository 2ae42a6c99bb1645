"""The deterministic analyst: evidence in, finding out, by the playbooks alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from agent.changes import changes_of
from agent.derived import Signals
from agent.evidence import Evidence
from agent.finding import Alternative, Culprit, Effect, Finding
from agent.look import LEAST_CARRIED, Subject, change_size, slice_of, suspected_scopes
from agent.scoring import Scored, is_benign, rank_causes
from agent.signals import signals_of
from ledger.scope import Scope
from playbooks import Cause, Playbook, Verdict
from tools.split import EFFECTS

MAX_ALTERNATIVES = 4
TRIFLE = Decimal("0.1")
"""Of the largest suspect, where that is normal variation."""
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Judged:
    """One suspected scope with every cause weighed."""

    scope: Scope
    delta_usd: Decimal
    carried_by: str
    """Id of the evidence that gives the dollars."""
    signals: Signals
    ranked: tuple[Scored, ...]
    turned_from: Cause | None = None
    """What the rules alone say, where the model's choice turned a close call."""
    added: bool = False
    """Whether only the model blames this scope."""

    @property
    def best(self) -> Scored:
        return self.ranked[0]

    @property
    def stands_out(self) -> bool:
        return self.best.cause != "normal_variation"


@dataclass(frozen=True, slots=True)
class Onset:
    """When a suspect began, and the id of the evidence that says so."""

    at: datetime | None = None
    """None where only the incident's start is known."""
    evidence: str = ""
    moved: bool = False
    """Whether that is another hour than the incident's start."""


def explain(subject: Subject, evidence: Sequence[Evidence], playbooks: Sequence[Playbook]) -> Finding:
    """Name the cause of each suspected scope; the largest one's is the incident's."""
    return conclude(subject, evidence, judge(subject, evidence, playbooks))


def conclude(subject: Subject, evidence: Sequence[Evidence], judged: Sequence[Judged]) -> Finding:
    """The finding that follows from suspects with their causes weighed, the incident's first."""
    split = next((e for e in evidence if e.tool == "effects"), None)
    main = judged[0]
    delta = _usd(split, "delta_usd")
    return Finding(
        incident_id=subject.incident_id,
        window=subject.window,
        scope=subject.scope,
        expected_usd=_usd(split, "expected_usd"),
        actual_usd=_usd(split, "actual_usd"),
        delta_usd=delta,
        verdict=verdict_of(main),
        cause=main.best.cause,
        confidence=main.best.confidence,
        alternatives=_alternatives(main),
        culprits=tuple(_culprit(j, delta, onset_of(evidence, j.scope)) for j in judged if j.stands_out),
        effects=tuple(Effect(name=name, usd=_usd(split, f"{name}_usd")) for name in EFFECTS),
        changes=changes_of(evidence, main.scope, main.signals, main.best),
        unpriced_tokens=_unpriced(evidence, subject, main),
        degraded=any(e.status == "failed" for e in evidence),
    )


def judge(
    subject: Subject, evidence: Sequence[Evidence], playbooks: Sequence[Playbook]
) -> tuple[Judged, ...]:
    """Weigh every cause for every suspected scope: what is no noise first, then the largest change.

    There is at least one.
    """
    scopes = suspected_scopes(evidence, subject)
    found = [judge_scope(scope, evidence, playbooks) for scope in scopes]
    least = LEAST_CARRIED * change_size(evidence)
    telling = [j for j in found if j.best.cause != "unknown" or abs(j.delta_usd) >= least]
    found = _without_trifles(telling or found)
    return tuple(sorted(found, key=lambda j: (not j.stands_out, -abs(j.delta_usd))))


def _without_trifles(found: list[Judged]) -> list[Judged]:
    """Where most of the change is nothing new, a small part beside it is no incident."""
    largest = max(found, key=lambda j: abs(j.delta_usd))
    if largest.stands_out:
        return found
    least = TRIFLE * abs(largest.delta_usd)
    return [j for j in found if not j.stands_out or abs(j.delta_usd) >= least]


def judge_scope(scope: Scope, evidence: Sequence[Evidence], playbooks: Sequence[Playbook]) -> Judged:
    """Weigh every cause for one scope."""
    signals = signals_of(evidence, scope)
    amount, source = _carried(evidence, scope)
    return Judged(scope, amount, source, signals, rank_causes(playbooks, signals))


def verdict_of(judged: Judged) -> Verdict:
    playbook = judged.best.playbook
    return "benign" if is_benign(playbook, judged.signals) else playbook.verdict


def _carried(evidence: Sequence[Evidence], scope: Scope) -> tuple[Decimal, str]:
    """The dollars of a suspect: of its slice, else of its comparison, else of the whole change."""
    if found := slice_of(evidence, scope):
        return Decimal(str(found.row["usd"])).quantize(CENT), found.evidence.id
    split = next((e for e in evidence if e.tool == "effects"), None)
    compared = next((e for e in evidence if e.tool == "compare" and e.where == scope), None)
    if compared is not None and split is not None and split.where != scope:
        return _usd(compared, "change_usd"), compared.id
    return _usd(split, "delta_usd"), split.id if split else ""


def _culprit(judged: Judged, delta: Decimal, onset: Onset) -> Culprit:
    told_by = [judged.carried_by, *(w.evidence for w in judged.best.supports)]
    if onset.moved:
        told_by.append(onset.evidence)
    return Culprit(
        scope=judged.scope,
        cause=judged.best.cause,
        confidence=judged.best.confidence,
        delta_usd=judged.delta_usd,
        share=round(float(judged.delta_usd / delta), 3) if delta else None,
        evidence=tuple(dict.fromkeys(e for e in told_by if e)),
        verdict=verdict_of(judged),
        playbook=judged.best.playbook.name,
        turned_from=judged.turned_from,
        added=judged.added,
        onset_at=onset.at,
    )


def onset_of(evidence: Sequence[Evidence], scope: Scope) -> Onset:
    """What the evidence says of a suspect's beginning."""
    for found in evidence:
        if found.tool == "onset" and found.where == scope and "onset_at" in found.facts:
            at = datetime.fromisoformat(str(found.facts["onset_at"]))
            return Onset(at, found.id, at != found.window.start_at)
    return Onset()


def _alternatives(judged: Judged) -> tuple[Alternative, ...]:
    others = [s for s in judged.ranked[1:] if s.cause != "unknown"][:MAX_ALTERNATIVES]
    return tuple(
        Alternative(
            cause=other.cause,
            confidence=other.confidence,
            refuted_by=tuple(dict.fromkeys(w.evidence for w in other.objections)),
            reasons=tuple(w.rule.fact for w in other.objections[:3]),
        )
        for other in others
    )


def _usd(evidence: Evidence | None, name: str) -> Decimal:
    value = evidence.facts.get(name) if evidence else None
    return value.quantize(CENT) if isinstance(value, Decimal) else Decimal("0.00")


def _unpriced(evidence: Sequence[Evidence], subject: Subject, main: Judged) -> int:
    """Unpriced tokens of the subject where it was looked at, else of the main suspect."""
    for scope in (subject.scope, main.scope):
        for found in evidence:
            tokens = found.number("unpriced_tokens") if found.where == scope else None
            if tokens is not None:
                return int(tokens)
    return 0
