"""Which measures are proposed: those the cause's playbook allows, on targets from the evidence, replayed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase

from agent.dialogue.submission import SubmittedAction
from agent.drafts import Case, Draft, drafts_for
from agent.drafts import PolicySettings as PolicySettings
from agent.evidence import Evidence, call_tool, names_in
from agent.finding import Culprit, Finding, Proposal, RefusedAction, proposal_id
from agent.measures import Gateway
from agent.one_project import with_its_project
from agent.reach import can_execute, limitable
from agent.target import Target
from ledger.reader import Reader
from ledger.scope import Scope
from playbooks import ActionName, Playbook
from tools import peaks, simulate

SURE = 0.75
"""A culprit less sure than three to one is told to people, and no gateway touches it."""
LEAST_SAVING = Decimal("0.01")
IRREVERSIBLE: frozenset[ActionName] = frozenset({"revoke_key"})
TELLING: frozenset[ActionName] = frozenset({"notify_owner", "mark_expected", "fix_price"})
"""Measures no gateway executes."""
UNDO: Mapping[ActionName, str] = {
    "set_rate_limit": "restore the former limit",
    "set_budget": "restore the former budget",
    "downgrade_model": "remove the route",
    "block_key": "unblock the key",
    "revoke_key": "cannot be undone: a new key must be issued",
    "fix_price": "remove the entry and reprice",
    "notify_owner": "nothing to undo",
    "mark_expected": "remove the mark",
}


@dataclass(frozen=True, slots=True)
class Proposed:
    """Proposals, and the evidence that was gathered for them."""

    proposals: tuple[Proposal, ...]
    evidence: tuple[Evidence, ...]
    refused: tuple[RefusedAction, ...] = ()
    """What the model wanted and may not propose."""


def propose(
    reader: Reader,
    finding: Finding,
    evidence: Sequence[Evidence],
    playbooks: Sequence[Playbook],
    settings: PolicySettings,
    now: datetime,
    *,
    wanted: Sequence[SubmittedAction] = (),
) -> Proposed:
    """Measures for every culprit in the playbook's order of preference, the irreversible ones last.

    What a model wants comes first where it is among them, and is refused where it is not.
    """
    gathered: dict[str, Evidence] = {}
    proposals: dict[str, Proposal] = {}
    for culprit in finding.culprits:
        gateway = settings.gateway_of(culprit.scope)
        place = with_its_project(reader, culprit.scope, gateway, finding.window)
        limited = limitable(place, gateway) or culprit.scope
        usual = _ask_peaks(reader, finding, limited)
        gathered[usual.id] = usual
        playbook = playbook_of(culprit, playbooks)
        case = Case(finding, culprit, playbook, (*evidence, usual), settings, now, place)
        for draft in drafts_for(case):
            replayed = _replay(reader, finding, draft)
            proposal = _proposal(case, draft, replayed)
            if proposal is not None and _passes(proposal, case):
                proposals.setdefault(proposal.id, proposal)
                gathered |= {replayed.id: replayed} if replayed else {}
    found = tuple(proposals.values())
    ordered = sorted(found, key=lambda p: (not p.reversible, _rank(p, wanted)))
    names = names_in(evidence)
    refused = [_refused(w, finding, playbooks, names) for w in wanted if not any(_is(w, p) for p in found)]
    return Proposed(tuple(ordered), tuple(gathered.values()), tuple(refused))


def playbook_of(culprit: Culprit, playbooks: Sequence[Playbook]) -> Playbook:
    """The playbook by which the culprit was named; where that is not known, the first of its cause."""
    of_cause = [p for p in playbooks if p.cause == culprit.cause]
    return next((p for p in of_cause if p.name == culprit.playbook), of_cause[0])


def refusal(proposal: Proposal, playbook: Playbook, evidence: Sequence[Evidence]) -> str | None:
    """Why a proposal may not be shown; None when it may. Whoever drafted it, it passes here."""
    if proposal.action not in playbook.actions:
        return f"{proposal.action} is not among the actions for {playbook.cause}"
    known = names_in(evidence)
    foreign = [f"{d}={v}" for d, v in proposal.target.scope.items if v not in known]
    if foreign:
        return f"{', '.join(foreign)} is in no evidence of this investigation"
    if proposal.reversible == (proposal.action in IRREVERSIBLE):
        return f"{proposal.action} is given as {'reversible' if proposal.reversible else 'irreversible'}"
    return None


def _is(wanted: SubmittedAction, proposal: Proposal) -> bool:
    """Whether a proposal is what the model wanted: the action, on that scope or on what it can act on."""
    scope, target = wanted.as_scope(), proposal.target.scope
    return wanted.action == proposal.action and (scope.contains(target) or target.contains(scope))


def _rank(proposal: Proposal, wanted: Sequence[SubmittedAction]) -> int:
    return next((i for i, w in enumerate(wanted) if _is(w, proposal)), len(wanted))


def _refused(
    wanted: SubmittedAction, finding: Finding, playbooks: Sequence[Playbook], names: Collection[str]
) -> RefusedAction:
    """Why what the model wanted is not proposed."""
    scope = wanted.as_scope()
    meant = [c for c in finding.culprits if scope.contains(c.scope) or c.scope.contains(scope)]
    allowing = [c for c in meant if wanted.action in playbook_of(c, playbooks).actions]
    if not meant:
        reason = "its target is no culprit of this investigation"
    elif not allowing:
        reason = f"it is not among the actions for {meant[0].cause}"
    elif all(c.decided_by == "llm" for c in allowing) and wanted.action != "notify_owner":
        reason = "only the model blames this target or names this cause"
    else:
        reason = "it would save nothing, lacks a target, or touches what is protected"
    # What a model calls its target is told only as far as somebody is called so.
    known = Scope.of([(d, v) for d, v in scope.items if v in names])
    return RefusedAction(action=wanted.action, scope=known, reason=reason)


def _passes(proposal: Proposal, case: Case) -> bool:
    if case.culprit.decided_by == "llm" and proposal.action != "notify_owner":
        return False
    sure = case.culprit.confidence >= SURE and case.settings.may_act
    if proposal.action not in TELLING and not sure:
        return False
    if touches_protected(proposal, case.settings.protected_keys):
        return False
    return refusal(proposal, case.playbook, case.evidence) is None


def touches_protected(proposal: Proposal, globs: Sequence[str]) -> bool:
    """Whether a gateway would act on a key the operator protects; telling people about it is no act."""
    key_id = proposal.target.scope.as_dict().get("key_id")
    if key_id is None or proposal.action in TELLING:
        return False
    return any(fnmatchcase(key_id, glob) for glob in globs)


def _proposal(case: Case, draft: Draft, replayed: Evidence | None) -> Proposal | None:
    """The proposal; None when the replay shows that it would save nothing."""
    action = draft.measure.action
    saving = replayed.number("saving_usd_per_day") if replayed else None
    refused = replayed.number("requests_refused_per_day") if replayed else None
    if draft.replay is not None and Decimal(str(saving or 0)) < LEAST_SAVING:
        return None
    target = Target(gateway=_gateway(case, draft), scope=draft.scope)
    return Proposal(
        id=proposal_id(case.finding.incident_id, draft.measure, target),
        measure=draft.measure,
        target=target,
        expected_saving_usd_per_day=None
        if saving is None
        else Decimal(str(saving)).quantize(Decimal("0.01")),
        requests_refused_per_day=None if refused is None else int(refused),
        reversible=action not in IRREVERSIBLE,
        undo=UNDO[action],
        expires_at=case.now + timedelta(hours=case.settings.proposal_hours),
        rationale=draft.rationale,
        evidence=(replayed.id,) if replayed else case.culprit.evidence[:1],
    )


def _replay(reader: Reader, finding: Finding, draft: Draft) -> Evidence | None:
    measure, until = draft.replay, finding.window.end_at
    if measure is None:
        return None
    return call_tool(
        "simulate",
        lambda: simulate(reader, until, where=draft.scope, measure=measure),
        window=finding.window,
        where=draft.scope,
    )


def _ask_peaks(reader: Reader, finding: Finding, scope: Scope) -> Evidence:
    return call_tool(
        "peaks", lambda: peaks(reader, finding.window, where=scope), window=finding.window, where=scope
    )


def _gateway(case: Case, draft: Draft) -> Gateway:
    """`none` where people are told only, and where the gateway has no lever: then it is done by hand."""
    if draft.measure.action in TELLING:
        return "none"
    return case.gateway if can_execute(case.gateway, draft.measure, draft.scope) else "none"
