"""How good the alerts of a time were, by what people said of them."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ledger.window import Window
from tokensleuth.casebook.feedback import last_words
from tokensleuth.casebook.schema_acts import audit, messages


@dataclass(frozen=True, slots=True)
class AlertQuality:
    """Incidents by the last word on them; each counts once, however many channels were told of it."""

    alerted: int
    """First told of in that time."""
    real: int
    expected: int
    not_an_issue: int
    silent: int
    """Nobody said anything of them."""
    kept_quiet: int
    """Found in that time, and not told of because of a mark or a raised threshold."""

    @property
    def precision(self) -> float | None:
        """Real ones of those called real or no issue; None where nobody said either.

        What was expected is left out: it was there, and the alert told nothing new.
        """
        judged = self.real + self.not_an_issue
        return self.real / judged if judged else None

    def as_json(self) -> dict[str, object]:
        counts = {name: getattr(self, name) for name in AlertQuality.__dataclass_fields__}
        return counts | {"precision": None if self.precision is None else round(self.precision, 4)}


def alert_quality(connection: Connection, window: Window) -> AlertQuality:
    """Of the incidents that somebody was first told of in the window; words count whenever they were said."""
    first = func.min(messages.c.asked_at)
    told = (
        select(messages.c.incident_id)
        .group_by(messages.c.incident_id)
        .having(first >= window.start_at, first < window.end_at)
    )
    alerted = list(connection.scalars(told))
    words = list(last_words(connection, alerted).values())
    return AlertQuality(
        alerted=len(alerted),
        real=words.count("real"),
        expected=words.count("expected"),
        not_an_issue=words.count("not-an-issue"),
        silent=len(alerted) - len(words),
        kept_quiet=_kept_quiet(connection, window),
    )


def _kept_quiet(connection: Connection, window: Window) -> int:
    within = (audit.c.at >= window.start_at, audit.c.at < window.end_at)
    subjects = select(func.count(audit.c.subject.distinct())).where(audit.c.what == "kept quiet", *within)
    return int(connection.scalar(subjects) or 0)
