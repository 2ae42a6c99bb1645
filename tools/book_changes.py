"""Changes of our own price book that the ledger shows: new rates, or another model behind a name."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from ledger.events import NEAR_DAYS
from ledger.hour_sums import PriceHours
from ledger.reader import DayRate, PriceBasis
from tools.price_steps import PriceStep, ReferenceRates, price_levels, rates_by_day, row_of
from tools.unit_prices import ModelTier

SPAN_HOURS = 72
NEAR = timedelta(days=NEAR_DAYS)


@dataclass(frozen=True, slots=True)
class BookChange:
    """From `at` on, the price book had another version for one model and tier."""

    provider: str
    model: str
    service_tier: str
    at: datetime
    billed: bool
    """The source billed the usage: what the book says can be compared with what was paid."""
    listed_ratio: float | None
    """What the tokens cost at the new rates over the old; None where the rates are not known."""
    observed_ratio: float | None
    """What they did cost."""
    was_priced_as: str | None = None
    """The model behind the name before, where that changed."""
    priced_as: str | None = None


def find_book_changes(
    priced: Sequence[PriceHours],
    basis: Sequence[PriceBasis],
    rates: Sequence[DayRate],
    steps: Sequence[PriceStep] = (),
) -> list[BookChange]:
    """Every change of version in use, earliest first; the same terms from a newer catalogue are none.

    A bill may follow the book some days off: then the step of the bill says when and by how much.
    """
    reference, days = ReferenceRates(rates), rates_by_day(rates)
    hours = {(p.provider, p.model, p.service_tier, p.billed): p for p in priced}
    found = []
    for (name, billed), at in _new_versions(basis):
        own = hours.get((*name, billed))
        if own is not None:
            change = _change(name, at, own, reference, days.get(name, []))
            found.append(_as_billed(change, steps) if billed else change)
    return sorted(found, key=lambda c: (c.at, c.model, c.service_tier, c.billed))


def _new_versions(basis: Sequence[PriceBasis]) -> list[tuple[tuple[ModelTier, bool], datetime]]:
    """First hours of versions that followed another one."""
    uses: dict[tuple[ModelTier, bool], dict[str, datetime]] = defaultdict(dict)
    for use in basis:
        if use.price_version:
            versions = uses[(use.provider, use.model, use.service_tier), use.billed]
            terms = use.price_version.partition(" ")[2] or use.price_version
            versions[terms] = min(versions.get(terms, use.first_hour), use.first_hour)
    return [(name, at) for name, versions in uses.items() for at in sorted(versions.values())[1:]]


def _change(
    name: ModelTier, at: datetime, hours: PriceHours, reference: ReferenceRates, days: Sequence[DayRate]
) -> BookChange:
    old, new = _rates_around(days, at)
    renamed = old is not None and new is not None and old.priced_as != new.priced_as
    return BookChange(
        *name,
        at=at,
        billed=hours.billed,
        listed_ratio=_listed_ratio(hours, old, new),
        observed_ratio=observed_ratio(hours, reference, at),
        was_priced_as=old.priced_as if renamed and old else None,
        priced_as=new.priced_as if renamed and new else None,
    )


def _as_billed(change: BookChange, steps: Sequence[PriceStep]) -> BookChange:
    name = (change.provider, change.model, change.service_tier)
    near = [
        step for step in steps
        if (step.provider, step.model, step.service_tier) == name and abs(step.at - change.at) < NEAR
    ]  # fmt: skip
    step = min(near, key=lambda s: abs(s.at - change.at), default=None)
    return change if step is None else replace(change, at=step.at, observed_ratio=step.ratio)


def _rates_around(days: Sequence[DayRate], at: datetime) -> tuple[DayRate | None, DayRate | None]:
    """Rates before and from the instant on: those of its day where they differ from the day before."""
    new = next((d for d in days if d.day >= at.date()), None)
    old = next((d for d in reversed(days) if d.day < at.date()), None)
    return old, new


def _listed_ratio(hours: PriceHours, old: DayRate | None, new: DayRate | None) -> float | None:
    if old is None or new is None:
        return None
    tokens = hours.tokens.sum(axis=0)
    before, after = (float((tokens * row_of(rate)).sum()) for rate in (old, new))
    return round(after / before, 4) if before and after else None


def observed_ratio(hours: PriceHours, reference: ReferenceRates, at: datetime) -> float | None:
    """Unit price in the SPAN_HOURS from an instant on over that before it, each the median of its hours."""
    levels = price_levels(hours, reference)
    since = np.array([(hour - at).total_seconds() / 3600 for hour in hours.hours])
    known = np.isfinite(levels)
    sides = [
        levels[known & (since >= -SPAN_HOURS) & (since < 0)],
        levels[known & (since >= 0) & (since < SPAN_HOURS)],
    ]
    if not all(len(side) for side in sides):
        return None
    return round(float(np.exp(np.median(sides[1]) - np.median(sides[0]))), 4)
