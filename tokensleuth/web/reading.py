"""What pages ask of the casebook beyond one incident: who waits, what was decided lately, the trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from ledger.window import instant_text
from tokensleuth.casebook import JsonObject
from tokensleuth.casebook.schema import incidents, investigations, proposals
from tokensleuth.casebook.schema_acts import audit, decisions
from tokensleuth.casebook.views import IncidentView, ProposalView, incident_of, read_view

MOST_GROUPS = 40
"""Incidents on one page of the inbox."""
MOST_DECIDED = 15
PAGE = 50


@dataclass(frozen=True, slots=True)
class Inbox:
    """What the first page shows."""

    waiting: Sequence[IncidentView]
    more: int
    """Incidents that wait beyond those."""
    decided: Sequence[ProposalView]
    """Latest first."""


def read_inbox(connection: Connection, now: datetime) -> Inbox:
    """What waits for a decision by incident, the latest first, and what was decided lately."""
    waits = (proposals.c.state == "pending", proposals.c.expires_at > now)
    statement = (
        select(incidents.c.id)
        .where(incidents.c.id.in_(select(proposals.c.incident_id).where(*waits)))
        .order_by(incidents.c.start_at.desc(), incidents.c.id)
    )
    ids = [str(found) for found in connection.scalars(statement)]
    shown = [read_view(connection, incident_id, now=now) for incident_id in ids[:MOST_GROUPS]]
    return Inbox(
        waiting=[view for view in shown if view is not None],
        more=max(0, len(ids) - MOST_GROUPS),
        decided=_lately_decided(connection, now),
    )


def find_proposal(connection: Connection, proposal_id: str, now: datetime) -> ProposalView | None:
    """One that is not superseded."""
    incident_id = incident_of(connection, proposal_id)
    view = None if incident_id is None else read_view(connection, incident_id, now=now)
    found = (p for p in view.proposals if p.id == proposal_id) if view else iter(())
    return next(found, None)


def read_incident_rows(connection: Connection, *, after: str | None) -> Sequence[JsonObject]:
    """A page of incidents without their reports, latest first, from the one after `after` on."""
    waits = (
        select(func.count())
        .where(proposals.c.incident_id == incidents.c.id, proposals.c.state == "pending")
        .scalar_subquery()
    )
    columns = (
        "id", "start_at", "end_at", "scope", "verdict", "cause", "confidence", "delta_usd", "actual_usd",
    )  # fmt: skip
    statement = select(*(incidents.c[name] for name in columns), waits.label("waiting")).order_by(
        incidents.c.start_at.desc(), incidents.c.id
    )
    if after is not None:
        last = connection.execute(select(incidents.c.start_at).where(incidents.c.id == after)).scalar()
        if last is not None:
            earlier = incidents.c.start_at < last
            statement = statement.where(earlier | ((incidents.c.start_at == last) & (incidents.c.id > after)))
    rows = connection.execute(statement.limit(PAGE + 1)).mappings()
    return [dict(row) | {name: instant_text(row[name]) for name in ("start_at", "end_at")} for row in rows]


def read_trail(connection: Connection, *, before: int | None, subject: str | None) -> Sequence[JsonObject]:
    """A page of the audit trail, latest first."""
    statement = select(audit).order_by(audit.c.number.desc()).limit(PAGE + 1)
    if before is not None:
        statement = statement.where(audit.c.number < before)
    if subject is not None:
        statement = statement.where(audit.c.subject == subject)
    copied = ("number", "actor", "what", "subject", "document", "mac")
    return [
        {name: row[name] for name in copied} | {"at": instant_text(row["at"])}
        for row in connection.execute(statement).mappings()
    ]


def is_empty(connection: Connection) -> bool:
    """Whether nothing was ever investigated."""
    return connection.scalar(select(investigations.c.id).limit(1)) is None


def _lately_decided(connection: Connection, now: datetime) -> Sequence[ProposalView]:
    last = func.max(decisions.c.number)
    statement = (
        select(decisions.c.proposal_id)
        .join(proposals, proposals.c.id == decisions.c.proposal_id)
        .where(proposals.c.state.not_in(("pending", "superseded")))
        .group_by(decisions.c.proposal_id)
        .order_by(last.desc())
        .limit(MOST_DECIDED)
    )
    found = [find_proposal(connection, str(each), now) for each in connection.scalars(statement)]
    return [view for view in found if view is not None]
