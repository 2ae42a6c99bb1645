"""What happens in the month: traffic, surges, restarts and outages, all drawn from one seed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

START = datetime(2026, 9, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4.1")
KEYS_A_TEAM = 25
HISTORY_DAYS = 14
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Surge:
    """A key that does many times its usual work for some hours."""

    key: int
    start_at: datetime
    hours: int
    factor: float

    def holds(self, hour: datetime) -> bool:
        return self.start_at <= hour < self.start_at + self.hours * HOUR


@dataclass(frozen=True, slots=True)
class Stop:
    """An end of the service in the hour that begins at `at`; it is back `away` later."""

    at: datetime
    kill: bool
    """SIGKILL at a random moment, rather than SIGTERM."""
    away: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Month:
    """One month of an organisation."""

    teams: int
    days: int
    seed: int

    @property
    def keys(self) -> int:
        return self.teams * KEYS_A_TEAM

    @property
    def first(self) -> datetime:
        """When the service starts; the provider has usage from `HISTORY_DAYS` before."""
        return START + timedelta(hours=1, minutes=5)

    @property
    def end(self) -> datetime:
        return START + self.days * DAY

    def surges(self) -> tuple[Surge, ...]:
        """One every second day, of keys that spend much; none where the service is away for days."""
        draw = np.random.default_rng([self.seed, 1])
        busy = np.argsort(-self._level())[: max(self.keys // 50, 4)]
        picked = draw.choice(busy, size=max(self.days // 2, 1), replace=False)
        return tuple(
            Surge(
                key=int(key),
                start_at=START + (2 * number + 1) * DAY + int(draw.integers(0, 18)) * HOUR,
                hours=int(draw.integers(3, 7)),
                factor=float(draw.uniform(12, 30)),
            )
            for number, key in enumerate(picked)
        )

    def stops(self) -> tuple[Stop, ...]:
        """Twenty in a month: most are kills; one is followed by 30 hours away, one by 80 if they are left."""
        draw = np.random.default_rng([self.seed, 2])
        count = max(round(self.days * 20 / 30), 3)
        hours = np.sort(draw.choice(np.arange(6, self.days * 24 - 6), size=count, replace=False))
        away = {count // 3: timedelta(hours=30), 2 * count // 3: timedelta(hours=80)}
        return tuple(
            Stop(
                at, number % 5 != 4, min(away.get(number, timedelta()), max(self.end - at - 12 * HOUR, HOUR))
            )
            for number, at in enumerate(START + int(hour) * HOUR for hour in hours)
        )

    def provider_is_down(self, now: datetime) -> bool:
        """For ten hours in the middle of the month."""
        begin = START + self.days // 2 * DAY + 5 * HOUR
        return begin <= now < begin + 10 * HOUR

    def hour(self, at: datetime, now: datetime) -> Iterator[Mapping[str, object]]:
        """What the provider tells of an hour at the moment `now`: one in fifty keys comes an hour late."""
        requests = self.requests(at)
        if now < at + 2 * HOUR:
            requests[self._late(at)] = 0
        for key in np.flatnonzero(requests).tolist():
            count = int(requests[key])
            yield {
                "object": "organization.usage.completions.result",
                "project_id": f"proj_{key // KEYS_A_TEAM:03}",
                "user_id": None,
                "api_key_id": f"key_{key:05}",
                "model": MODELS[key % len(MODELS)],
                "batch": False,
                "service_tier": "default",
                "num_model_requests": count,
                "input_tokens": count * 900,
                "input_cached_tokens": 0,
                "output_tokens": count * 250,
            }

    def requests(self, at: datetime) -> Counts:
        """Of each key in an hour, when all is known; the same whenever it is asked."""
        number = int((at - START) / HOUR)
        draw = np.random.default_rng([self.seed, 3, number + 100_000])
        shape = 1 + 0.6 * np.sin((at.hour - 9) / 24 * 2 * np.pi) - (0.4 if at.weekday() >= 5 else 0)
        level = self._level() * shape * draw.lognormal(0, 0.15, self.keys)
        asleep = draw.random(self.keys) > self._waking()
        counts = np.where(asleep, 0, np.maximum(np.rint(level), 1)).astype(np.int64)
        for surge in self.surges():
            if surge.holds(at):
                counts[surge.key] = max(int(self._level()[surge.key] * surge.factor), 1)
        return counts

    def _level(self) -> NDArray[np.float64]:
        return np.random.default_rng([self.seed, 4]).lognormal(2.0, 1.2, self.keys)

    def _waking(self) -> NDArray[np.float64]:
        """The share of hours in which a key is used: those that spend much always are."""
        level = self._level()
        return np.where(level > np.quantile(level, 0.9), 1.0, 0.25)

    def _late(self, at: datetime) -> NDArray[np.bool_]:
        number = int((at - START) / HOUR)
        return np.random.default_rng([self.seed, 5, number + 100_000]).random(self.keys) < 0.02
