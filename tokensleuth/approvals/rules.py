"""Who may decide what, and how many it takes: pure rules over a proposal and the people of the settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from playbooks import ActionName
from tokensleuth.casebook.decided import Asked, Said, Verdict
from tokensleuth.people import CLASS_OF, Identity, People, class_of

MAX_SPEND_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """What the operator allows."""

    people: People
    max_spend_share: float = MAX_SPEND_SHARE
    """Of all spend of the last 24 h: an action on more of it takes two people."""

    def people_needed(self, asked: Asked) -> int:
        """Two for what cannot be undone, for what touches much, and where nobody knows how much."""
        kind = class_of(asked.action)
        if kind == "tell":
            return 1
        little = is_little(asked.spend_share, self.max_spend_share)
        return 1 if little and asked.reversible and kind != "revoke" else 2


def is_little(spend_share: float | None, most: float) -> bool:
    """Whether it surely touches no more than that; what is unknown or no number does not."""
    return spend_share is not None and spend_share <= most


def action_of(asked: Asked) -> ActionName:
    """The action of a stored proposal; raises KeyError for one that is on no list: nobody may decide it."""
    for name in CLASS_OF:
        if name == asked.action:
            return name
    raise KeyError(asked.action)


def objection(
    asked: Asked,
    verdict: Verdict,
    by: Identity,
    seen_hash: str | None,
    said: Sequence[Said],
    rules: ApprovalRules,
    now: datetime,
) -> str | None:
    """Why this person cannot say this of the proposal now, in words for them; None when they can."""
    return (
        _closed(asked, said, now)
        or _not_allowed(asked, verdict, by, rules.people)
        or _not_what_was_seen(asked, seen_hash)
        or _said_before(rules.people.person(by), verdict, said)
    )


def _closed(asked: Asked, said: Sequence[Said], now: datetime) -> str | None:
    if asked.state == "pending":
        return _expired_text(asked) if asked.expires_at <= now else None
    if asked.state == "expired":
        return _expired_text(asked)
    if asked.state == "superseded":
        return "it is not proposed any more: a later investigation found something else"
    decisive, verdict = ("reject", "rejected") if asked.state == "rejected" else ("approve", "approved")
    deciders = " and ".join(s.decided_by for s in said if s.verdict == decisive) or "somebody"
    return f"{deciders} {verdict} it already" + (f"; it is {asked.state}" if verdict == "approved" else "")


def _expired_text(asked: Asked) -> str:
    return f"it expired at {asked.expires_at:%Y-%m-%d %H:%M} UTC; investigate again to have it proposed anew"


def _not_allowed(asked: Asked, verdict: Verdict, by: Identity, people: People) -> str | None:
    if class_of(asked.action) is None:
        return f"{asked.action!r} is no known action, so nobody may decide it"
    action = action_of(asked)
    if not people.may(by, action):
        listed = people.approvers_of(action)
        who = f"those who may are {', '.join(listed)}" if listed else "nobody is on the list"
        return f"{people.person(by)} may not decide on {CLASS_OF[action]} actions; {who}"
    if verdict == "approve" and asked.requested_by == people.person(by):
        return f"{asked.requested_by} asked for it, so somebody else must approve it"
    return None


def _not_what_was_seen(asked: Asked, seen_hash: str | None) -> str | None:
    if seen_hash is None or seen_hash != asked.payload_hash:
        return "it has changed since it was shown; look at it again and decide then"
    return None


def _said_before(person: str, verdict: Verdict, said: Sequence[Said]) -> str | None:
    """Who approved may think better of it while it waits for a second person."""
    if verdict == "approve" and any(s.decided_by == person and s.verdict == "approve" for s in said):
        return f"{person} approved it already; it waits for a second person"
    return None
