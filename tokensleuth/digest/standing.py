"""What is in force or open when a digest is made: tunings, notices, the end of the audit trail."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, func, select

from ledger.scope import Dimension, Scope
from tokensleuth.casebook.notices import open_notices
from tokensleuth.casebook.schema_runs import tunings
from tokensleuth.digest.case_facts import NoticeFact, TuningFact


def tunings_in_force(connection: Connection, now: datetime) -> Sequence[TuningFact]:
    """The last row of each that is not undone and not over, those that end first first."""
    last = select(func.max(tunings.c.number)).group_by(tunings.c.id)
    statement = (
        select(tunings)
        .where(tunings.c.number.in_(last), tunings.c.state == "in_force", tunings.c.until_at > now)
        .order_by(tunings.c.until_at, tunings.c.id)
    )
    return [
        TuningFact(
            id=row["id"],
            kind=row["kind"],
            scope=Scope.of(cast(dict[Dimension, str], row["scope"])),
            until_at=row["until_at"],
            reason=row["reason"],
            given_by=row["given_by"],
        )
        for row in connection.execute(statement).mappings()
    ]


def notices_open(connection: Connection) -> Sequence[NoticeFact]:
    """Earliest first."""
    return [
        NoticeFact(kept.notice.kind, kept.notice.title, kept.notice.severity, kept.opened_at)
        for kept in open_notices(connection)
    ]
