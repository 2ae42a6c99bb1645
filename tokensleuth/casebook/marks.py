"""What people marked as expected: until a mark ends, nobody is alerted of its scope again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from sqlalchemy import Connection, RowMapping, select

from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.window import instant_text
from tokensleuth.casebook.decided import Said, words_of
from tokensleuth.casebook.feedback import expected_at
from tokensleuth.casebook.schema import proposals

LONGEST = timedelta(days=7)
"""A mark is forgotten by those who set it; whatever it says, it ends a week after it was given."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One person's word that a scope is expected to stray."""

    source: Literal["feedback", "proposal"]
    incident_id: str
    """What they looked at when they said so."""
    scope: Scope
    until_at: datetime
    given_by: str
    given_at: datetime

    def covers(self, scope: Scope) -> bool:
        """A mark on all spend covers all spend alone: one click must not silence every alert."""
        return self.scope == scope if self.scope == EVERYTHING else self.scope.contains(scope)

    def as_json(self) -> dict[str, object]:
        return {
            "source": self.source,
            "incident_id": self.incident_id,
            "scope": dict(self.scope.items),
            "until_at": instant_text(self.until_at),
            "given_by": self.given_by,
            "given_at": instant_text(self.given_at),
        }


def marks_in_force(connection: Connection, now: datetime) -> Sequence[Mark]:
    """All that keep alerts quiet now, those that last longest first."""
    given = [*_from_feedback(connection, now), *_approved(connection)]
    return sorted(
        (mark for mark in given if mark.until_at > now),
        key=lambda mark: (-mark.until_at.timestamp(), mark.incident_id, mark.scope),
    )


def _from_feedback(connection: Connection, now: datetime) -> Sequence[Mark]:
    """Also approved proposals once they are carried out: that is written down as feedback."""
    return [
        Mark(
            source="feedback",
            incident_id=given.incident_id,
            scope=Scope.of(cast(dict[Dimension, str], given.scope)),
            until_at=min(given.until_at, given.given_at + LONGEST),
            given_by=given.given_by,
            given_at=given.given_at,
        )
        for given in expected_at(connection, now)
        if given.until_at is not None
    ]


def _approved(connection: Connection) -> Sequence[Mark]:
    """Approved, and not carried out yet."""
    statement = select(proposals).where(
        proposals.c.action == "mark_expected", proposals.c.state.in_(("approved", "executing"))
    )
    rows = connection.execute(statement).mappings().all()
    said = [(row, words_of(connection, row["id"], row["round"])) for row in rows]
    return [_approved_mark(row, words) for row, words in said if words]


def _approved_mark(row: RowMapping, words: Sequence[Said]) -> Mark:
    document = cast(Mapping[str, Mapping[str, str]], row["document"])
    given_at = max(said.decided_at for said in words)
    return Mark(
        source="proposal",
        incident_id=row["incident_id"],
        scope=_target(document["target"]),
        until_at=min(datetime.fromisoformat(document["parameters"]["until"]), given_at + LONGEST),
        given_by=" and ".join(said.decided_by for said in words),
        given_at=given_at,
    )


def _target(target: Mapping[str, str]) -> Scope:
    return Scope.of(cast(dict[Dimension, str], {d: v for d, v in target.items() if d != "gateway"}))
