"""What people changed for a scope until a day: raised thresholds and planned events; rows are only added."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, cast

from sqlalchemy import Connection, RowMapping, func, insert, select

from detectors.incidents import Direction
from ledger.errors import RefusedError
from ledger.scope import Dimension, Scope
from ledger.window import Window, instant_text
from tokensleuth.casebook.audit import Entry, append_entry
from tokensleuth.casebook.schema_runs import tunings
from tokensleuth.casebook.storable import storable
from tokensleuth.thresholds import Threshold

if TYPE_CHECKING:
    from tools.calendar import CalendarEntry

TuningKind = Literal["threshold", "planned"]
TuningState = Literal["in_force", "undone"]

_COPIED = ("id", "kind", "state", "from_at", "until_at", "incident_id", "reason", "given_by", "given_at")


@dataclass(frozen=True, slots=True)
class Tuning:
    """One change of what people are alerted of, as its last row says."""

    id: str
    kind: TuningKind
    state: TuningState
    scope: Scope
    from_at: datetime
    until_at: datetime
    """It lapses then by itself."""
    document: Mapping[str, object]
    """Of a threshold: direction, min_usd, min_score, first_usd; of a planned event: the calendar entry."""
    incident_id: str | None
    """What they looked at when they said so."""
    reason: str | None
    given_by: str
    given_at: datetime

    def is_in_force(self, now: datetime) -> bool:
        return self.state == "in_force" and self.until_at > now

    def as_json(self, now: datetime) -> dict[str, object]:
        """`state` is in_force, lapsed or undone."""
        lapsed = self.state == "in_force" and self.until_at <= now
        copied = {name: getattr(self, name) for name in ("id", "kind", "incident_id", "reason", "given_by")}
        instants = {name: instant_text(getattr(self, name)) for name in ("from_at", "until_at", "given_at")}
        return {
            **copied,
            **instants,
            "state": "lapsed" if lapsed else self.state,
            "scope": dict(self.scope.items),
            "document": dict(self.document),
        }

    def threshold(self) -> Threshold:
        """Of a tuning of that kind."""
        usd, score = self.document["min_usd"], self.document["min_score"]
        return Threshold(
            tuning_id=self.id,
            scope=self.scope,
            window=Window(self.from_at, self.until_at),
            direction=cast(Direction, self.document["direction"]),
            min_usd=None if usd is None else Decimal(str(usd)),
            min_score=None if score is None else float(str(score)),
        )

    def calendar_entry(self) -> "CalendarEntry":
        """Of a planned event."""
        # Imported here: the tools load what who only acts on clicks need not wait for.
        from tools.calendar import CalendarEntry

        return CalendarEntry.model_validate(self.document)


def append_tuning(connection: Connection, tuning: Tuning, what: str, key: bytes) -> None:
    """Add the row and its audit entry, inside the caller's write transaction."""
    row: dict[str, object] = {name: getattr(tuning, name) for name in _COPIED}
    row |= {"scope": dict(tuning.scope.items), "document": dict(tuning.document)}
    connection.execute(insert(tunings).values(row))
    entry = Entry(tuning.given_by, what, tuning.id, tuning.as_json(tuning.given_at), tuning.given_at)
    append_entry(connection, entry, key)


def read_tunings(connection: Connection, *, ending_after: datetime | None = None) -> Sequence[Tuning]:
    """The last row of each, those that end first in front."""
    last = select(func.max(tunings.c.number)).group_by(tunings.c.id)
    statement = select(tunings).where(tunings.c.number.in_(last)).order_by(tunings.c.until_at, tunings.c.id)
    if ending_after is not None:
        statement = statement.where(tunings.c.until_at > ending_after)
    return [_tuning(row) for row in connection.execute(statement).mappings()]


def tuning_of(connection: Connection, tuning_id: str) -> Tuning | None:
    """As its last row says."""
    statement = select(tunings).where(tunings.c.id == storable(tuning_id)).order_by(tunings.c.number.desc())
    row = connection.execute(statement.limit(1)).mappings().first()
    return _tuning(row) if row else None


def tunings_in_force(
    connection: Connection, now: datetime, kind: TuningKind | None = None
) -> Sequence[Tuning]:
    """Neither lapsed nor undone; planned events that are yet to come are among them."""
    found = read_tunings(connection, ending_after=now)
    return [t for t in found if t.is_in_force(now) and kind in (None, t.kind)]


def thresholds_in_force(connection: Connection, now: datetime) -> tuple[Threshold, ...]:
    """All raised thresholds."""
    return tuple(t.threshold() for t in tunings_in_force(connection, now, "threshold"))


def planned_in_force(connection: Connection, now: datetime) -> "tuple[CalendarEntry, ...]":
    """All planned events."""
    return tuple(t.calendar_entry() for t in tunings_in_force(connection, now, "planned"))


def refuse_unless_in_force(
    connection: Connection, tuning_id: str, kind: TuningKind | None, now: datetime
) -> Tuning:
    """The tuning; raises RefusedError where there is none of the kind, or it is over."""
    found = tuning_of(connection, tuning_id)
    if found is None or kind not in (None, found.kind):
        what = "planned event" if kind == "planned" else "tuning"
        raise RefusedError(
            f"no {what} `{tuning_id}`; see: tokensleuth {'plan list' if kind == 'planned' else 'tunings'}"
        )
    if found.state == "undone":
        raise RefusedError(
            f"`{tuning_id}` was undone by {found.given_by} at {instant_text(found.given_at)} already"
        )
    if not found.is_in_force(now):
        raise RefusedError(
            f"`{tuning_id}` lapsed at {instant_text(found.until_at)}; there is nothing to undo"
        )
    return found


def _tuning(row: RowMapping) -> Tuning:
    scope = Scope.of(cast(dict[Dimension, str], row["scope"]))
    return Tuning(scope=scope, document=row["document"], **{name: row[name] for name in _COPIED})
