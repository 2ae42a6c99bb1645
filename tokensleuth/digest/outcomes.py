"""Outcomes that teams report, such as tickets solved: read from a CSV file, and what one of them cost."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path

from ledger.errors import RefusedError
from ledger.reader import Reader
from ledger.scope import Scope
from ledger.window import Window
from tokensleuth.digest.facts import OutcomeCost

COLUMNS = ("day", "team", "outcome", "count")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """So many of something good on one UTC day of a team."""

    day: date
    team: str
    outcome: str
    count: Decimal

    @property
    def window(self) -> Window:
        start_at = datetime.combine(self.day, datetime.min.time(), UTC)
        return Window(start_at, start_at + _DAY)


def read_outcomes(path: Path) -> tuple[Outcome, ...]:
    """All rows; raises RefusedError with file, line, column and value for the first that is wrong."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"{path}: outcomes cannot be read: {error}") from None
    reader = csv.DictReader(text.splitlines())
    if tuple(reader.fieldnames or ()) != COLUMNS:
        given = ",".join(reader.fieldnames or ())
        raise RefusedError(f"{path}, line 1: `{given}`: the columns of outcomes are {','.join(COLUMNS)}")
    found = tuple(_outcome(path, line, row) for line, row in enumerate(reader, start=2))
    _refuse_doubles(path, found)
    return found


def outcome_costs(
    reader: Reader, outcomes: Sequence[Outcome], known: Window | None, team: str | None
) -> tuple[OutcomeCost, ...]:
    """For each outcome of the week, what its teams spent on the days it was reported for, per unit.

    Days of which a part is not known yet are left out.
    """
    inside = [o for o in outcomes if _is_inside(o, known) and team in (None, o.team)]
    names = sorted({one.outcome for one in inside})
    return tuple(_cost(reader, name, [o for o in inside if o.outcome == name]) for name in names)


def _is_inside(outcome: Outcome, known: Window | None) -> bool:
    return known is not None and known.overlap(outcome.window) == outcome.window


def _cost(reader: Reader, name: str, reported: Sequence[Outcome]) -> OutcomeCost:
    spent = 0
    for one in reported:
        found = reader.totals([one.window], where=Scope((("team", one.team),)))
        spent += sum(measures.cost_pico for measures in found.values())
    count = sum((one.count for one in reported), Decimal())
    return OutcomeCost(name, count, len({one.day for one in reported}), spent)


def _outcome(path: Path, line: int, row: Mapping[str, str | None]) -> Outcome:
    def wrong(column: str, right: str) -> RefusedError:
        return RefusedError(f"{path}, line {line}, column {column}: `{row.get(column)}`: {right}")

    values = {name: (row.get(name) or "").strip() for name in COLUMNS}
    for name in ("team", "outcome"):
        if not values[name]:
            raise wrong(name, "must not be empty")
    try:
        day = date.fromisoformat(values["day"])
    except ValueError:
        raise wrong("day", "must be a day such as 2026-11-09") from None
    try:
        count = Decimal(values["count"])
    except InvalidOperation:
        raise wrong("count", "must be a number") from None
    if not count.is_finite() or count < 0:
        raise wrong("count", "must be 0 or more")
    return Outcome(day, values["team"], values["outcome"], count)


def _refuse_doubles(path: Path, outcomes: Sequence[Outcome]) -> None:
    seen: set[tuple[date, str, str]] = set()
    for line, key in enumerate(_keys(outcomes), start=2):
        if key in seen:
            raise RefusedError(f"{path}, line {line}: {key[2]} of {key[1]} on {key[0]} is there twice")
        seen.add(key)


def _keys(outcomes: Sequence[Outcome]) -> Iterator[tuple[date, str, str]]:
    return ((o.day, o.team, o.outcome) for o in outcomes)
