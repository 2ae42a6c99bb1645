"""When usage arrived and which hours it was of, by report and by file: read for completeness."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import cast

from ledger.catalogue import utc_naive
from ledger.engine import Engine, Row
from ledger.window import Window


@dataclass(frozen=True, slots=True)
class StreamMark:
    """How far one report of a source was pulled."""

    source: str
    stream: str
    complete_until: datetime
    pulled_at: datetime


@dataclass(frozen=True, slots=True)
class Came:
    """Hours of one file or report."""

    source: str
    """Its path, as it was loaded."""
    format: str
    hours: tuple[datetime, ...]
    last_at: datetime
    """The last of the hours, or the last instant at which something was loaded."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Questions about arrival; nothing is written."""

    engine: Engine

    def marks(self) -> list[StreamMark]:
        """Of every report that was ever pulled."""
        rows = self._rows("stream_marks", {})
        return [StreamMark(str(a), str(b), _aware(c), _aware(d)) for a, b, c, d in rows]

    def usage_hours(self, window: Window) -> list[Came]:
        """The hours in which something was used."""
        return _gathered((s, f, h, h) for s, f, h in self._rows("arrival_hours", _bounds(window)))

    def load_hours(self, window: Window) -> list[Came]:
        """The hours in which something new was loaded."""
        return _gathered(self._rows("load_hours", _bounds(window)))

    def _rows(self, name: str, parameters: Mapping[str, object]) -> list[Row]:
        sql = files("ledger").joinpath("queries", f"{name}.sql").read_text("utf-8")
        return list(self.engine.rows(sql, parameters))


def _bounds(window: Window) -> dict[str, object]:
    return {"start_at": utc_naive(window.start_at), "end_at": utc_naive(window.end_at)}


def _gathered(rows: Iterable[Row]) -> list[Came]:
    hours: dict[tuple[str, str], list[datetime]] = {}
    last: dict[tuple[str, str], datetime] = {}
    for source, format_, hour, at in rows:
        key = (str(source), str(format_))
        hours.setdefault(key, []).append(_aware(hour))
        last[key] = max(last.get(key, _aware(at)), _aware(at))
    return [Came(*key, tuple(found), last[key]) for key, found in hours.items()]


def _aware(value: object) -> datetime:
    return cast(datetime, value).replace(tzinfo=UTC)
