"""The tool that tells a scope's window hour by hour, beside the mean of the same hours before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, pairwise

from ledger.money import PICO_PER_USD
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.usage import Metric
from ledger.window import HOUR, Window, instant_text
from tools.answer import Row, Scalar, ToolAnswer, answer, asked, usd
from tools.comparison import Comparison, compare_with

MOST_ROWS = 48
STEPS = (1, 2, 3, 4, 6, 8, 12)
"""Hours of a row that divide a day; beyond these, whole days."""
UNITS: Mapping[Metric, str] = {"cost_usd": "usd", "tokens": "tokens", "requests": "requests"}


def hourly_series(
    reader: Reader, window: Window, *, where: Scope = EVERYTHING, metric: Metric = "cost_usd"
) -> ToolAnswer:
    """Show when a scope rose or fell: its window in order of time, beside the mean of the same hours in up to
    4 earlier weeks (else days).

    Use it to date a step or tell a burst from a lasting rise. `metric`: cost_usd, tokens or requests; names
    then end in _usd, _tokens or _requests. Rows, at most 48: `start_at`, `hours`, `actual_usd`, `mean_usd`,
    sums over `hours_per_row` hours (the last row maybe fewer). Facts: `total_usd`, `mean_total_usd`;
    `peak_usd` in the single hour `peak_at`; `first_over_twice_at`, `first_under_half_at`: first hour over
    twice, under half its mean; `hours_active` (above 0) of `hours`; `windows_compared`; without any, means
    are left out. `no_data`: nothing now or before. It does not say who or why.
    """
    compared = compare_with(reader, window)
    weeks = [_hours(reader, earlier, where, metric) for earlier in compared.baseline]
    series = _Series(
        compared=compared,
        metric=metric,
        now=_hours(reader, window, where, metric),
        before=[sum(hour) for hour in zip(*weeks, strict=True)],
    )
    return answer(
        "hourly_series",
        asked(window, where, metric=metric),
        compared,
        where,
        rows=series.rows(hours_per_row(window.hours)),
        facts=series.facts() | {"hours_per_row": hours_per_row(window.hours)},
        found=any(series.now) or any(series.before),
    )


def hours_per_row(hours: int) -> int:
    """The shortest step that tells so many hours in MOST_ROWS rows."""
    days = -(-hours // (24 * MOST_ROWS))
    return next((step for step in STEPS if step * MOST_ROWS >= hours), 24 * days)


def _hours(reader: Reader, window: Window, where: Scope, metric: Metric) -> list[int]:
    """Each hour as a whole number: money in 1e-12 USD."""
    per_unit = PICO_PER_USD if metric == "cost_usd" else 1
    values = reader.hourly(window, where=where, metric=metric).values.sum(axis=0)
    return [round(value * per_unit) for value in values.tolist()]


@dataclass(frozen=True, slots=True)
class _Series:
    """Whole numbers by hour; `before` sums the baseline windows and is empty where there are none."""

    compared: Comparison
    metric: Metric
    now: Sequence[int]
    before: Sequence[int]

    def rows(self, step: int) -> list[Row]:
        """Sums of `step` hours each, the last maybe shorter; rounded so that the rows add up to the total."""
        unit = UNITS[self.metric]
        edges = [*range(0, len(self.now), step), len(self.now)]
        columns = {f"actual_{unit}": self._between(edges, self.now, mean=False)}
        if self.before:
            columns[f"mean_{unit}"] = self._between(edges, self.before, mean=True)
        return [
            {
                "start_at": self._at(start),
                "hours": end - start,
                **{name: column[i] for name, column in columns.items()},
            }
            for i, (start, end) in enumerate(pairwise(edges))
        ]

    def facts(self) -> dict[str, Scalar]:
        unit, busiest = UNITS[self.metric], max(self.now)
        pairs = list(zip(self.now, self.before, strict=False))
        weeks = self.compared.weeks
        return {
            f"total_{unit}": self._told(self._shown(sum(self.now), mean=False)),
            f"mean_total_{unit}": self._told(self._shown(sum(self.before), mean=True)) if pairs else None,
            f"peak_{unit}": self._told(self._shown(busiest, mean=False)),
            "peak_at": self._at(self.now.index(busiest)) if busiest else None,
            "first_over_twice_at": self._first([now * weeks > 2 * usual for now, usual in pairs]),
            "first_under_half_at": self._first([2 * now * weeks < usual for now, usual in pairs]),
            "hours_active": sum(hour > 0 for hour in self.now),
            "hours": len(self.now),
            "windows_compared": weeks,
        }

    def _between(self, edges: Sequence[int], values: Sequence[int], *, mean: bool) -> list[Scalar]:
        """Differences of rounded running sums: what rounding takes from one row it gives to the next."""
        running = [0, *accumulate(values)]
        shown = [self._shown(running[edge], mean=mean) for edge in edges]
        return [self._told(end - start) for start, end in pairwise(shown)]

    def _shown(self, total: int, *, mean: bool) -> Decimal:
        """Dollars to a hundredth of a cent; counts whole, their means to a tenth."""
        if self.metric == "cost_usd":
            return usd(self.compared.mean_pico(total) if mean else total)
        return Decimal(self.compared.mean_pico(10 * total)).scaleb(-1) if mean else Decimal(total)

    def _told(self, amount: Decimal) -> Scalar:
        if self.metric == "cost_usd":
            return amount
        return float(amount) if amount % 1 else int(amount)

    def _first(self, stands_out: Sequence[bool]) -> str | None:
        return self._at(stands_out.index(True)) if True in stands_out else None

    def _at(self, hour: int) -> str:
        return instant_text(self.compared.window.start_at + hour * HOUR)
