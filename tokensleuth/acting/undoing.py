"""Undo: a person, or the end of a temporary limit, asks for the former state; the executor restores it."""

from datetime import datetime

from sqlalchemy import Connection, update

from tokensleuth.approvals.deciding import Answer
from tokensleuth.approvals.rules import ApprovalRules, action_of
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Entry, append_entry
from tokensleuth.casebook.decided import Asked, read_asked
from tokensleuth.casebook.executed import Execution, begin, ends_by, executions_of
from tokensleuth.casebook.schema_acts import executions
from tokensleuth.casebook.telling import tell_incident
from tokensleuth.casebook.views import can_be_undone
from tokensleuth.people import Identity, class_of

EXPIRY = Identity("service", "expiry")
"""As `casebook.proposing.ENDED_BY_ITSELF` has it."""


def ask_undo(
    casebook: Casebook, proposal_id: str, by: Identity, rules: ApprovalRules, now: datetime
) -> Answer:
    """Queue the undo, which one allowed person may ask for; done at most once, and refused in words."""
    with casebook.writing() as connection:
        asked = read_asked(connection, proposal_id)
        if asked is None:
            answer = Answer("refused", f"there is no proposal {proposal_id}", proposal_id)
        else:
            answer = _asked_for(connection, asked, by, rules, now)
        document = {"identity": str(by), "told": answer.told, "incident_id": answer.incident_id}
        what = "undo asked" if answer.outcome == "approved" else "refused"
        entry = Entry(rules.people.person(by), what, proposal_id, document, now)
        append_entry(connection, entry, casebook.key)
    return answer


def end_temporary(casebook: Casebook, rules: ApprovalRules, now: datetime) -> list[Answer]:
    """Ask for the undo of every limit whose time is over."""
    with casebook.reading() as connection:
        over = ends_by(connection, now)
    return [ask_undo(casebook, execution.proposal_id, EXPIRY, rules, now) for execution in over]


def _asked_for(
    connection: Connection, asked: Asked, by: Identity, rules: ApprovalRules, now: datetime
) -> Answer:
    found = [e for e in executions_of(connection, asked.id) if e.round == asked.round]
    applied = next((e for e in found if e.kind == "apply"), None)
    undone = next((e for e in found if e.kind == "undo"), None)
    why = _objection(asked, applied, undone, by, rules)
    if why is not None or applied is None:
        return Answer("refused", why or "it was not done", asked.id, asked.incident_id)
    person = rules.people.person(by)
    _begin(connection, asked, applied, undone, person, now)
    told = (
        "its time is over: the former state is being restored" if by == EXPIRY else f"{person} takes it back"
    )
    tell_incident(connection, asked.incident_id, None, {}, now)
    return Answer("approved", told, asked.id, asked.incident_id)


def _objection(
    asked: Asked, applied: Execution | None, undone: Execution | None, by: Identity, rules: ApprovalRules
) -> str | None:
    if class_of(asked.action) is None:
        return f"{asked.action!r} is no known action, so nobody may undo it"
    people, action = rules.people, action_of(asked)
    if by != EXPIRY and not people.may(by, action):
        return f"{people.person(by)} may not decide on {action}"
    if applied is None or not _left_something(applied):
        state = applied.state if applied else asked.state
        return f"there is nothing to undo: it is {state}"
    if applied.dry_run:
        return "there is nothing to undo: it was a dry run"
    if not can_be_undone(asked.document):
        return f"it cannot be undone: {asked.document['undo']}"
    if undone is not None and undone.state not in ("blocked", "failed"):
        return f"{undone.requested_by} took it back already; that is {undone.state}"
    return None


def _left_something(applied: Execution) -> bool:
    """What nobody knows the outcome of may have come through: the undo reads first."""
    return applied.state == "done" or (applied.state == "unknown" and applied.wanted is not None)


def _begin(
    connection: Connection,
    asked: Asked,
    applied: Execution,
    undone: Execution | None,
    person: str,
    now: datetime,
) -> None:
    """A row of its own that the executor takes; one that was blocked or failed is begun anew."""
    if undone is None:
        begin(
            connection,
            asked,
            "undo",
            gateway=applied.gateway,
            dry_run=False,
            requested_by=person,
            owner=None,
            now=now,
        )
        return
    anew = {"state": "executing", "wanted": None, "before": None, "tries": 0, "owner": None}
    told = {"requested_by": person, "started_at": now, "finished_at": None, "reason": None, "next_at": now}
    counted = {"attempt": undone.attempt + 1}
    again = (executions.c.id == undone.id, executions.c.state == undone.state)
    connection.execute(update(executions).where(*again).values(anew | told | counted))
