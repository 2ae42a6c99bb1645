"""The operator's own calendar: what was planned, when, and for which scope."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ledger.errors import RefusedError
from ledger.scope import Dimension, Scope, parse_dimension
from ledger.window import HOUR, Window

Text = Annotated[str, Field(min_length=1)]
Moment = datetime | date


class CalendarEntry(BaseModel):
    """A `[[calendar]]` table: a launch, a campaign, a backfill that was announced."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Moment
    """A day, or an instant with its offset."""
    end: Moment
    """The last day, included; or the instant at which it is over."""
    what: Text
    where: Mapping[Dimension, Text] = Field(default_factory=dict)
    """Whom it concerns; nothing: everybody."""

    @field_validator("where", mode="before")
    @classmethod
    def _names_dimensions(cls, where: object) -> object:
        if not isinstance(where, Mapping):
            return where
        try:
            return {parse_dimension(str(name)): value for name, value in where.items()}
        except RefusedError as error:
            raise ValueError(str(error)) from None

    @field_validator("start", "end", mode="before")
    @classmethod
    def _is_a_moment(cls, given: object) -> Moment:
        """pydantic alone would take a number for seconds since 1970."""
        moment = _parsed(given) if isinstance(given, str) else given
        if not isinstance(moment, date):
            raise ValueError("must be a day such as 2026-11-27, or an instant with its offset")
        if isinstance(moment, datetime) and moment.tzinfo is None:
            raise ValueError("has no offset to utc; add one, or give a day")
        return moment

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Self:
        if _begin(self.start) >= _finish(self.end):
            raise ValueError(f"end {self.end} must not be before start {self.start}")
        return self

    @property
    def window(self) -> Window:
        return Window(_begin(self.start), _finish(self.end))

    @property
    def scope(self) -> Scope:
        return Scope.of(self.where)


def _parsed(text: str) -> Moment | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-11-27") else datetime.fromisoformat(text)
    except ValueError:
        return None


def _begin(moment: Moment) -> datetime:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else _midnight(moment)


def _finish(moment: Moment) -> datetime:
    """Days are included, instants are not."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return _midnight(moment) + timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def entries_about(calendar: Sequence[CalendarEntry], window: Window, where: Scope) -> list[CalendarEntry]:
    """Entries that overlap the window and concern the scope or a part of it, earliest first."""
    found = [
        entry
        for entry in calendar
        if entry.window.overlap(window) and (entry.scope.contains(where) or where.contains(entry.scope))
    ]
    return sorted(found, key=lambda entry: (entry.window, entry.what))


def covered_share(calendar: Sequence[CalendarEntry], window: Window, where: Scope) -> float:
    """The share of the window's hours in which an entry for all of the scope was in force."""
    spans = [entry.window for entry in calendar if entry.scope.contains(where)]
    hours = [Window(at, at + HOUR) for at in window.each_hour()]
    return sum(any(span.overlap(hour) for span in spans) for hour in hours) / len(hours) if hours else 0.0
