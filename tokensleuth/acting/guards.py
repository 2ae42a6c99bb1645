"""The guard rails no approval lifts: pure checks, made again right before anything is done.

Each guard says why it refuses, or None. They are a list, so that a test can take out one at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TypeAlias

from tokensleuth.acting.action import Action
from tokensleuth.approvals.rules import ApprovalRules, is_little
from tokensleuth.casebook.decided import Asked, Said
from tokensleuth.casebook.payload import payload_hash
from tokensleuth.casebook.records import Touched
from tokensleuth.people import CLASS_OF
from tokensleuth.settings_acts import Actions

DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Situation:
    """All that is known in the moment before an action."""

    asked: Asked
    action: Action
    said: Sequence[Said]
    """Of the present round."""
    done_today: Sequence[str]
    """Actions really done, or perhaps done, in the last 24 h, this one left out."""
    touched: Touched | None
    """By the ledger as it is now; None where it could not be read."""
    incident_is_open: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class GuardRails:
    """What the operator allows."""

    rules: ApprovalRules
    actions: Actions
    protected_keys: Sequence[str] = ()


Guard: TypeAlias = Callable[[Situation, GuardRails], str | None]


def refusals(situation: Situation, rails: GuardRails, guards: Sequence[Guard] | None = None) -> list[str]:
    """Every reason against it; empty when it may be done."""
    found = (guard(situation, rails) for guard in (GUARDS if guards is None else guards))
    return [why for why in found if why is not None]


def is_what_was_approved(situation: Situation, _: GuardRails) -> str | None:
    """The stored action is the one whose hash people approved."""
    asked = situation.asked
    if payload_hash(asked.document, asked.incident_id, asked.round) != asked.payload_hash:
        return "what is stored is not what was approved: its hash differs"
    if asked.action != situation.action.measure.action:
        return f"what is stored is not what was approved: {asked.action} was, not this action"
    return None


def is_approved_by_enough(situation: Situation, rails: GuardRails) -> str | None:
    """So many people as it takes by what it touches now."""
    asked = situation.asked
    approvers = {s.decided_by for s in situation.said if s.verdict == "approve"}
    needed = max(rails.rules.people_needed(asked), _needed_now(situation, rails))
    if len(approvers) < needed:
        return f"it takes {needed} people and {len(approvers)} approved"
    return None


def _needed_now(situation: Situation, rails: GuardRails) -> int:
    if situation.action.is_told:
        return 1
    touched = situation.touched
    return 1 if touched and is_little(touched.spend_share, rails.actions.max_spend_share) else 2


def is_not_approved_by_its_requester(situation: Situation, _: GuardRails) -> str | None:
    """Who asked for it does not count."""
    requester = situation.asked.requested_by
    if any(s.verdict == "approve" and s.decided_by == requester for s in situation.said):
        return f"{requester} asked for it and approved it"
    return None


def is_approved_by_people_still_listed(situation: Situation, rails: GuardRails) -> str | None:
    """An approver who was taken off the list since counts no more."""
    action, people = situation.action.measure.action, rails.rules.people
    approvers = [s.decided_by for s in situation.said if s.verdict == "approve"]
    gone = [name for name in approvers if not people.may_still(name, action)]
    return f"{gone[0]} may not approve {CLASS_OF[action]} actions any more" if gone else None


def is_approved_lately(situation: Situation, rails: GuardRails) -> str | None:
    """Nothing is done long after people thought about it; nor by an approval from the future."""
    at = max((s.decided_at for s in situation.said if s.verdict == "approve"), default=None)
    latest = timedelta(hours=rails.actions.approved_hours)
    if at is None or not -timedelta(minutes=5) <= situation.now - at <= latest:
        when = f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"
        return f"it was approved {when}, and it is {situation.now:%Y-%m-%d %H:%M} UTC: too far apart"
    return None


def is_not_protected(situation: Situation, rails: GuardRails) -> str | None:
    """Protected keys and our own are never touched, nor the team or project they belong to."""
    if situation.action.is_told:
        return None
    named = situation.action.target.scope.as_dict().get("key_id")
    if named is None and situation.touched is None and (rails.protected_keys or rails.actions.own_keys):
        return "nobody can tell which keys it touches, and some are protected"
    inside = situation.touched.keys if situation.touched else frozenset()
    for key_id in sorted({named} if named else inside):
        if any(fnmatchcase(key_id, glob) for glob in rails.protected_keys):
            return f"key {key_id} is protected"
        if any(fnmatchcase(key_id, glob) for glob in rails.actions.own_keys):
            return f"key {key_id} is one that tokensleuth uses"
    return None


def has_a_target(situation: Situation, _: GuardRails) -> str | None:
    """A key is blocked or revoked alone, and a limit never falls on everybody."""
    scope = situation.action.target.scope.as_dict()
    if situation.action.is_told:
        return None
    if situation.action.kind in ("block", "revoke") and "key_id" not in scope:
        return f"{situation.asked.action} needs a key, and its target is {situation.action.target.scope}"
    if not {"key_id", "team", "project"} & scope.keys():
        return f"its target is {situation.action.target.scope}: no key, team or project"
    return None


def is_within_revocations(situation: Situation, rails: GuardRails) -> str | None:
    """So many keys a day."""
    most = rails.actions.max_revocations_per_day
    revoked = sum(name == "revoke_key" for name in situation.done_today)
    if situation.action.kind == "revoke" and revoked >= most:
        return f"{revoked} keys were revoked in the last 24 h, and {most} is the most"
    return None


def is_within_actions(situation: Situation, rails: GuardRails) -> str | None:
    """So many actions a day."""
    most = rails.actions.max_actions_per_day
    if not situation.action.is_told and len(situation.done_today) >= most:
        return f"{len(situation.done_today)} actions were done in the last 24 h, and {most} is the most"
    return None


def is_about_an_open_incident(situation: Situation, _: GuardRails) -> str | None:
    """Nobody has said since that it is expected or no issue."""
    if not situation.incident_is_open:
        return "the incident was called expected or not an issue"
    return None


def has_the_same_owner(situation: Situation, _: GuardRails) -> str | None:
    """The key or project has not passed to another team since it was proposed."""
    before, now = situation.asked.owner, situation.touched.owner if situation.touched else None
    if not situation.action.is_told and before and now and before != now:
        return f"its owner was {before} when it was proposed and is {now} now"
    return None


GUARDS: tuple[Guard, ...] = (
    is_what_was_approved,
    is_approved_by_enough,
    is_not_approved_by_its_requester,
    is_approved_by_people_still_listed,
    is_approved_lately,
    is_not_protected,
    has_a_target,
    is_within_revocations,
    is_within_actions,
    is_about_an_open_incident,
    has_the_same_owner,
)
