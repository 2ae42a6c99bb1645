"""What people say of an incident: expected, not an issue, or real; rows are added, the last one counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, RowMapping, func, insert, select

from ledger.window import instant_text
from tokensleuth.casebook.schema_acts import feedback

FeedbackVerdict = Literal["expected", "not-an-issue", "real"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """One person's word on an incident."""

    incident_id: str
    verdict: FeedbackVerdict
    scope: Mapping[str, str]
    until_at: datetime | None
    """Until when the scope is not alerted of again; None: this incident only."""
    given_by: str
    given_at: datetime

    def is_over(self, now: datetime) -> bool:
        """Whether it was said for a time that is past."""
        return self.until_at is not None and self.until_at <= now

    def as_json(self) -> dict[str, object]:
        return {
            "incident_id": self.incident_id,
            "verdict": self.verdict,
            "scope": dict(self.scope),
            "until_at": None if self.until_at is None else instant_text(self.until_at),
            "given_by": self.given_by,
            "given_at": instant_text(self.given_at),
        }


def add_feedback(connection: Connection, given: Feedback) -> None:
    """Keep it."""
    connection.execute(insert(feedback).values({n: getattr(given, n) for n in Feedback.__dataclass_fields__}))


def feedback_of(connection: Connection, incident_id: str) -> Sequence[Feedback]:
    """All of an incident, latest first."""
    statement = (
        select(feedback).where(feedback.c.incident_id == incident_id).order_by(feedback.c.number.desc())
    )
    return [_feedback(row) for row in connection.execute(statement).mappings()]


def last_words(connection: Connection, incident_ids: Sequence[str]) -> Mapping[str, FeedbackVerdict]:
    """The last word on each incident that somebody said something of."""
    last = select(func.max(feedback.c.number)).group_by(feedback.c.incident_id)
    statement = select(feedback.c.incident_id, feedback.c.verdict).where(feedback.c.number.in_(last))
    wanted = set(incident_ids)
    return {
        row.incident_id: row.verdict for row in connection.execute(statement) if row.incident_id in wanted
    }


def expected_at(connection: Connection, now: datetime) -> Sequence[Feedback]:
    """What is marked as expected now: the last word on its incident, and not over yet."""
    last = select(func.max(feedback.c.number)).group_by(feedback.c.incident_id)
    statement = select(feedback).where(
        feedback.c.number.in_(last), feedback.c.verdict == "expected", feedback.c.until_at > now
    )
    return [_feedback(row) for row in connection.execute(statement).mappings()]


def _feedback(row: RowMapping) -> Feedback:
    return Feedback(**{name: row[name] for name in Feedback.__dataclass_fields__})
