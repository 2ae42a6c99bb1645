"""Spend by day and one dimension: the table and the stacked bars of the spend explorer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ledger.errors import RefusedError
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Dimension, Scope, parse_dimension
from ledger.usage import METRICS, Metric
from ledger.window import Window

MOST_DAYS: Final = 92
MOST_ROWS: Final = 40
COLOURED: Final = 6
"""So many rows have a colour of their own in the bars; the rest is one."""
FINER: Final[dict[Dimension, Dimension]] = {"team": "key_id", "key_id": "model", "model": "team"}
"""What a row is looked into by."""

_USUAL_DAYS = 14
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Question:
    """What the explorer is asked."""

    window: Window
    by: Dimension
    metric: Metric
    where: Scope

    @property
    def first(self) -> date:
        return self.window.start_at.date()

    @property
    def last(self) -> date:
        return (self.window.end_at - _DAY).date()


@dataclass(frozen=True, slots=True)
class Row:
    """One value of the dimension, or all others together."""

    value: str | None
    """None for the others."""
    days: Sequence[float]
    total: float
    share: float | None
    """Of the whole; None where that is 0."""
    colour: int
    """From 1; 0 for what has none of its own."""


@dataclass(frozen=True, slots=True)
class Stack:
    """One coloured piece of a day's bar, in parts of 100 of the highest day."""

    day: int
    colour: int
    top: float
    height: float


@dataclass(frozen=True, slots=True)
class Spend:
    """The answer."""

    question: Question
    days: Sequence[date]
    rows: Sequence[Row]
    by_day: Sequence[float]
    total: float
    left_out: int
    """Values that the last row adds up."""
    stacks: Sequence[Stack]


def asked(
    extent: Window, *, by: str, metric: str, first: str | None, last: str | None, where: Sequence[str]
) -> Question:
    """From the query of an address; raises RefusedError with what would be right."""
    kind = next((m for m in METRICS if m == metric), None)
    if kind is None:
        raise RefusedError(f"`{metric}` is not counted; write one of {', '.join(METRICS)}")
    newest = (extent.end_at - timedelta(microseconds=1)).date()
    until = _day(last) if last else newest
    since = _day(first) if first else until - (_USUAL_DAYS - 1) * _DAY
    if not since <= until < since + MOST_DAYS * _DAY:
        raise RefusedError(f"{since} to {until} is not a range of 1 to {MOST_DAYS} days")
    window = Window(_midnight(since), _midnight(until + _DAY))
    scope = Scope.parse(where) if where else EVERYTHING
    return Question(window, parse_dimension(by), kind, scope)


def spend(reader: Reader, question: Question) -> Spend:
    """Sums of whole UTC days; what is not among the largest is added up in a last row."""
    series = reader.hourly(question.window, by=[question.by], where=question.where, metric=question.metric)
    daily = series.values.reshape(len(series.scopes), -1, 24).sum(axis=2)
    order = np.argsort(-daily.sum(axis=1), kind="stable")
    named = [series.scopes[i].items[0][1] for i in order]
    rows = _rows(named, daily[order])
    days = [question.first + i * _DAY for i in range(daily.shape[1])]
    by_day = daily.sum(axis=0)
    return Spend(
        question=question,
        days=days,
        rows=rows,
        by_day=by_day.tolist(),
        total=float(by_day.sum()),
        left_out=max(0, len(named) - MOST_ROWS),
        stacks=_stacks(rows, by_day),
    )


def _rows(named: Sequence[str], daily: NDArray[np.float64]) -> list[Row]:
    whole = float(daily.sum())
    shown: list[tuple[str | None, NDArray[np.float64]]] = list(zip(named[:MOST_ROWS], daily, strict=False))
    if len(named) > MOST_ROWS:
        shown.append((None, daily[MOST_ROWS:].sum(axis=0)))
    rows = []
    for rank, (value, days) in enumerate(shown):
        total = float(days.sum())
        colour = rank + 1 if rank < COLOURED and value is not None else 0
        rows.append(Row(value, days.tolist(), total, total / whole if whole else None, colour))
    return rows


def _stacks(rows: Sequence[Row], by_day: NDArray[np.float64]) -> list[Stack]:
    """From the bottom of each day up: the coloured ones in their order, then all others as one."""
    highest = float(by_day.max(initial=0.0))
    if highest <= 0:
        return []
    coloured = [row for row in rows if row.colour]
    stacks = []
    for day, whole in enumerate(by_day.tolist()):
        pieces = [(row.colour, row.days[day]) for row in coloured]
        pieces.append((0, whole - sum(value for _, value in pieces)))
        level = 0.0
        for colour, value in pieces:
            height = 100 * value / highest
            level += height
            if height > 0.05:
                stacks.append(Stack(day, colour, 100 - level, height))
    return stacks


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RefusedError(f"`{text}` is not a day; write it as 2026-11-01") from None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
