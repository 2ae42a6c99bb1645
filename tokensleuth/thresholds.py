"""Thresholds that people raised for a scope, and which incidents stay below them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from detectors.incidents import Direction, Incident, Spike
from ledger.errors import RefusedError
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window


@dataclass(frozen=True, slots=True)
class Height:
    """What a threshold is held against: how high an incident is, where and when."""

    scope: Scope
    window: Window
    usd: Decimal
    """Against the expectation; below 0 for a drop."""
    score: float | None = None
    """Of its highest hour; None: nobody knows."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """Until it ends, incidents of the scope in one direction open from these heights on."""

    tuning_id: str
    scope: Scope
    window: Window
    direction: Direction
    min_usd: Decimal | None = None
    min_score: float | None = None

    def __post_init__(self) -> None:
        if self.min_usd is None and self.min_score is None:
            raise RefusedError(f"a threshold of {self.scope} needs dollars or a score, or both")

    def covers(self, scope: Scope) -> bool:
        """One on all spend is about all spend alone: one click must not quiet every alert."""
        return self.scope == scope if self.scope == EVERYTHING else self.scope.contains(scope)

    def concerns(self, height: Height) -> bool:
        """Whether it is about such an incident at all, however high."""
        fits = (height.usd < 0) == (self.direction == "down")
        return fits and self.covers(height.scope) and self.window.overlap(height.window) is not None

    def keeps_quiet(self, height: Height) -> bool:
        """Whether the incident stays below all that is asked; what nobody knows is not below anything."""
        return self.concerns(height) and self._is_cheap(height) and self._is_flat(height)

    def _is_cheap(self, height: Height) -> bool:
        return self.min_usd is None or abs(height.usd) < self.min_usd

    def _is_flat(self, height: Height) -> bool:
        return self.min_score is None or (height.score is not None and height.score < self.min_score)


@dataclass(frozen=True, slots=True)
class Suppressed:
    """An incident that was found and does not open, and what keeps it quiet."""

    incident: Incident
    threshold: Threshold


def suppressed(
    incidents: Sequence[Incident], spikes: Sequence[Spike], thresholds: Sequence[Threshold]
) -> tuple[Suppressed, ...]:
    """Those that stay below a threshold. Nothing is merged or scored anew, so that none can appear."""
    found = ((i, keeper_of(height_of(i, spikes), thresholds)) for i in incidents)
    return tuple(Suppressed(incident, keeper) for incident, keeper in found if keeper is not None)


def opened(incidents: Sequence[Incident], quiet: Sequence[Suppressed]) -> tuple[Incident, ...]:
    """The others, in their order."""
    ids = {each.incident.id for each in quiet}
    return tuple(incident for incident in incidents if incident.id not in ids)


def keeper_of(height: Height, thresholds: Sequence[Threshold]) -> Threshold | None:
    """The first that keeps it quiet."""
    return next((t for t in thresholds if t.keeps_quiet(height)), None)


def height_of(incident: Incident, spikes: Sequence[Spike]) -> Height:
    """`spikes` are those the incident names the positions of."""
    score = max((spikes[i].score for i in incident.spikes), default=None)
    return Height(incident.scope, incident.window, Decimal(repr(float(incident.excess_usd))), score)
