"""Hourly series the forecast is backtested on: the halves it was tuned on, and those held out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from detectors.statistics import FloatArray
from evals.detection.datasets import CLIENTS_FILE, development_set, monitoring_trial, real_clients
from evals.detection.generator.generate import generate_set
from ledger.synthetic.cost import priced_usd
from ledger.synthetic.spec import OrganisationSpec
from ledger.synthetic.traffic import generate_usage

TUNED_SEEDS = (31, 32)
FRESH_SEEDS = (441, 442, 443)
"""Seeds of the held-out generated sets; none was looked at while the forecast was made."""
ORGANISATION_SEEDS = (77, 78)
ORGANISATIONS = {"organisation": 0.01, "growing organisation": 0.03}
"""Growth a week, by name; the first is the generator's default."""
SERVEGEN_START_AT = datetime(2026, 11, 2, tzinfo=UTC)
"""A Monday, as in the data; the year is made up."""


@dataclass(frozen=True, slots=True)
class HourlySet:
    """Series of one kind: (series, hours) from a midnight UTC."""

    name: str
    start_at: datetime
    hours: FloatArray
    real: bool = False
    """Measured in production somewhere, not made up."""

    @property
    def days(self) -> int:
        return int(self.hours.shape[1]) // 24

    def half(self, odd: int) -> "HourlySet":
        """Every second series."""
        return HourlySet(self.name, self.start_at, self.hours[odd::2], self.real)


def tuned_sets(folder: Path) -> Iterator[HourlySet]:
    """The even series of the development files, and generated ones without incidents."""
    yield from (one.half(0) for one in _real_sets(folder))
    yield _spend_set(folder).half(0)
    yield _generated("generated, calm", TUNED_SEEDS, incidents=False)


def held_out_sets(folder: Path) -> Iterator[HourlySet]:
    """The odd series of the files, where there are files, fresh seeds and synthetic organisations."""
    if (folder / CLIENTS_FILE).is_file():
        yield from (one.half(1) for one in _real_sets(folder))
        yield _spend_set(folder).half(1)
    yield _generated("generated, calm", FRESH_SEEDS, incidents=False)
    yield _generated("generated, incidents", FRESH_SEEDS, incidents=True)
    for name, growth_per_week in ORGANISATIONS.items():
        yield from _organisations(name, growth_per_week)


def _real_sets(folder: Path) -> Iterator[HourlySet]:
    yield HourlySet("ServeGen clients", SERVEGEN_START_AT, real_clients(folder), real=True)
    for part in monitoring_trial(folder).parts:
        whole = part.cost_usd.shape[1] // 24 * 24
        yield HourlySet("monitored services", part.start_at, part.cost_usd[:, :whole], real=True)


def _spend_set(folder: Path) -> HourlySet:
    """Partly resampled from real clients; each series has incidents in its last 28 days."""
    spend = development_set(folder)
    return HourlySet("spend series, incidents", spend.start_at, spend.cost_usd)


def _generated(name: str, seeds: tuple[int, ...], *, incidents: bool) -> HourlySet:
    """All from one day: a generated set begins on some day of its own, which no figure depends on."""
    made = [generate_set(seed, series=68, incidents=incidents) for seed in seeds]
    first_monday = [timedelta(days=-one.start_at.weekday() % 7) for one in made]
    skipped = [lead // timedelta(hours=1) for lead in first_monday]
    hours = min(one.cost_usd.shape[1] - skip for one, skip in zip(made, skipped, strict=True))
    aligned = [one.cost_usd[:, skip : skip + hours] for one, skip in zip(made, skipped, strict=True)]
    return HourlySet(name, datetime(2026, 6, 1, tzinfo=UTC), np.concatenate(aligned))


def _organisations(name: str, growth_per_week: float) -> Iterator[HourlySet]:
    """Thirteen weeks of teams and of keys, priced by the price book."""
    for seed in ORGANISATION_SEEDS:
        spec = OrganisationSpec(seed=seed, teams=12, weeks=13, growth_per_week=growth_per_week)
        rows = generate_usage(spec)
        spend = rows.assign(usd=priced_usd(rows))
        for dimension in ("team", "key_id"):
            yield HourlySet(f"{name}, by {dimension}", spec.window.start_at, _by(spend, dimension, spec))


def _by(spend: pd.DataFrame, dimension: str, spec: OrganisationSpec) -> FloatArray:
    table = spend.pivot_table(index=dimension, columns="started_at", values="usd", aggfunc="sum")
    every_hour = pd.date_range(spec.window.start_at, periods=spec.window.hours, freq="h", unit="us")
    return table.reindex(columns=every_hour).fillna(0.0).to_numpy(dtype=np.float64)
