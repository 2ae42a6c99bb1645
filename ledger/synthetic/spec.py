"""What a synthetic organisation is asked to be: size, time span, growth, noise and billing."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from ledger.errors import RefusedError
from ledger.synthetic.shapes import Hours, Rhythm
from ledger.window import HOUR, Window, floor_hour

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationSpec:
    """The same spec gives the same organisation, to the row."""

    seed: int = 1
    teams: int = 8
    """From 3 to 200."""
    weeks: int = 5
    end_at: datetime = datetime(2026, 11, 16, tzinfo=UTC)
    """End of the last hour; a whole UTC hour."""
    usd_per_day: float = 2500.0
    """List price of an average day of the whole organisation, before growth."""
    keys_per_team: int = 4
    """On average; large teams have more keys, no team has fewer than 2."""
    growth_per_week: float = 0.01
    noise: float = 0.1
    """Sigma of the hourly log-normal noise of a workload."""
    failure_rate: float = 0.01
    characters_share: float = 0.6
    """Share of teams whose gateway logs characters."""
    odd_keys_share: float = 0.25
    """Share of all keys that have one of the `odd_rhythms`; a team's first two never do."""
    odd_rhythms: tuple[Rhythm, ...] = ("nightly", "month_start", "intermittent", "developer", "idle")
    billed_providers: tuple[str, ...] = ()
    """Providers whose rows carry a billed cost; all other cost is left to the price book."""
    billed_discount: float = 0.0
    """Off the list price on billed rows, as a fraction."""
    record_ids: bool = False
    """Whether rows carry a `record_id`."""

    def __post_init__(self) -> None:
        if not 3 <= self.teams <= 200:
            raise RefusedError(f"an organisation has 3 to 200 teams, not {self.teams}")
        if self.weeks < 1:
            raise RefusedError(f"an organisation spans at least 1 week, not {self.weeks}")
        if self.end_at != floor_hour(self.end_at) or self.end_at.utcoffset() != timedelta(0):
            raise RefusedError(f"{self.end_at.isoformat()} is not a whole hour in UTC")

    @property
    def window(self) -> Window:
        return Window(self.end_at - timedelta(weeks=self.weeks), self.end_at)

    @property
    def hours(self) -> Hours:
        """Every hour of the window, counted from 1970."""
        first = (self.window.start_at - EPOCH) // HOUR
        return np.arange(first, first + self.window.hours, dtype=np.int64)
