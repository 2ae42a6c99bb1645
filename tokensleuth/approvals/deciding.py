"""`decide`: a person's word becomes the one decision of a proposal's round, or is refused with a reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from tokensleuth.approvals.rules import ApprovalRules, objection
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Entry, append_entry
from tokensleuth.casebook.decided import Asked, Said, Verdict, add_word, lapsed, move, read_asked, words_of
from tokensleuth.casebook.telling import tell_incident
from tokensleuth.people import Identity

Outcome = Literal["approved", "rejected", "waiting", "refused"]


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants decided."""

    proposal_id: str
    verdict: Verdict
    by: Identity
    seen_hash: str | None
    """The payload hash of what they were shown; another one in the casebook refuses."""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of it."""

    outcome: Outcome
    told: str
    """One sentence for the person."""
    proposal_id: str
    incident_id: str | None = None
    needed: int = 1
    approvals: int = 0

    def as_json(self) -> dict[str, object]:
        return {
            "proposal_id": self.proposal_id,
            "incident_id": self.incident_id,
            "outcome": self.outcome,
            "told": self.told,
            "approvals": self.approvals,
            "needed": self.needed,
        }


def decide(casebook: Casebook, request: Request, rules: ApprovalRules, now: datetime) -> Answer:
    """Take the decision in one transaction with its audit entry and its letters; the first one wins.

    Refusals are audited too. Raises UnreachableError where the casebook cannot be written: nothing happened.
    """
    with casebook.writing() as connection:
        asked = read_asked(connection, request.proposal_id)
        if asked is None:
            answer = Answer("refused", f"there is no proposal {request.proposal_id}", request.proposal_id)
        else:
            answer = _decided(connection, asked, request, rules, now)
        entry = _entry(request, answer, rules, asked, now)
        append_entry(connection, entry, casebook.key)
    return answer


def expire_lapsed(casebook: Casebook, now: datetime) -> list[str]:
    """Mark what nobody decided in time: from then on also a clock that is set back does not revive it."""
    with casebook.reading() as connection:
        if not lapsed(connection, now):
            return []
    with casebook.writing() as connection:
        moved = [a for a in lapsed(connection, now) if move(connection, a, to="expired", now=now)]
        for asked in moved:
            document = {"incident_id": asked.incident_id, "round": asked.round}
            entry = Entry("service:clock", "expired", asked.id, document, now)
            append_entry(connection, entry, casebook.key)
            tell_incident(connection, asked.incident_id, None, {}, now)
    return [asked.id for asked in moved]


def _decided(
    connection: Connection,
    asked: Asked,
    request: Request,
    rules: ApprovalRules,
    now: datetime,
) -> Answer:
    said = words_of(connection, asked.id, asked.round)
    why = objection(asked, request.verdict, request.by, request.seen_hash, said, rules, now)
    if why is not None:
        return _refused(connection, asked, why, now)
    person = rules.people.person(request.by)
    word = Said(request.verdict, person, str(request.by), request.reason, now)
    add_word(connection, asked, word)
    approvals = sum(s.verdict == "approve" for s in [*said, word])
    needed = rules.people_needed(asked) if request.verdict == "approve" else 1
    if request.verdict == "approve" and approvals < needed:
        told = f"{person} approved; it takes {needed} people, so one more must"
        answer = Answer("waiting", told, asked.id, asked.incident_id, needed, approvals)
    else:
        outcome: Literal["approved", "rejected"] = "approved" if request.verdict == "approve" else "rejected"
        if not move(connection, asked, to=outcome, now=now):
            raise RuntimeError(f"{asked.id} changed under a lock")
        answer = Answer(outcome, f"{person} {outcome} it", asked.id, asked.incident_id, needed, approvals)
    body = {"proposal_id": asked.id, "outcome": answer.outcome, "told": answer.told, "reason": request.reason}
    tell_incident(connection, asked.incident_id, "decided", body, now)
    return answer


def _refused(connection: Connection, asked: Asked, why: str, now: datetime) -> Answer:
    """A decision that comes too late also marks the proposal as expired."""
    if asked.state == "pending" and asked.expires_at <= now:
        move(connection, asked, to="expired", now=now)
        tell_incident(connection, asked.incident_id, None, {}, now)
    return Answer("refused", why, asked.id, asked.incident_id)


def _entry(
    request: Request, answer: Answer, rules: ApprovalRules, asked: Asked | None, now: datetime
) -> Entry:
    document = {
        "verdict": request.verdict,
        "identity": str(request.by),
        "told": answer.told,
        "reason": request.reason,
        "payload_hash": asked.payload_hash if asked else None,
        "round": asked.round if asked else None,
        "incident_id": answer.incident_id,
    }
    actor = rules.people.person(request.by)
    return Entry(actor, answer.outcome, request.proposal_id, document, now)
