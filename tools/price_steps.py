"""Steps of a unit price: the hour from which the tokens of a model were billed at another price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from ledger.hour_sums import Floats, PriceHours
from ledger.reader import DayRate, Reader
from ledger.scope import Scope
from ledger.usage import TOKEN_CLASSES, Measures
from ledger.window import Window
from tools.unit_prices import TYPICAL, ModelTier

LEAST_STEP = float(np.log(1.01))
LEAST_HOURS = 3
"""A unit price that is right is constant to the cent: over 1 %, held for 3 hours, is a step (reference)."""
NOISE = 4.0
"""A step must be so many typical deviations of the hours beside it: without known rates the price of a
changing mix wanders."""
ALL_KEYS = 0.9
"""A step of the model's price shows in all of its keys; a few may have too little usage to show it."""
MOST_STEPS = 6
MOST_SPLITS = 32
LEAST_GAIN = LEAST_HOURS * (LEAST_STEP / 2) ** 2
"""Less squared deviation than this cannot be a step."""
MOST_CHECKED = 40
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
    found = []
    for hours in priced:
        if hours.billed:
            levels = price_levels(hours, rates)
            known = np.flatnonzero(np.isfinite(levels))
            for place, height in find_steps(levels[known]):
                at = hours.hours[int(known[place])]
                ratio = round(float(np.exp(height)), 4)
                found.append(PriceStep(hours.provider, hours.model, hours.service_tier, at, ratio))
    largest = sorted(found, key=lambda step: -abs(np.log(step.ratio)))[:MOST_CHECKED]
    checked = [_checked_on_keys(reader, step, rates) for step in largest]
    return sorted(checked, key=lambda step: (step.at, step.model, step.service_tier))


def find_steps(levels: Floats) -> list[tuple[int, float]]:
    """Positions and heights of the lasting steps of a series without gaps, in order of position.

    None where there are more than MOST_STEPS: that is a price that depends on the hour or on the request.
    """
    edges = [0, *sorted(_splits(levels, 0, MOST_SPLITS)), len(levels)]
    while len(edges) > 2:
        steps = [_step(levels, *edges[i - 1 : i + 2]) for i in range(1, len(edges) - 1)]
        weakest = min(range(len(steps)), key=lambda i: steps[i][1])
        if steps[weakest][1] > 1:
            break
        del edges[weakest + 1]
    if len(edges) - 2 > MOST_STEPS:
        return []
    return [(edges[i], _step(levels, *edges[i - 1 : i + 2])[0]) for i in range(1, len(edges) - 1)]


def _step(levels: Floats, start: int, place: int, end: int) -> tuple[float, float]:
    """Height of the step at `place`, and that over what it must exceed."""
    sides = levels[start:place], levels[place:end]
    middles = [float(np.median(side)) for side in sides]
    residuals = [np.abs(side - middle) for side, middle in zip(sides, middles, strict=True)]
    noise = 1.4826 * float(np.median(np.concatenate(residuals)))
    height = middles[1] - middles[0]
    held = min(int((side < abs(height) / 2).sum()) for side in residuals)
    return height, abs(height) / max(LEAST_STEP, NOISE * noise) if held >= LEAST_HOURS else 0.0


def _splits(levels: Floats, offset: int, most: int) -> list[int]:
    """Where the series is best cut in two, again and again; at most so many places."""
    n = len(levels)
    if n < 2 * LEAST_HOURS or most <= 0:
        return []
    places = np.arange(LEAST_HOURS, n - LEAST_HOURS + 1)
    sums = np.cumsum(levels - levels.mean())[places - 1]
    gains = sums**2 * n / (places * (n - places))
    place = int(places[gains.argmax()])
    if gains.max() <= LEAST_GAIN:
        return []
    left = _splits(levels[:place], offset, (most - 1) // 2)
    right = _splits(levels[place:], offset + place, most - 1 - len(left))
    return [*left, offset + place, *right]


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
