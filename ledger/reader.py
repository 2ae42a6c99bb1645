"""Read-only answers over the ledger: typed results of the catalogue's queries, for detectors and tools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import cast

from ledger.catalogue import BoundQuery, bind
from ledger.engine import Engine, Row
from ledger.hourly import HourlySeries, summed_by, total_by_hour
from ledger.own import own_scope_ids
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.usage import Measures, Metric, TokenCounts
from ledger.window import HOUR, Window

__all__ = ["DayRate", "HourlySeries", "LoadShare", "PriceBasis", "Reader"]


@dataclass(frozen=True, slots=True)
class PriceBasis:
    """How the cost of one provider, model and tier came about over some hours."""

    provider: str
    model: str
    service_tier: str
    billed: bool
    price_version: str | None
    first_hour: datetime
    last_hour: datetime
    cost_pico: int
    tokens: int
    unpriced_tokens: int


@dataclass(frozen=True, slots=True)
class DayRate:
    """Price per token in 1e-12 USD on one day; None where the class has no price."""

    provider: str
    model: str
    service_tier: str
    day: date
    hour_of_day: int | None
    input: int | None
    cache_read: int | None
    cache_write_5m: int | None
    cache_write_1h: int | None
    output: int | None
    priced_as: str | None
    price_version: str | None


@dataclass(frozen=True, slots=True)
class LoadShare:
    """What one load delivered to some hours."""

    load_id: int
    source: str
    format: str
    loaded_at: datetime
    restated_rows: int
    records: int
    requests: int


@dataclass(frozen=True, slots=True)
class Reader:
    """Every question the program asks of the ledger; it has no way to write."""

    engine: Engine

    def extent(self) -> Window | None:
        """From the first hour with usage to the end of the last; None for an empty ledger.

        Our own calls count only where there is nothing else: at the present hour in a ledger that ends
        last week they would make everybody look silent.
        """
        return self._extent_without(own_scope_ids(self.engine)) or self._extent_without(())

    def totals(
        self, windows: Sequence[Window], *, by: Sequence[Dimension] = (), where: Scope = EVERYTHING
    ) -> Mapping[Scope, Measures]:
        """Exact sums over the union of `windows`, by the scopes that had traffic in them."""
        rows = self._rows(bind("totals", windows=windows, by=by, where=where))
        n = len(by)
        return {_scope(by, row): _measures(row[n:]) for row in rows if cast(int, row[-1]) > 0}

    def hourly(
        self,
        window: Window,
        *,
        by: Sequence[Dimension] = (),
        where: Scope = EVERYTHING,
        metric: Metric = "cost_usd",
    ) -> HourlySeries:
        """Dense hourly series of every scope with traffic in the window, scopes in sorted order.

        The total (`by` nothing) is always there, also where nothing was used.
        """
        if by:
            return self.hourly_levels(window, [by], where=where, metric=metric)[0]
        query = bind("hourly_total", windows=[window], where=where, metric=metric)
        found = self.engine.columns(query.sql, query.parameters)
        return total_by_hour(found["hour"], found["value"], window=window, metric=metric)

    def hourly_levels(
        self,
        window: Window,
        levels: Sequence[Sequence[Dimension]],
        *,
        where: Scope = EVERYTHING,
        metric: Metric = "cost_usd",
    ) -> list[HourlySeries]:
        """The series of several groupings of the same usage, which is read once."""
        query = bind("hourly", windows=[window], where=where, metric=metric)
        cells = self.engine.frame(query.sql, query.parameters)
        query = bind("scopes", where=where)
        scopes = self.engine.frame(query.sql, query.parameters).set_index("scope_id")
        return [summed_by(by, cells, scopes, window=window, metric=metric) for by in levels]

    def first_seen(self, dimension: Dimension, *, where: Scope = EVERYTHING) -> Mapping[str, Window]:
        """For each value of the dimension, from its first hour ever to the end of its last."""
        rows = self._rows(bind("first_seen", by=[dimension], where=where))
        return {str(value): Window(_aware(first), _aware(last) + HOUR) for value, first, last in rows}

    def price_basis(self, windows: Sequence[Window], *, where: Scope = EVERYTHING) -> Sequence[PriceBasis]:
        rows = self._rows(bind("price_basis", windows=windows, where=where))
        return [
            PriceBasis(
                provider=str(row[0]),
                model=str(row[1]),
                service_tier=str(row[2]),
                billed=bool(row[3]),
                price_version=cast("str | None", row[4]),
                first_hour=_aware(row[5]),
                last_hour=_aware(row[6]),
                cost_pico=_int(row[7]),
                tokens=_int(row[8]),
                unpriced_tokens=_int(row[9]),
            )
            for row in rows
        ]

    def rates(self, first_day: date, last_day: date) -> Sequence[DayRate]:
        """Every rate in force from `first_day` to `last_day`, both included, in order of model and day."""
        rows = self._rows(bind("rates", parameters={"first_day": first_day, "last_day": last_day}))
        return [DayRate(*row) for row in rows]  # type: ignore[arg-type]

    def loads(self, window: Window, *, where: Scope = EVERYTHING) -> Sequence[LoadShare]:
        """Which loads delivered the usage of the window."""
        rows = self._rows(bind("loads_of_hours", windows=[window], where=where))
        return [
            LoadShare(
                load_id=_int(row[0]),
                source=str(row[1]),
                format=str(row[2]),
                loaded_at=_aware(row[3]),
                restated_rows=_int(row[4]),
                records=_int(row[5]),
                requests=_int(row[6]),
            )
            for row in rows
        ]

    def _extent_without(self, scope_ids: Sequence[int]) -> Window | None:
        first, last = self._rows(bind("extent", scope_ids=scope_ids))[0]
        return None if first is None else Window(_aware(first), _aware(last) + HOUR)

    def _rows(self, query: BoundQuery) -> Sequence[Row]:
        return self.engine.rows(query.sql, query.parameters)


def _scope(by: Sequence[Dimension], values: Sequence[object]) -> Scope:
    return Scope.of([(d, str(value)) for d, value in zip(by, values, strict=False)])


def _measures(row: Row) -> Measures:
    counts = [_int(value) for value in row[:9]]
    return Measures(
        requests=counts[0],
        failed_requests=counts[1],
        retried_requests=counts[2],
        tokens=TokenCounts(*counts[3:8]),
        reasoning_tokens=counts[8],
        input_characters=None if row[9] is None else _int(row[9]),
        output_characters=None if row[10] is None else _int(row[10]),
        cost_pico=_int(row[11]),
        computed_pico=_int(row[12]),
        unpriced_tokens=_int(row[13]),
        uncounted_tokens=_int(row[14]),
        cells=_int(row[15]),
    )


def _int(value: object) -> int:
    return int(cast(int, value))


def _aware(value: object) -> datetime:
    return cast(datetime, value).replace(tzinfo=UTC)
