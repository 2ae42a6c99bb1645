"""Steps of a unit price: the hour from which the tokens of a model were billed at another price."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from ledger.hour_sums import Floats, PriceHours
from ledger.reader import DayRate, Reader
from ledger.scope import Scope
from ledger.usage import TOKEN_CLASSES, Measures
from ledger.window import Window
from tools.level_steps import find_steps
from tools.unit_prices import TYPICAL, ModelTier

ALL_KEYS = 0.9
"""A step of the model's price shows in all of its keys; a few may have too little usage to show it."""
MOST_CHECKED = 40
SAME_MIX = 0.02
"""Shares of token classes that differ by less are the same mix."""
SPAN = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class PriceStep:
    """From `at` on, one model and tier cost `ratio` times as much for the same tokens."""

    provider: str
    model: str
    service_tier: str
    at: datetime
    ratio: float
    keys: int = 0
    """Keys with usage on both sides, in the whole ledger."""
    keys_moved: int = 0

    @property
    def is_of_the_model(self) -> bool:
        """Whether all keys of the model made it; else it is a matter of some keys' terms."""
        return self.keys > 0 and self.keys_moved >= ALL_KEYS * self.keys


class ReferenceRates:
    """Prices per class of one day each, by hour where they depend on it: what the bill is measured in."""

    def __init__(self, rates: Sequence[DayRate]) -> None:
        first: dict[ModelTier, object] = {}
        self._rates: dict[tuple[ModelTier, int | None], Floats] = {}
        for rate in rates:
            name = (rate.provider, rate.model, rate.service_tier)
            if first.setdefault(name, rate.day) == rate.day:
                self._rates[name, rate.hour_of_day] = row_of(rate)

    def of(self, name: ModelTier, hour_of_day: int) -> Floats:
        """Shape (classes,); TYPICAL relative prices for a model that has none."""
        found = self._rates.get((name, None), self._rates.get((name, hour_of_day)))
        return TYPICAL if found is None or not found.any() else found

    def knows(self, name: ModelTier) -> bool:
        return any(known == name and rates.any() for (known, _), rates in self._rates.items())


def row_of(rate: DayRate) -> Floats:
    return np.array([getattr(rate, name) or 0 for name in TOKEN_CLASSES], dtype=np.float64)


def price_levels(hours: PriceHours, rates: ReferenceRates) -> Floats:
    """Log of cost over what the tokens cost at the reference, by hour; NaN where nothing can be said."""
    name = (hours.provider, hours.model, hours.service_tier)
    table = np.array([rates.of(name, at.hour) for at in hours.hours]).reshape(-1, len(TOKEN_CLASSES))
    with np.errstate(divide="ignore", invalid="ignore"):
        levels = np.log(hours.cost_pico) - np.log((hours.tokens * table).sum(axis=1))
    return np.asarray(np.where(np.isfinite(levels), levels, np.nan))


def find_price_steps(reader: Reader, priced: Sequence[PriceHours], rates: ReferenceRates) -> list[PriceStep]:
    """The largest steps of billed unit prices, each checked on the keys of the model; earliest first."""
    found = [step for hours in priced if hours.billed for step in _steps_of(hours, rates)]
    largest = sorted(found, key=lambda step: -abs(np.log(step.ratio)))[:MOST_CHECKED]
    checked = [_checked_on_keys(reader, step, rates) for step in largest]
    return sorted(checked, key=lambda step: (step.at, step.model, step.service_tier))


def _steps_of(hours: PriceHours, rates: ReferenceRates) -> Iterator[PriceStep]:
    name = (hours.provider, hours.model, hours.service_tier)
    levels = price_levels(hours, rates)
    known = np.flatnonzero(np.isfinite(levels))
    for place, height in find_steps(levels[known]):
        at = hours.hours[int(known[place])]
        if rates.knows(name) or _keeps_its_mix(hours, at):
            yield PriceStep(*name, at, max(round(float(np.exp(height)), 4), 1e-4))


def _keeps_its_mix(hours: PriceHours, at: datetime) -> bool:
    """Whether the classes had the same shares of tokens before and after: else, with no rates known, the
    step may be one of the mix."""
    since = np.array([(hour - at) / SPAN for hour in hours.hours])
    sides = [
        hours.tokens[which].sum(axis=0) for which in ((since >= -1) & (since < 0), (since >= 0) & (since < 1))
    ]
    shares = [side / max(float(side.sum()), 1.0) for side in sides]
    return bool(np.abs(shares[1] - shares[0]).max() < SAME_MIX)


def _checked_on_keys(reader: Reader, step: PriceStep, rates: ReferenceRates) -> PriceStep:
    """How many keys of the model paid another price after the step, anywhere in the ledger."""
    name = (step.provider, step.model, step.service_tier)
    where = Scope.of(
        (("provider", step.provider), ("model", step.model), ("service_tier", step.service_tier))
    )
    windows = Window(step.at - SPAN, step.at), Window(step.at, step.at + SPAN)
    sides = [reader.totals([window], by=("key_id",), where=where) for window in windows]
    reference = rates.of(name, step.at.hour)
    before, after = ({s: _level(m, reference) for s, m in side.items() if m.cost_pico} for side in sides)
    both = sorted(before.keys() & after.keys())
    half = np.log(step.ratio) / 2
    moved = [s for s in both if (after[s] - before[s]) / half >= 1]
    return replace(step, keys=len(both), keys_moved=len(moved))


def _level(measures: Measures, reference: Floats) -> float:
    tokens = np.array([getattr(measures.tokens, name) for name in TOKEN_CLASSES], dtype=np.float64)
    listed = float((tokens * reference).sum())
    return float(np.log(measures.cost_pico / listed)) if listed else 0.0


def rates_by_day(rates: Sequence[DayRate]) -> Mapping[ModelTier, list[DayRate]]:
    """Each model's rates in order of day; of a day with peak hours, the first hour's."""
    found: dict[ModelTier, list[DayRate]] = {}
    for rate in rates:
        days = found.setdefault((rate.provider, rate.model, rate.service_tier), [])
        if not days or days[-1].day != rate.day:
            days.append(rate)
    return found
