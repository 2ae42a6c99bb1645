"""What is in force or open when a digest is made: tunings and notices."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from tokensleuth.casebook.notices import open_notices
from tokensleuth.casebook.tunings import Tuning, tunings_in_force
from tokensleuth.digest.case_facts import NoticeFact, TuningFact
from tokensleuth.terminal.text import usd


def tuning_facts(connection: Connection, now: datetime) -> Sequence[TuningFact]:
    """Those that are not undone and not over; the first to end comes first."""
    return [
        TuningFact(
            id=tuning.id,
            kind=tuning.kind,
            scope=tuning.scope,
            what=_what(tuning),
            until_at=tuning.until_at,
            reason=tuning.reason,
            given_by=tuning.given_by,
        )
        for tuning in tunings_in_force(connection, now)
    ]


def notices_open(connection: Connection) -> Sequence[NoticeFact]:
    """Earliest first."""
    return [
        NoticeFact(kept.notice.kind, kept.notice.title, kept.notice.severity, kept.opened_at)
        for kept in open_notices(connection)
    ]


def _what(tuning: Tuning) -> str:
    if tuning.kind == "planned":
        entry = tuning.calendar_entry()
        return f"{entry.what} is planned for {entry.window}"
    threshold = tuning.threshold()
    bounds = [usd(threshold.min_usd)] if threshold.min_usd is not None else []
    bounds += [f"a score of {threshold.min_score:g}"] if threshold.min_score is not None else []
    changes = "drops" if threshold.direction == "down" else "rises"
    return f"no alert of {changes} below {' and below '.join(bounds)}"
