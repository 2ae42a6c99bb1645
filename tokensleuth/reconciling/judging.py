"""Every model and day judged: it agrees with its bill, it is a little off, or it is a gap with a reason."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from ledger.money import PICO_PER_USD
from tokensleuth.reconciling.constant import constant_over_days, shared_discount
from tokensleuth.reconciling.hypotheses import DECISIVE, LEFT, PRICED, Hypothesis, first_of
from tokensleuth.reconciling.items import Item
from tokensleuth.reconciling.prices import Prices
from tokensleuth.reconciling.reasons import Explained
from tokensleuth.reconciling.settings import ReconciliationSettings

Status = Literal["agrees", "small", "gap"]
UNEXPLAINED, BY_HOURS = 0.3, 0.6
"""How sure: nothing fits; hours without data could be all of it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One model on one day, and why it differs."""

    item: Item
    status: Status
    explained: Explained | None = None
    """Of a gap always; of a small one where something tells it."""


def judge(items: Sequence[Item], prices: Prices, settings: ReconciliationSettings) -> list[Judged]:
    """In the order of the items. Small differences are explained with the rest: days of one reason belong
    together though one of them was quiet."""
    statuses = {item: status_of(item, settings) for item in items}
    off = [item for item, status in statuses.items() if status != "agrees"]
    found: dict[Item, Explained] = {}
    found |= _each(off, found, prices, DECISIVE)
    found |= shared_discount([i for i in off if i not in found], _models(items), prices)
    found |= _each(off, found, prices, PRICED)
    found |= constant_over_days([i for i in off if i not in found], prices)
    found |= _each(off, found, prices, LEFT)
    usual = _usual_hours(items)
    for item in off:
        if item not in found:
            found[item] = _silent_hours(item, usual) or _unexplained(item)
    return [Judged(item, status, found.get(item)) for item, status in statuses.items()]


def status_of(item: Item, settings: ReconciliationSettings) -> Status:
    """Both the share and the dollars must be exceeded."""
    if item.share <= settings.min_share:
        return "agrees"
    return "gap" if abs(item.gap_pico) > settings.min_usd * PICO_PER_USD else "small"


def _each(
    items: Sequence[Item], known: Mapping[Item, Explained], prices: Prices, hypotheses: Sequence[Hypothesis]
) -> dict[Item, Explained]:
    tried = ((item, first_of(hypotheses, item, prices)) for item in items if item not in known)
    return {item: explained for item, explained in tried if explained is not None}


def _models(items: Sequence[Item]) -> Mapping[str, frozenset[str]]:
    """By provider: all that were billed for."""
    models: defaultdict[str, set[str]] = defaultdict(set)
    for item in items:
        if item.billed.lines:
            models[item.provider].add(item.model)
    return {provider: frozenset(found) for provider, found in models.items()}


def _usual_hours(items: Sequence[Item]) -> Mapping[tuple[str, str], float]:
    """In how many hours of a day a model is used as a rule."""
    hours: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for item in items:
        hours[item.provider, item.model].append(_hours(item))
    return {key: median(found) for key, found in hours.items() if len(found) >= 3}


def _hours(item: Item) -> int:
    return max((tier.hours for tier in item.tiers), default=0)


def _silent_hours(item: Item, usual: Mapping[tuple[str, str], float]) -> Explained | None:
    """Hours without data that would have cost about what is missing, at the rate of those that have it."""
    hours, usually = _hours(item), usual.get((item.provider, item.model), 0)
    if not hours or hours > usually - 1 or item.gap_pico >= 0:
        return None
    predicted = round(item.counted_pico * usually / hours)
    if abs(predicted - item.billed.pico) > abs(item.gap_pico) / 2:
        return None
    told = f"only {hours} of the usual {usually:g} hours have usage; at their rate all would cost the bill"
    return Explained("missing_usage", BY_HOURS, predicted, told)


def _unexplained(item: Item) -> Explained:
    told = f"the bill is {item.billed.pico / item.counted_pico:.2%} of ours" if item.counted_pico else ""
    return Explained("unexplained", UNEXPLAINED, item.counted_pico, told)
