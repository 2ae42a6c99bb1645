"""What a point of a series adds, and to which hours: cumulative ones by their difference to what was seen."""

from typing import Literal, NamedTuple

from ledger.sources.otlp_metrics import HOUR_NANOS, MOST_NANOS, TokenPoint

Step = Literal["new", "more", "reset", "baseline", "old", "repeat"]


class Seen(NamedTuple):
    """The last point of a series: for cumulative ones of this start, for delta ones of any."""

    start: int
    time: int
    calls: int
    tokens: int


class Share(NamedTuple):
    """What falls into one hour, counted since 1970."""

    hour: int
    calls: int
    tokens: int


class Advance(NamedTuple):
    """What became of a point."""

    step: Step
    seen: Seen
    shares: tuple[Share, ...] = ()


def advance(point: TokenPoint, seen: Seen | None, *, since: int | None) -> Advance:
    """`since`: when a cumulative series that was not seen before was 0 for certain, in nanoseconds.

    Where that is not known its first value is where counting begins: it may have been counted elsewhere.
    """
    now = Seen(point.start, point.time, point.calls, point.tokens)
    if not point.is_cumulative:
        return _delta(point, seen, now)
    if seen is None:
        if since is None:
            return Advance("baseline", now)
        return Advance("new", now, _shares(since, now, now.calls, now.tokens))
    if point.time <= seen.time:
        return Advance("repeat" if now == seen else "old", seen)
    if point.tokens < seen.tokens or point.calls < seen.calls:
        # The specification asks for a new start time then; an emitter that keeps it began again all the same.
        return Advance("reset", now, _shares(seen.time, now, now.calls, now.tokens))
    added = (now.calls - seen.calls, now.tokens - seen.tokens)
    return Advance("more", now, _shares(seen.time, now, *added))


def _delta(point: TokenPoint, seen: Seen | None, now: Seen) -> Advance:
    """Points that overlap are those of processes that share a name: only the very same is not counted."""
    if seen is not None and (seen.start, seen.time) == (now.start, now.time):
        return Advance("repeat", seen)
    last = now if seen is None or now.time > seen.time else seen
    return Advance("more", last, _shares(point.start, now, now.calls, now.tokens))


def _shares(start: int, now: Seen, calls: int, tokens: int) -> tuple[Share, ...]:
    """To the hour that most of the interval lies in; of one longer than an hour, evenly to all it touches."""
    if not calls and not tokens:
        return ()
    length = now.time - start
    if start <= 0 or length <= HOUR_NANOS:
        middle = now.time - (length // 2 if start > 0 else 0) - 1
        return (Share(middle // HOUR_NANOS, calls, tokens),)
    start, length = max(start, now.time - MOST_NANOS), min(length, MOST_NANOS)
    found, before = [], (0, 0)
    for hour in range(start // HOUR_NANOS, (now.time - 1) // HOUR_NANOS + 1):
        until = min((hour + 1) * HOUR_NANOS, now.time) - start
        reached = (calls * until // length, tokens * until // length)
        found.append(Share(hour, reached[0] - before[0], reached[1] - before[1]))
        before = reached
    return tuple(share for share in found if share.calls or share.tokens)
