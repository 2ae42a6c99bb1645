"""What providers say days cost, and what the ledger computed for the same days: read for reconciliation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import cast

from ledger.catalogue import utc_naive
from ledger.engine import Engine, Row

Tokens = tuple[int, int, int, int, int]
"""In the order of TOKEN_CLASSES."""


@dataclass(frozen=True, slots=True)
class BilledLine:
    """One kind of line of a provider's bill of one day; credits are negative."""

    source: str
    provider: str
    day: date
    line_item: str
    unit: str
    cost_pico: int
    quantity: Decimal | None
    lines: int
    """How many were summed: each may be rounded."""
    pulled_at: datetime


@dataclass(frozen=True, slots=True)
class TierDay:
    """One model in one service tier on one day; money in 1e-12 USD."""

    provider: str
    model: str
    service_tier: str
    day: date
    tokens: Tokens
    rated: Tokens
    """Tokens of each class by the rates in force."""
    unpriced_tokens: int
    counted_pico: int
    """What spend shows: the cost a source told where it did, else the computed one."""
    computed_pico: int
    hours: int
    """Of the day, with usage."""


@dataclass(frozen=True, slots=True)
class Bills:
    """Some whole days of it, read at once."""

    engine: Engine
    first_day: date
    end_day: date
    """The first that is not asked for."""

    def lines(self) -> list[BilledLine]:
        """By provider, day and line."""
        return [_line(row) for row in self._rows("billed_lines")]

    def computed(self) -> list[TierDay]:
        """By provider, model, day and tier."""
        return [_tier_day(row) for row in self._rows("computed_days")]

    def known_then(self) -> Mapping[tuple[str, str, date], int]:
        """By provider, model and day: what it cost by the usage there was when its bill was pulled."""
        rows = self._rows("known_then")
        return {(str(p), str(m), cast(date, d)): _whole(cost) for p, m, d, cost in rows}

    def by_source(self) -> Mapping[tuple[str, str, date], Mapping[str, int]]:
        """By provider, model and day: the cost of each file or report, where there are several."""
        found: dict[tuple[str, str, date], dict[str, int]] = {}
        for provider, model, day, source, cost in self._rows("costs_by_source"):
            found.setdefault((str(provider), str(model), cast(date, day)), {})[str(source)] = _whole(cost)
        return found

    def _rows(self, name: str) -> list[Row]:
        sql = files("ledger").joinpath("queries", f"{name}.sql").read_text("utf-8")
        given: Mapping[str, object] = {
            "first_day": self.first_day,
            "end_day": self.end_day,
            "start_at": utc_naive(day_start(self.first_day)),
            "end_at": utc_naive(day_start(self.end_day)),
        }
        return list(self.engine.rows(sql, {k: v for k, v in given.items() if f"${k}" in sql}))


def day_start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def next_day(day: date) -> date:
    return day + timedelta(days=1)


def _line(row: Row) -> BilledLine:
    source, provider, day, line_item, unit, cost, quantity, lines, pulled_at = row
    return BilledLine(
        source=str(source),
        provider=str(provider),
        day=cast(date, day),
        line_item=str(line_item),
        unit=str(unit),
        cost_pico=_whole(cost),
        quantity=cast("Decimal | None", quantity),
        lines=_whole(lines),
        pulled_at=cast(datetime, pulled_at).replace(tzinfo=UTC),
    )


def _tier_day(row: Row) -> TierDay:
    provider, model, tier, day = row[:4]
    unpriced, counted, computed, hours = map(_whole, row[14:])
    return TierDay(
        provider=str(provider),
        model=str(model),
        service_tier=str(tier),
        day=cast(date, day),
        tokens=_five(row[4:9]),
        rated=_five(row[9:14]),
        unpriced_tokens=unpriced,
        counted_pico=counted,
        computed_pico=computed,
        hours=hours,
    )


def _five(values: Row) -> Tokens:
    one, two, three, four, five = map(_whole, values)
    return one, two, three, four, five


def _whole(value: object) -> int:
    return int(cast(int, value))
