"""How complete the hours of each source are: how far all its reports reached, and whether it still speaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from ledger.arrivals import Arrivals, Came, StreamMark
from ledger.store import Ledger
from ledger.window import HOUR, Window, floor_hour, instant_text, short_text
from tokensleuth.reconciling.settling import DAILY_STREAMS, settle_delay
from tokensleuth.reconciling.silence import LEARNT, Silence, rhythm_of, silence_of
from tokensleuth.reconciling.standing import SourceState, Standing, StreamState, text_of, told_of

FILES = "files"
"""The kind of what is loaded by hand; detection waits for none of it."""
PUSHED = frozenset({"otlp"})
"""Formats that arrive by themselves, hour by hour."""
LOOK_BACK = timedelta(weeks=8)
"""Four weeks to learn from, before a silence of up to four."""
WAIT_HOURS = 6


class Feed(Protocol):
    """A configured source, as `[[source]]` has it."""

    @property
    def kind(self) -> str: ...

    @property
    def called(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Completeness:
    """All sources at one moment."""

    at: datetime
    complete_until: datetime | None
    """Detection may score hours before it; None: nothing arrives by itself, the ledger is taken as it is."""
    sources: tuple[SourceState, ...]

    @property
    def stopped(self) -> tuple[SourceState, ...]:
        return tuple(source for source in self.sources if source.stopped)

    @property
    def waits(self) -> tuple[str, ...]:
        """What detection waits for, in words."""
        return tuple(source.text for source in self.sources if source.standing == "behind")

    def as_json(self) -> dict[str, object]:
        return {
            "at": instant_text(self.at),
            "complete_until": text_of(self.complete_until),
            "waits": list(self.waits),
            "sources": [source.as_json() for source in self.sources],
        }


def completeness(
    ledger: Ledger, sources: Sequence[Feed], now: datetime, *, wait_hours: int = WAIT_HOURS
) -> Completeness:
    """Of the configured sources, of what is pushed, and of the files that were loaded.

    A source that is behind holds detection back for `wait_hours` at most: one that cannot be reached must not
    blind the others.
    """
    arrivals = Arrivals(ledger.reader.engine)
    window = Window(floor_hour(now) - LOOK_BACK, floor_hour(now) + HOUR)
    seen = _Seen(arrivals.marks(), arrivals.usage_hours(window), arrivals.load_hours(window), now, wait_hours)
    states = [seen.pulled(feed) for feed in sources]
    states += seen.others(sources)
    waited = [s.complete_until for s in states if s.standing in ("complete", "behind", "stopped")]
    reached = [until for until in waited if until is not None]
    return Completeness(now, min(reached, default=None), tuple(states))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the ledger knows of arrivals."""

    marks: Sequence[StreamMark]
    usage: Sequence[Came]
    loads: Sequence[Came]
    now: datetime
    wait_hours: int

    def pulled(self, feed: Feed) -> SourceState:
        """Complete as far as its slowest report, each less what it may still change."""
        settle = settle_delay(feed.kind)
        streams = tuple(
            StreamState(mark.stream, min(mark.complete_until, floor_hour(mark.pulled_at - settle)))
            for mark in self.marks
            if mark.source == feed.called and mark.stream not in DAILY_STREAMS
        )
        if not streams:
            text = f"{feed.called}: never pulled; detection does not wait for it"
            return SourceState(feed.called, feed.kind, "never_pulled", None, None, None, (), None, text)
        until = min(stream.complete_until for stream in streams)
        hours = _hours([came for came in self.usage if _stream_of(came) in _paths(feed.called, streams)])
        silence = _silence(hours, until)
        return self._told(feed.called, feed.kind, until, hours, streams, silence)

    def others(self, feeds: Sequence[Feed]) -> list[SourceState]:
        """What is pushed, each format by itself, and files as one."""
        pulled = {f"{mark.source}.{mark.stream}" for mark in self.marks}
        loose = [came for came in self.usage if _stream_of(came) not in pulled]
        loaded = [came for came in self.loads if _stream_of(came) not in pulled]
        named = {feed.called for feed in feeds}
        pushed = sorted({came.format for came in (*loose, *loaded) if came.format in PUSHED} - named)
        found = [self._pushed(name, loose, loaded) for name in pushed]
        files = [came for came in loaded if came.format not in PUSHED]
        return [*found, self._files(files)] if files else found

    def _pushed(self, name: str, loose: Sequence[Came], loaded: Sequence[Came]) -> SourceState:
        until = floor_hour(self.now - settle_delay(name))
        hours = _hours([came for came in loose if came.format == name])
        heard = _hours([came for came in loaded if came.format == name]) or hours
        return self._told(name, name, until, hours, (), _silence(heard, until))

    def _files(self, files: Sequence[Came]) -> SourceState:
        """When they are loaded has a rhythm of its own; what hours they are of does not."""
        last = max(came.last_at for came in files)
        silence = _silence(_hours(files), floor_hour(self.now))
        stopped = silence is not None and silence.stopped_at is not None
        text = f"files: last loaded {short_text(last)} UTC; detection takes them as they come"
        if stopped:
            text = f"files: nothing loaded since {short_text(last)} UTC, longer than usual"
        return SourceState(
            FILES, FILES, "stopped" if stopped else "loaded", None, self.now - last, last, (), silence, text
        )

    def _told(
        self,
        name: str,
        kind: str,
        until: datetime,
        hours: Sequence[datetime],
        streams: tuple[StreamState, ...],
        silence: Silence | None,
    ) -> SourceState:
        lag = self.now - until
        standing = self._standing(kind, lag, silence)
        last = hours[-1] if hours else None
        return SourceState(
            source=name,
            kind=kind,
            standing=standing,
            complete_until=until,
            lag=lag,
            last_hour=last,
            streams=streams,
            silence=silence,
            text=told_of(name, standing, until, lag, streams, last),
        )

    def _standing(self, kind: str, lag: timedelta, silence: Silence | None) -> Standing:
        """An hour and what it takes to settle are no lag: hours are complete when they are over."""
        usual = settle_delay(kind) + 2 * HOUR
        if lag > self.wait_hours * HOUR + usual:
            return "given_up"
        if lag > usual:
            return "behind"
        return "stopped" if silence is not None and silence.stopped_at is not None else "complete"


def _silence(hours: Sequence[datetime], known_until: datetime) -> Silence | None:
    """Of the hours in which it was heard, learnt from the four weeks up to the last of them."""
    heard = [hour for hour in hours if hour < known_until]
    if not heard:
        return None
    last = heard[-1]
    first = max(heard[0], last + HOUR - LEARNT)
    flags = np.zeros(int((last - first) / HOUR) + 1, dtype=np.bool_)
    flags[[int((hour - first) / HOUR) for hour in heard if hour >= first]] = True
    return silence_of(rhythm_of(flags, first), last, known_until)


def _hours(came: Sequence[Came]) -> list[datetime]:
    return sorted({hour for each in came for hour in each.hours})


def _stream_of(came: Came) -> str:
    """`openai.completions` of the file that its report was loaded from."""
    return came.source.replace("\\", "/").rpartition("/")[2].removesuffix(".jsonl")


def _paths(source: str, streams: Sequence[StreamState]) -> frozenset[str]:
    return frozenset(f"{source}.{stream.name}" for stream in streams)
