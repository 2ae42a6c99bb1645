"""Each way in which one model on one day can differ from its bill, tried by arithmetic: it fits or it does not."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from ledger.billed import TierDay, Tokens
from ledger.prices.tiers import TIER_CONTEXTS, canonical_tier
from ledger.usage import TOKEN_CLASSES
from tokensleuth.reconciling.items import Item, summed
from tokensleuth.reconciling.prices import (
    CACHE_READ,
    CACHE_WRITE_1H,
    CACHE_WRITE_5M,
    INPUT,
    Prices,
    repriced,
    usd_per_mtok,
)
from tokensleuth.reconciling.reasons import Explained, Override, Reason

EXACT, BY_COUNT, IN_PART = 0.95, 0.97, 0.8
"""How sure: an amount fits to the tolerance; counts of tokens differ; they differ and leave something over."""
_COUNTS_DIFFER = Decimal("0.005")
_REGION = Decimal("1.1")
"""OpenAI's and Anthropic's surcharge for processing in a region."""
_USUAL_FACTOR = {"batch": Decimal("0.5"), "flex": Decimal("0.5"), "priority": Decimal(2)}
"""Of the standard price, where the book has no price of a tier."""

Hypothesis = Callable[[Item, Prices], "Explained | None"]


class _Try(NamedTuple):
    """A bill as it would be, and what would have made it so."""

    predicted: Tokens
    told: str


def late_data(item: Item, _: Prices) -> Explained | None:
    """The bill is what the usage cost that was there when it was pulled."""
    if item.known_pico is None or abs(item.known_pico - item.billed.pico) > item.billed.tolerance_pico:
        return None
    return Explained("late_data", EXACT, item.known_pico, "the bill is what the usage known then costs")


def unpriced_model(item: Item, _: Prices) -> Explained | None:
    """Tokens without a price; what has one agrees with the bill, where the bill has classes."""
    missing = item.unpriced_tokens
    if not missing or item.gap_pico >= 0 or not _priced_part_agrees(item):
        return None
    blended = usd_per_mtok(Decimal(-item.gap_pico) / missing)
    told = f"{missing:,} tokens have no price; the bill has {blended} USD a million of them"
    overrides = tuple(_implied(item, only_unpriced=True))
    facts = {"unpriced_tokens": missing}
    return Explained("unpriced_model", EXACT, item.billed.pico, told, overrides, facts=facts)


def missing_model(item: Item, _: Prices) -> Explained | None:
    """Billed, and nothing of it in the ledger; or in the ledger, and on no line of the bill."""
    if not item.tiers:
        told = "the ledger has no usage of this model on that day"
        return Explained("missing_usage", BY_COUNT, item.billed.pico, told)
    if not item.billed.lines:
        return Explained("not_billed", IN_PART, 0, "the bill of the day has no line for it")
    return None


def gateway_price(item: Item, _: Prices) -> Explained | None:
    """Costs that a gateway told; by our own book the tokens cost what is billed."""
    if item.counted_pico == item.computed_pico or not item.fits(item.rated):
        return None
    return Explained("gateway_price", EXACT, item.computed_pico, "by the price book alone the bill fits")


def cache_mistake(item: Item, prices: Prices) -> Explained | None:
    """The bill is ours less, or more, the cached tokens at the price of input."""
    rate = prices.rate_of(item, INPUT)
    if rate is None or not sum(item.tokens[CACHE_READ : CACHE_WRITE_1H + 1]):
        return None
    for reason, tried in _cache_tries(item, rate):
        if item.fits(tried.predicted):
            return Explained(reason, EXACT, sum(tried.predicted), tried.told)
    return None


def _cache_tries(item: Item, rate: Decimal) -> Iterator[tuple[Reason, _Try]]:
    reads, writes = item.tokens[CACHE_READ], sum(item.tokens[CACHE_WRITE_5M : CACHE_WRITE_1H + 1])
    for told, tokens in (("reads", reads), ("reads and writes", reads + writes)):
        amount = int(tokens * rate)
        less, more = _moved(item.rated, {INPUT: -amount}), _moved(item.rated, {INPUT: amount})
        which = f"{tokens:,} tokens of cache {told} at the price of input"
        yield "cache_counted_twice", _Try(less, f"the bill is ours less {which}")
        yield "cache_left_out", _Try(more, f"the bill is ours and {which}")
    cached = item.rated[CACHE_READ]
    without = _moved(item.rated, {CACHE_READ: -cached})
    yield "cache_counted_twice", _Try(without, "the bill is ours without the cache reads")
    dear = int(reads * rate)
    told = f"the bill has {reads:,} cache reads at the price of input"
    yield "cache_not_discounted", _Try(_moved(item.rated, {CACHE_READ: dear - cached}), told)
    yield "cache_not_discounted", _Try(_moved(item.rated, {CACHE_READ: -cached, INPUT: dear}), told)


def other_counts(item: Item, prices: Prices) -> Explained | None:
    """The bill counts more tokens than the ledger, or fewer; priced by our rates they make the bill."""
    billed, ours = item.billed.quantities, item.tokens
    if billed is None or abs(sum(billed) - sum(ours)) <= _COUNTS_DIFFER * max(sum(billed), sum(ours)):
        return None
    rates = [prices.rate_of(item, number) for number in range(len(TOKEN_CLASSES))]
    if any(count and rate is None for count, rate in zip(billed, rates, strict=True)):
        return None
    one, two, three, four, five = (int(c * (r or 0)) for c, r in zip(billed, rates, strict=True))
    predicted = (one, two, three, four, five)
    left = abs(sum(predicted) - item.billed.pico)
    if left > abs(item.gap_pico) / 2 and not item.fits(predicted):
        return None
    reason: Reason = "missing_usage" if sum(billed) > sum(ours) else "usage_counted_twice"
    told = f"the bill counts {sum(billed):,.0f} tokens, the ledger {sum(ours):,}"
    sure = BY_COUNT if item.fits(predicted) else IN_PART
    facts = {"billed_tokens": sum(billed), "ledger_tokens": sum(ours)}
    return Explained(reason, sure, sum(predicted), told, facts=facts)


def tier_price(item: Item, prices: Prices) -> Explained | None:
    """All tokens, or those of one tier, at the prices of another."""
    for tried in _tier_tries(item, prices):
        if item.fits(tried.predicted):
            return Explained("tier_price", EXACT, sum(tried.predicted), tried.told)
    return None


def _tier_tries(item: Item, prices: Prices) -> Iterator[_Try]:
    single = [[tier] for tier in item.tiers] if len(item.tiers) > 1 else []
    for moved in (list(item.tiers), *single):
        kept = summed([tier.rated for tier in item.tiers if tier not in moved])
        source = " and ".join(sorted({canonical_tier(tier.service_tier) for tier in moved}))
        for target in ("standard", *TIER_CONTEXTS):
            parts = [_in_tier(item, tier, target, prices) for tier in moved]
            if source != target and (known := [part for part in parts if part is not None]):
                if len(known) == len(parts):
                    told = f"the bill has what the ledger has as {source} at the {target} price"
                    yield _Try(summed([kept, *known]), told)


def _in_tier(item: Item, tier: TierDay, target: str, prices: Prices) -> Tokens | None:
    found = repriced(tier, prices.rates(item, target))
    if found is not None or target not in _USUAL_FACTOR:
        return found
    standard = repriced(tier, prices.rates(item, "standard"))
    return standard and scaled(standard, _USUAL_FACTOR[target])


def regional_price(item: Item, _: Prices) -> Explained | None:
    """A tenth more, in every class."""
    predicted = scaled(item.rated, _REGION)
    if not item.fits(predicted):
        return None
    return Explained("regional_price", EXACT, sum(predicted), f"the bill is ours times {_REGION}")


def class_price(item: Item, _: Prices) -> Explained | None:
    """One class costs another price per token, the others agree; several where counts are known to agree."""
    by_class = item.billed.by_class
    if by_class is None:
        return None
    tolerance, used = item.billed.tolerance_pico, [bool(count) for count in item.tokens]
    off = [i for i, ours in enumerate(item.rated) if abs(ours - by_class[i]) > tolerance]
    if not off or not all(used[i] for i in off) or (len(off) > 1 and not same_counts(item)):
        return None
    if len(off) == sum(used) and not same_counts(item):
        return None
    overrides = tuple(o for o in _implied(item) if o.token_class in {TOKEN_CLASSES[i] for i in off})
    named = ", ".join(f"{o.token_class} {o.value.normalize():f}" for o in overrides)
    told = f"the bill implies, in USD a million tokens: {named}"
    return Explained("list_price", EXACT, item.billed.pico, told, overrides)


def same_counts(item: Item) -> bool:
    """Whether the bill tells tokens, and as many of each class as the ledger has."""
    if item.billed.quantities is None:
        return False
    pairs = zip(item.billed.quantities, item.tokens, strict=True)
    return all(abs(theirs - ours) <= _COUNTS_DIFFER * max(theirs, ours) for theirs, ours in pairs)


def scaled(amounts: Tokens, by: Decimal) -> Tokens:
    one, two, three, four, five = (int((amount * by).to_integral_value()) for amount in amounts)
    return one, two, three, four, five


DECISIVE: Sequence[Hypothesis] = (
    late_data, unpriced_model, missing_model, gateway_price, cache_mistake, other_counts,
)  # fmt: skip
"""Told by counts, or by amounts that nothing else gives; in this order, before a discount is looked for."""
PRICED: Sequence[Hypothesis] = (tier_price, regional_price, class_price)


def first_of(hypotheses: Sequence[Hypothesis], item: Item, prices: Prices) -> Explained | None:
    found = (hypothesis(item, prices) for hypothesis in hypotheses)
    return next((explained for explained in found if explained is not None), None)


def _moved(amounts: Tokens, by: dict[int, int]) -> Tokens:
    one, two, three, four, five = (amount + by.get(i, 0) for i, amount in enumerate(amounts))
    return one, two, three, four, five


def _priced_part_agrees(item: Item) -> bool:
    by_class = item.billed.by_class
    if by_class is None or not sum(item.rated):
        return True
    tolerance = item.billed.tolerance_pico
    pairs = zip(item.rated, by_class, strict=True)
    return all(abs(ours - theirs) <= tolerance for ours, theirs in pairs if ours)


def _implied(item: Item, *, only_unpriced: bool = False) -> Iterator[Override]:
    """A price for each class, from its dollars and tokens; where the bill has no classes, of the only one."""
    amounts = item.billed.by_class
    used = [i for i, count in enumerate(item.tokens) if count]
    if amounts is None and len(used) == 1:
        amounts = _moved((0, 0, 0, 0, 0), {used[0]: item.billed.pico})
    tiers = {canonical_tier(tier.service_tier) for tier in item.tiers}
    if amounts is None or len(tiers) != 1:
        return
    for i in used:
        if amounts[i] > 0 and not (only_unpriced and item.rated[i]):
            price = usd_per_mtok(Decimal(amounts[i]) / item.tokens[i])
            yield Override(
                item.provider, item.model, TOKEN_CLASSES[i], "usd_per_mtok", price, item.day,
                next(iter(tiers)),
            )  # fmt: skip
