"""How one source stands: how far it is complete, how far behind, whether it stopped, and that in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ledger.window import HOUR, instant_text, short_text
from tokensleuth.reconciling.silence import Silence

Standing = Literal["complete", "behind", "given_up", "never_pulled", "stopped", "loaded"]
"""`given_up`: behind so long that detection goes on without it; `loaded`: files, which nothing waits for."""


@dataclass(frozen=True, slots=True)
class StreamState:
    """One report of a source."""

    name: str
    complete_until: datetime


@dataclass(frozen=True, slots=True)
class SourceState:
    """One source."""

    source: str
    kind: str
    standing: Standing
    complete_until: datetime | None
    """Hours before it are whole and settled; None where it was never pulled."""
    lag: timedelta | None
    last_hour: datetime | None
    """The start of the last hour with usage; of files, when they were last loaded."""
    streams: tuple[StreamState, ...]
    silence: Silence | None
    """None where it was never heard."""
    text: str

    @property
    def stopped(self) -> bool:
        return self.silence is not None and self.silence.stopped_at is not None

    def as_json(self) -> dict[str, object]:
        return {
            "source": self.source,
            "kind": self.kind,
            "standing": self.standing,
            "complete_until": text_of(self.complete_until),
            "lag_seconds": None if self.lag is None else int(self.lag.total_seconds()),
            "last_hour": text_of(self.last_hour),
            "stopped": self.stopped,
            "stopped_at": text_of(self.silence.stopped_at) if self.silence else None,
            "silent_hours": self.silence.hours if self.silence else None,
            "streams": [
                {"stream": s.name, "complete_until": text_of(s.complete_until)} for s in self.streams
            ],
            "text": self.text,
        }


def told_of(
    name: str,
    standing: Standing,
    until: datetime,
    lag: timedelta,
    streams: Sequence[StreamState],
    last: datetime | None,
) -> str:
    slowest = min(streams, key=lambda s: (s.complete_until, s.name)).name if streams else ""
    told = f"{name} {slowest}".strip() + f": complete until {short_text(until)} UTC"
    hours = f"{int(lag / HOUR)} h behind"
    match standing:
        case "behind":
            return f"{told}, {hours}; detection waits"
        case "given_up":
            return f"{told}, {hours}; detection goes on without it"
        case "stopped" if last is not None:
            return f"{told}, but nothing was used since {short_text(last + HOUR)} UTC, longer than usual"
        case _:
            return told


def text_of(instant: datetime | None) -> str | None:
    return instant_text(instant) if instant else None
