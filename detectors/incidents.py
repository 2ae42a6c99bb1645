"""What detection finds: spikes in one series, and incidents, the spikes that share one cause."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ledger.ids import fact_id
from ledger.scope import Scope
from ledger.usage import Metric
from ledger.window import Window

Direction = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """Names one hourly series."""

    metric: Metric
    scope: Scope


@dataclass(frozen=True, slots=True)
class Spike:
    """A run of anomalous hours in one series; amounts are in the unit of the series' metric."""

    series: SeriesKey
    window: Window
    direction: Direction
    score: float
    """The highest score of its hours; comparable across series."""
    expected: float
    actual: float
    detected_at: datetime
    """End of the first hour at which the spike was flagged, scoring hours one after the other."""
    terms: Mapping[str, float] = field(default_factory=dict)
    """The parts of the score at its highest hour, by name, so that a report can say why."""

    @property
    def excess(self) -> float:
        return self.actual - self.expected


@dataclass(frozen=True, slots=True)
class Incident:
    """Spikes with one cause, told at the deepest scope that explains them; amounts in USD."""

    window: Window
    scope: Scope
    direction: Direction
    expected_usd: float
    actual_usd: float
    spikes: tuple[int, ...]
    """Positions in the list of spikes it was made from."""

    @property
    def id(self) -> str:
        return fact_id("inc", self.scope.items, self.window.start_at.isoformat(), self.direction)

    @property
    def excess_usd(self) -> float:
        return self.actual_usd - self.expected_usd
