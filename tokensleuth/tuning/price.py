"""What a raised threshold would have kept quiet lately, by the incidents of the casebook."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, cast

from sqlalchemy import Connection, select

from detectors.incidents import Direction
from ledger.scope import Dimension, Scope
from ledger.window import Window
from tokensleuth.announcing.quieting import height_of_document, is_tunable
from tokensleuth.casebook.feedback import FeedbackVerdict, last_words
from tokensleuth.casebook.records import JsonObject
from tokensleuth.casebook.schema import incidents, investigations
from tokensleuth.thresholds import Height, Threshold
from tokensleuth.tuning.raising import LOOKBACK

_AT_ONCE: Final = 500
"""Ids in one question: SQLite takes no more than some thousand."""


@dataclass(frozen=True, slots=True)
class Past:
    """An incident that people are alerted of, and their last word on it."""

    id: str
    height: Height
    said: FeedbackVerdict | None


@dataclass(frozen=True, slots=True)
class Price:
    """What would have been kept quiet."""

    past: tuple[Past, ...] = ()

    @property
    def usd(self) -> Decimal:
        """Drops count by their size."""
        return sum((abs(p.height.usd) for p in self.past), Decimal("0.00"))

    @property
    def real(self) -> tuple[Past, ...]:
        return tuple(p for p in self.past if p.said == "real")

    def as_json(self) -> dict[str, object]:
        return {
            "incidents": len(self.past),
            "usd": str(self.usd),
            "said_real": len(self.real),
            "incident_ids": [p.id for p in self.past],
        }


def past_concerned(
    connection: Connection, scope: Scope, direction: Direction, now: datetime
) -> tuple[Past, ...]:
    """Incidents of the last 28 days that a threshold of the scope would have been about."""
    lately = Threshold("", scope, Window(now - LOOKBACK, now), direction, min_usd=Decimal())
    documents = _documents(connection, lately)
    about = [d for d in documents if lately.concerns(height_of_document(d)) and is_tunable(d)]
    words = last_words(connection, [str(d["id"]) for d in about])
    return tuple(Past(str(d["id"]), height_of_document(d), words.get(str(d["id"]))) for d in about)


def least_real(past: Sequence[Past]) -> Decimal | None:
    """The height of the smallest that somebody said to be real."""
    return min((abs(p.height.usd) for p in past if p.said == "real"), default=None)


def _documents(connection: Connection, threshold: Threshold) -> list[JsonObject]:
    """Of the incidents in its scope and time; only those are read in full."""
    window = threshold.window
    touching = select(incidents.c.investigation_id, incidents.c.scope).where(
        incidents.c.start_at < window.end_at, incidents.c.end_at > window.start_at
    )
    ids = [row.investigation_id for row in connection.execute(touching) if _covers(threshold, row.scope)]
    found: list[JsonObject] = []
    for first in range(0, len(ids), _AT_ONCE):
        some = ids[first : first + _AT_ONCE]
        read = select(investigations.c.document).where(investigations.c.id.in_(some))
        found += [cast(JsonObject, document) for document in connection.scalars(read)]
    return sorted(found, key=lambda d: (str(d["start_at"]), str(d["id"])))


def _covers(threshold: Threshold, scope: dict[Dimension, str]) -> bool:
    return threshold.covers(Scope.of(scope))
