"""The history of a block of series: what was, what counts as normal, and what is learnt of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from detectors.accepted import Baseline
from detectors.baselines import lift
from detectors.profiles import History
from detectors.statistics import BoolArray, FloatArray, IntArray
from ledger.cells import CellReader
from ledger.hourly import HourlySeries
from ledger.kept.hours import MaskedHours
from ledger.kept.series import Members
from ledger.reader import Reader
from ledger.scope import Scope
from ledger.store import Ledger
from ledger.usage import Metric
from ledger.window import HOUR, Window
from tokensleuth.detection import LEVELS, finest
from tokensleuth.spend_matrix import spend_of


@dataclass(frozen=True, slots=True)
class LearntHistory:
    """Matrices (series, hours) over whole days."""

    window: Window
    raw: FloatArray
    """Dollars as they were spent."""
    actual: FloatArray
    """The same with accepted baselines as their past."""
    learnt: FloatArray
    """`actual` with the masked hours as what was expected of them; filled in as days are judged."""
    tokens: FloatArray
    lifted_from: datetime | None
    """Series that a baseline lifted are learnt as they were from here on."""

    def columns_from(self, start_at: datetime) -> slice:
        return slice(int((start_at - self.window.start_at) / HOUR), self.window.hours)

    def mask(self, rows: IntArray, hours: slice, masked: BoolArray, expected: FloatArray) -> None:
        """Learn these hours as expected, unless the level they are at was accepted."""
        actual, raw = self.actual[rows], self.raw[rows]
        if self.lifted_from is not None:
            lifted = (actual != raw).any(axis=1)
            since = np.arange(hours.start, hours.stop) >= self.columns_from(self.lifted_from).start
            masked = masked & ~(lifted[:, None] & since)
        actual, raw = actual[:, hours], raw[:, hours]
        self.learnt[rows, hours] = np.where(masked, expected + (actual - raw), actual)

    def rows(self, rows: slice) -> History:
        """What is learnt from."""
        weekday = self.window.start_at.weekday()
        return History(self.learnt[rows], weekday, self.actual[rows], self.tokens[rows])


@dataclass(frozen=True, slots=True)
class Lifting:
    """The accepted baselines that act, and the leaves they lift."""

    baselines: Sequence[Baseline]
    leaves: Mapping[Metric, HourlySeries]

    @classmethod
    def of(cls, reader: Reader, window: Window, baselines: Sequence[Baseline]) -> "Lifting | None":
        """None where no baseline acts on the days after the window, or none has usage in it."""
        acting = [baseline for baseline in baselines if baseline.acts_on(window, window.end_at)]
        metrics: tuple[Metric, ...] = ("cost_usd", "tokens")
        leaves = {metric: _leaves(reader, window, metric, acting) for metric in metrics}
        return cls(acting, leaves) if leaves["cost_usd"].scopes else None

    @property
    def from_at(self) -> datetime:
        """The earliest change."""
        return min(baseline.from_at for baseline in self.baselines)

    def lifted(self, metric: Metric, scopes: tuple[Scope, ...], values: FloatArray) -> FloatArray:
        leaves = self.leaves[metric]
        series = HourlySeries(leaves.window, metric, scopes, values)
        return lift([series], leaves, self.baselines, leaves.window.end_at).series[0].values


def learnt_history(
    ledger: Ledger,
    members: Members,
    series_ids: IntArray,
    window: Window,
    masks: MaskedHours,
    lifting: Lifting | None,
) -> LearntHistory:
    """The history of these series, with the hours masked so far."""
    spend = spend_of(CellReader(ledger.reader.engine), members, LEVELS, series_ids, window)
    actual, tokens = spend
    if lifting is not None:
        scopes = tuple(ledger.kept.series.scopes(series_ids.tolist()))
        actual = lifting.lifted("cost_usd", scopes, actual)
        tokens = lifting.lifted("tokens", scopes, tokens)
    history = LearntHistory(
        window=window,
        raw=spend.cost_usd,
        actual=actual,
        learnt=actual.copy(),
        tokens=tokens,
        lifted_from=lifting.from_at if lifting else None,
    )
    _mask_kept(history, series_ids, masks)
    return history


def _mask_kept(history: LearntHistory, series_ids: IntArray, masks: MaskedHours) -> None:
    order = np.argsort(series_ids)
    at = np.searchsorted(series_ids[order], masks.series_id)
    row = order[np.minimum(at, len(order) - 1)]
    ours = series_ids[row] == masks.series_id
    row, hour = row[ours], masks.hour[ours]
    rows, position = np.unique(row, return_inverse=True)
    masked, expected = np.zeros((2, len(rows), history.window.hours))
    masked[position, hour] = 1.0
    expected[position, hour] = masks.expected[ours]
    history.mask(rows, slice(0, history.window.hours), masked > 0, expected)


def _leaves(reader: Reader, window: Window, metric: Metric, baselines: Sequence[Baseline]) -> HourlySeries:
    """The finest scopes inside the baselines."""
    found: dict[Scope, FloatArray] = {}
    for baseline in baselines:
        inside = reader.hourly(window, by=finest(baselines), where=baseline.scope, metric=metric)
        found |= zip(inside.scopes, inside.values, strict=True)
    values = np.stack(list(found.values())) if found else np.zeros((0, window.hours))
    return HourlySeries(window, metric, tuple(found), values)
