"""Feedback on an incident in one transaction: row, audit entry, and word to everybody who was told."""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Connection, select

from tokensleuth.casebook.audit import Entry, append_entry
from tokensleuth.casebook.feedback import Feedback, FeedbackVerdict, add_feedback
from tokensleuth.casebook.schema import incidents
from tokensleuth.casebook.storable import storable
from tokensleuth.casebook.store import Casebook
from tokensleuth.casebook.telling import tell_incident

QUIET_FOR = timedelta(days=7)
"""How long what is expected is not alerted of; nothing is kept quiet for good."""


def say(
    casebook: Casebook,
    incident_id: str,
    verdict: FeedbackVerdict,
    by: str,
    now: datetime,
    *,
    quiet_for: timedelta = QUIET_FOR,
) -> Feedback | None:
    """What was kept; None where there is no such incident.

    What people say goes through `tuning.judging`, which also changes thresholds.
    """
    with casebook.writing() as connection:
        return say_within(connection, casebook.key, incident_id, verdict, by, now, quiet_for=quiet_for)


def say_within(
    connection: Connection,
    key: bytes,
    incident_id: str,
    verdict: FeedbackVerdict,
    by: str,
    now: datetime,
    *,
    quiet_for: timedelta = QUIET_FOR,
) -> Feedback | None:
    """As `say`, within the caller's write transaction."""
    scope = connection.scalar(select(incidents.c.scope).where(incidents.c.id == storable(incident_id)))
    if scope is None:
        return None
    until = now + min(quiet_for, QUIET_FOR) if verdict == "expected" else None
    given = Feedback(incident_id, verdict, cast(dict[str, str], scope), until, by, now)
    add_feedback(connection, given)
    append_entry(connection, Entry(by, f"said {verdict}", incident_id, given.as_json(), now), key)
    tell_incident(connection, incident_id, "feedback", {"verdict": verdict, "by": by}, now)
    return given
