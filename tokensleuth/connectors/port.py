"""The port behind which a source is pulled: a few streams, each asked window by window.

A source only reads; what it tells is loaded, remembered and marked by `syncing`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal, Protocol

from pydantic import JsonValue

from ledger.ingest.source import SourceFormat
from ledger.sources.told import Cells, ToldCost, Wrong
from ledger.window import Window

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Line:
    """One row to be loaded, and where it stood, for people."""

    place: str
    row: JsonValue


@dataclass(frozen=True, slots=True)
class Name:
    """What people call an id."""

    provider: str
    dimension: Literal["project", "key_id", "user"]
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a stream told of one window; what is wrong in it is told beside what is right."""

    lines: Sequence[Line] = ()
    remembered: dict[str, tuple[datetime, Cells]] = field(default_factory=dict)
    """By record id, for streams that tell sums of buckets: their rows may vanish when they are told again."""
    hours: frozenset[datetime] = frozenset()
    """The buckets that were told whole."""
    wrong: Sequence[Wrong] = ()
    costs: Sequence[ToldCost] = ()
    days: frozenset[date] = frozenset()
    names: Sequence[Name] = ()
    """Those that stood in the rows themselves."""


class SourceStream(Protocol):
    """One report: hourly usage, requests, or daily costs."""

    @property
    def name(self) -> str: ...

    @property
    def grain(self) -> timedelta:
        """Windows begin and end on whole ones of it: hours, or days."""
        ...

    @property
    def step(self) -> timedelta:
        """How much is asked for, loaded and marked at a time."""
        ...

    @property
    def format(self) -> SourceFormat:
        """Of its lines."""
        ...

    def pull(self, window: Window) -> Report:
        """Raises GatewayError where not all of it could be read."""
        ...


class Source(Protocol):
    """One configured provider or gateway."""

    @property
    def name(self) -> str: ...

    @property
    def provider(self) -> str:
        """Whose daily costs it tells."""
        ...

    streams: Sequence[SourceStream]

    def names(self) -> Iterable[Name]:
        """Of keys, projects and users, by calls of their own. Raises GatewayError."""
        ...

    def close(self) -> None: ...


def steps(window: Window, step: timedelta) -> Iterator[Window]:
    """The window in parts, oldest first."""
    start_at = window.start_at
    while start_at < window.end_at:
        end_at = min(start_at + step, window.end_at)
        yield Window(start_at, end_at)
        start_at = end_at
