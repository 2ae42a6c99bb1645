"""Differences that are constant over models or days: a discount on the list, or another price for a class."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import median

from ledger.usage import TOKEN_CLASSES
from tokensleuth.reconciling.items import Item
from tokensleuth.reconciling.prices import Prices, scaled, usd_per_mtok
from tokensleuth.reconciling.reasons import EXACT, IN_PART, Explained, Override

CONSTANT = 0.003
"""By so much of itself a ratio may stray: discounts are whole or half percents, use varies by far more."""
FEWEST, FEWEST_DAYS, MODELS_OF_TIER = 3, 3, 3
_TIER_RATIOS = (0.5, 2.0)
Found = Mapping[Item, Explained]


def shared_discount(items: Sequence[Item], all_models: Mapping[str, frozenset[str]], prices: Prices) -> Found:
    """One part of the list price over two models or more of a provider.

    Half and double are also what tiers cost: for those, three models must share it.
    """
    found: dict[Item, Explained] = {}
    for provider in sorted({item.provider for item in items}):
        of = _ratios([item for item in items if item.provider == provider])
        while cluster := _largest_cluster(of, by_model=False):
            ratio = median(of[item] for item in cluster)
            models = {item.model for item in cluster}
            least = MODELS_OF_TIER if any(abs(ratio - r) <= CONSTANT * r for r in _TIER_RATIOS) else 2
            if ratio < 1 and len(models) >= least:
                whole = models >= all_models[provider]
                found |= {item: _discount(item, cluster, whole, prices) for item in cluster}
            of = {item: r for item, r in of.items() if item not in cluster}
    return found


def constant_over_days(items: Sequence[Item], prices: Prices) -> Found:
    """One model for three days or more: one class at one other price, or all at a part of the list price."""
    by_model: defaultdict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        by_model[item.provider, item.model].append(item)
    found: dict[Item, Explained] = {}
    for of_model in by_model.values():
        ratios = _ratios(of_model)
        cluster = _largest_cluster(ratios, by_model=True)
        if cluster and median(ratios[item] for item in cluster) < 1:
            found |= {item: _discount(item, cluster, False, prices) for item in cluster}
        else:
            found |= _one_class(of_model)
    return found


def _ratios(items: Sequence[Item]) -> dict[Item, float]:
    """Billed to computed, of those in which every class has the same."""
    ratios = {item: item.billed.pico / item.computed_pico for item in items if item.computed_pico > 0}
    return {i: r for i, r in ratios.items() if r > 0 and i.fits(scaled(i.rated, Decimal(repr(r))))}


def _largest_cluster(ratios: Mapping[Item, float], *, by_model: bool) -> list[Item]:
    """The most items of one ratio; nothing where they are too few to be no accident."""
    clusters = [
        [item for item, other in ratios.items() if abs(other - ratio) <= CONSTANT * ratio]
        for ratio in ratios.values()
    ]
    largest = max(clusters, key=len, default=[])
    days, models = {item.day for item in largest}, {item.model for item in largest}
    enough = len(days) >= FEWEST_DAYS or (not by_model and len(models) >= 2)
    return largest if len(largest) >= FEWEST and enough else []


def _discount(item: Item, cluster: Sequence[Item], whole: bool, prices: Prices) -> Explained:
    """The part of the list price that all of them are billed at, as the overrides that say so."""
    ratio = median(each.billed.pico / each.computed_pico for each in cluster)
    told = f"the bill is {ratio:.2%} of ours in {len(cluster)} model days"
    percent = _percent_off_list(cluster, prices)
    overrides: tuple[Override, ...] = ()
    if percent is not None and percent > 0:
        first, models = min(each.day for each in cluster), sorted({each.model for each in cluster})
        overrides = tuple(
            Override(item.provider, model, "*", "percent_off", percent, first)
            for model in (["*"] if whole else models)
        )
        told += f": {percent:f} percent off the list price"
    shared = f"{ratio:.2f}" if len({each.model for each in cluster}) > 1 else ""
    facts = {"ratio": ratio, "model_days": len(cluster)}
    predicted = sum(scaled(item.rated, Decimal(repr(ratio))))
    return Explained("contract_discount", EXACT, predicted, told, overrides, shared, facts)


def _percent_off_list(cluster: Sequence[Item], prices: Prices) -> Decimal | None:
    """Off the list itself, as overrides never stack; None where the list has no price."""
    listed = [(each, prices.listed_rated(each)) for each in cluster]
    parts = [each.billed.pico / sum(rated) for each, rated in listed if rated]
    if len(parts) < len(cluster):
        return None
    return Decimal(repr(100 * (1 - median(parts)))).quantize(Decimal("0.01")).normalize()


def _one_class(items: Sequence[Item]) -> Found:
    """The class whose implied price is the same every day, where no other's is."""
    if len({item.day for item in items}) < FEWEST_DAYS:
        return {}
    spreads = sorted((spread, i) for i in range(len(TOKEN_CLASSES)) if (spread := _spread(items, i)) >= 0)
    if not spreads or spreads[0][0] > CONSTANT or (len(spreads) > 1 and spreads[1][0] < 3 * CONSTANT):
        return {}
    number = spreads[0][1]
    price = usd_per_mtok(median(_implied(item, number) for item in items))
    name, first = TOKEN_CLASSES[number], min(item.day for item in items)
    told = f"on {len(items)} days the bill implies {price:f} USD a million {name} tokens"
    one = items[0]
    tiers = {tier.service_tier for item in items for tier in item.tiers}
    override = Override(one.provider, one.model, name, "usd_per_mtok", price, first)
    overrides = (override,) if len(tiers) == 1 else ()
    return {item: Explained("list_price", IN_PART, item.billed.pico, told, overrides) for item in items}


def _spread(items: Sequence[Item], number: int) -> float:
    """Of the implied prices, by their mean; -1 where there is none for a day."""
    if not all(item.tokens[number] and item.rated[number] for item in items):
        return -1.0
    implied = [float(_implied(item, number)) for item in items]
    return (max(implied) - min(implied)) / median(implied) if min(implied) > 0 else -1.0


def _implied(item: Item, number: int) -> Decimal:
    """In 1e-12 USD per token, where all other classes cost what they do."""
    others = sum(item.rated) - item.rated[number]
    return Decimal(item.billed.pico - others) / item.tokens[number]
