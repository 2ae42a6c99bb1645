"""The world a cause strikes: history and window of the same streams, with nuisances already in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np

from evals.rca.case import Floats, Ints, Mask, Names
from evals.rca.generator.costing import cost_pico
from evals.rca.generator.organisation import Rng
from evals.rca.generator.traffic import Traffic
from ledger.scope import DIMENSIONS, Dimension
from ledger.window import HOUR, WEEK_HOURS, Window

Name = tuple[str, ...]


@dataclass(frozen=True)
class World:
    """History and window have the same streams in the same order."""

    history: Traffic
    window: Traffic
    span: Window
    """Of the window; the history ends where it starts."""
    weeks: int
    informative: tuple[Dimension, ...]
    billed_providers: frozenset[str]
    logs_characters: bool
    nuisances: tuple[str, ...] = ()
    """What happened beside the causes."""
    kin: frozenset[tuple[Name, Name]] = frozenset()
    """Scopes that are the same use under an old and a new name."""

    @cached_property
    def window_usd(self) -> Floats:
        """What each stream costs in the window."""
        return np.asarray(self.price(self.window).sum(axis=1) / 1e12, dtype=np.float64)

    @cached_property
    def weekly_usd(self) -> Floats:
        """What each stream cost in the same hours of the weeks before, shape (weeks, streams)."""
        first = self.history.hours - np.arange(1, self.weeks + 1) * WEEK_HOURS
        cost = self.history_cost
        return np.stack([cost[:, at : at + self.span.hours].sum(axis=1) for at in first]) / 1e12

    @cached_property
    def history_cost(self) -> Ints:
        return cost_pico(self.history, self.is_billed(self.history.names), self.history_start)

    @property
    def history_start(self) -> datetime:
        return self.span.start_at - self.history.hours * HOUR

    def is_billed(self, names: Names) -> Mask:
        providers = names[:, DIMENSIONS.index("provider")].astype(str)
        return np.isin(providers, sorted(self.billed_providers))

    def price(self, window: Traffic) -> Ints:
        """The cost of some traffic in the window, by stream and hour."""
        return cost_pico(window, self.is_billed(window.names), self.span.start_at)

    def total_usd(self, window: Traffic) -> float:
        return float(self.price(window).sum()) / 1e12

    def with_window(self, window: Traffic) -> "World":
        """What the window became; streams that are new in it have no history."""
        added = window.streams - self.history.streams
        if not added:
            return replace(self, window=window)
        fresh = window.only(np.arange(self.history.streams, window.streams))
        empty = Traffic(
            fresh.names,
            np.zeros((fresh.counts.shape[0], added, self.history.hours), dtype=np.int64),
            np.ones((added, self.history.hours)),
            fresh.copied,
        )
        return replace(self, window=window, history=self.history.with_added(empty))

    def related(self, names: Sequence[Name]) -> set[Name]:
        """The other names of these scopes."""
        given = set(names)
        return {b for a, b in self.kin if a in given} | {a for a, b in self.kin if b in given}


def onset_hours(rng: Rng, hours: int) -> Mask:
    """When a cause is at work: mostly the whole window, else from some hour of its first half to its end."""
    start = 0 if rng.random() < 0.75 or hours < 4 else int(rng.integers(1, hours // 2 + 1))
    return np.arange(hours) >= start


def names_of(traffic: Traffic) -> list[Name]:
    return [tuple(map(str, row)) for row in traffic.names]
