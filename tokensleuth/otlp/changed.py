"""What of the spool the ledger does not have yet: rows of hours that are over, and what is told no more.

A row is marked as loaded up to the fold it was read at: what is folded meanwhile stays to be loaded.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from pydantic_core import from_json

from ledger.ingest.contract import MEASURES
from ledger.sources.told import Cells
from ledger.window import instant_text
from tokensleuth.connectors.port import Line
from tokensleuth.otlp.settings import BookedSignal
from tokensleuth.otlp.spool import Spool, put_fact

_MOST_ROWS = 50_000
"""Loaded at once."""
_COUNTS = frozenset(column.name for column in MEASURES)
Mark: TypeAlias = tuple[int | str, ...]


@dataclass(slots=True)
class Changed:
    """Some rows to be loaded."""

    lines: list[Line] = field(default_factory=list)
    hours: list[Mark] = field(default_factory=list)
    """Fold number and key of each row of `hours` that was read."""
    spans: list[Mark] = field(default_factory=list)
    told: list[Mark] = field(default_factory=list)
    """Keys of the spans that the ledger will hold."""
    twice: Counter[str] = field(default_factory=Counter)
    """Spans left out because metrics told them, by client."""

    def __bool__(self) -> bool:
        return bool(self.hours or self.spans)


@dataclass(frozen=True, slots=True)
class Signals:
    """Which signal is booked from which hour on; a change never reaches back to hours that are loaded."""

    since: Sequence[tuple[int, BookedSignal]]

    def at(self, hour: int) -> BookedSignal:
        return next((signal for start, signal in reversed(self.since) if start <= hour), self.since[0][1])


def signals_in_force(spool: Spool, wanted: BookedSignal) -> Signals:
    """Those of before, and from the first hour that is not loaded on the one that is wanted."""
    since: list[tuple[int, BookedSignal]] = from_json(spool.fact("signals", "[]"))
    if not since or since[-1][1] != wanted:
        since = [*since, (int(spool.fact("closed_until", "0")), wanted)]
        with spool.writing() as connection:
            put_fact(connection, "signals", str([list(pair) for pair in since]).replace("'", '"'))
    return Signals([(start, signal) for start, signal in since])


def changed_rows(spool: Spool, until: int, signals: Signals) -> Changed:
    """Of hours before `until`."""
    changed = Changed()
    name = spool.fact("name")
    with spool.reading() as connection:
        hours = connection.execute(_HOURS, (until, _MOST_ROWS)).fetchall()
        spans = connection.execute(_SPANS, (until, _MOST_ROWS)).fetchall()
    for number, hour, scope, part, *sums, cells in hours:
        changed.hours.append((number, hour, scope, part))
        if signals.at(hour) != "spans":
            changed.lines.append(_metric_line(name, hour, f"{scope}.{part}" if part else scope, sums, cells))
    for number, trace, span, hour, text, told, is_outer, by_metrics in spans:
        changed.spans.append((number, trace, span))
        cells = from_json(text)
        counted = not is_outer and _is_booked(signals.at(hour), bool(by_metrics))
        if counted:
            changed.told.append((trace, span))
        elif not is_outer:
            changed.twice[f"{cells.get('client', 'a client without service.name')}"] += 1
        if counted or told:
            changed.lines.append(
                Line(f"otlp span {trace}/{span}", {**(cells if counted else _emptied(cells))})
            )
    return changed


def note_told(spool: Spool, changed: Changed) -> None:
    """Before they are loaded: what the ledger may hold is always known here."""
    with spool.writing() as connection:
        connection.executemany("update spans set told = 1 where trace = ? and span = ?", changed.told)


def note_loaded(spool: Spool, changed: Changed) -> None:
    with spool.writing() as connection:
        connection.executemany(
            "update hours set loaded = ? where hour = ? and scope = ? and part = ?", changed.hours
        )
        connection.executemany("update spans set loaded = ? where trace = ? and span = ?", changed.spans)


def _is_booked(signal: BookedSignal, by_metrics: bool) -> bool:
    return signal == "spans" or (signal == "auto" and not by_metrics)


def _metric_line(name: str, hour: int, key: str, sums: Iterable[int], cells: str) -> Line:
    """A call has one point of each type, so there are as many calls as the type with more of them counts."""
    input_calls, input_tokens, output_calls, output_tokens = sums
    started_at = instant_text(datetime.fromtimestamp(hour * 3600, UTC))
    dimensions: Cells = from_json(cells)
    row: Cells = {
        "started_at": started_at,
        **dimensions,
        "requests": max(input_calls, output_calls),
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "record_id": f"otlp/{name}/{hour}/{key}",
    }
    who = dimensions.get("client", "-")
    return Line(f"otlp metrics {started_at} client={who} model={dimensions['model']}", {**row})


def _emptied(cells: Cells) -> Cells:
    return {name: 0 if name in _COUNTS else value for name, value in cells.items()}


_HOURS = """select h.changed, h.hour, h.scope, h.part,
        h.input_calls, h.input_tokens, h.output_calls, h.output_tokens, s.cells
    from hours h indexed by hours_changed join scopes s on s.scope = h.scope
    where h.changed > h.loaded and h.hour < ? order by h.hour limit ?"""
_SPANS = """select s.changed, s.trace, s.span, s.hour, s.cells, s.told,
        exists (select 1 from spans c
            where c.trace = s.trace and c.parent = s.span and c.span <> s.span and c.tokens > 0),
        exists (select 1 from metric_hours m
            where m.hour = s.hour and m.client = s.client and m.provider = s.provider)
    from spans s indexed by spans_changed where s.changed > s.loaded and s.hour < ? order by s.hour limit ?"""
