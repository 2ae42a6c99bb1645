"""The ways in which one model on one day can differ from its bill, tried by arithmetic: each fits or not."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from ledger.prices.tiers import canonical_tier
from ledger.usage import TOKEN_CLASSES
from tokensleuth.reconciling.items import Item
from tokensleuth.reconciling.mechanisms import cache_mistake, regional_price, tier_price
from tokensleuth.reconciling.prices import Prices, moved, scaled, usd_per_mtok
from tokensleuth.reconciling.reasons import BY_COUNT, EXACT, IN_PART, Explained, Override, Reason

_COUNTS_DIFFER = Decimal("0.005")
Hypothesis = Callable[[Item, Prices], "Explained | None"]


def late_data(item: Item, _: Prices) -> Explained | None:
    """The bill is what the usage cost that was there when it was pulled, and more or other is there now."""
    tolerance = item.billed.tolerance_pico
    if item.known_pico is None or abs(item.known_pico - item.billed.pico) > tolerance:
        return None
    if abs(item.known_pico - item.computed_pico) <= tolerance:
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


def other_counts(item: Item, prices: Prices) -> Explained | None:
    """The bill counts more tokens than the ledger, or fewer; priced by our rates they make the bill."""
    billed, ours = item.billed.quantities, item.tokens
    if billed is None or _about_equal(sum(billed, Decimal()), sum(ours)):
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


def told_twice(item: Item, _: Prices) -> Explained | None:
    """Without one of the files or reports that told of it, the ledger agrees."""
    for source, pico in item.sources:
        left = item.computed_pico - pico
        if pico and left and abs(left - item.billed.pico) <= item.billed.tolerance_pico:
            told = f"without what {source} told the ledger agrees with the bill"
            return Explained("usage_counted_twice", EXACT, left, told)
    return None


def class_price(item: Item, prices: Prices) -> Explained | None:
    """One class costs another price per token, the others agree; several where counts are known to agree.

    All of them by one ratio may be a discount: days are looked at first.
    """
    whole = Decimal(item.billed.pico) / item.computed_pico if item.computed_pico else Decimal()
    used = sum(bool(count) for count in item.tokens)
    return None if used > 1 and item.fits(scaled(item.rated, whole)) else implied_price(item, prices)


def implied_price(item: Item, _: Prices) -> Explained | None:
    """The prices that the bill implies, where its classes and counts leave nothing else."""
    by_class = item.billed.by_class
    if by_class is None:
        return None
    tolerance, used = item.billed.tolerance_pico, [bool(count) for count in item.tokens]
    off = [i for i, ours in enumerate(item.rated) if abs(ours - by_class[i]) > tolerance]
    certain = same_counts(item) or (len(off) == 1 and sum(used) > 1)
    if not off or not all(used[i] for i in off) or not certain:
        return None
    overrides = tuple(o for o in _implied(item) if o.token_class in {TOKEN_CLASSES[i] for i in off})
    named = ", ".join(f"{o.token_class} {o.value:f}" for o in overrides)
    told = f"the bill implies, in USD a million tokens: {named}"
    return Explained("list_price", EXACT, item.billed.pico, told, overrides)


def same_counts(item: Item) -> bool:
    """Whether the bill tells tokens, and as many of each class as the ledger has."""
    if item.billed.quantities is None:
        return False
    pairs = zip(item.billed.quantities, item.tokens, strict=True)
    return all(_about_equal(theirs, ours) for theirs, ours in pairs)


def _about_equal(theirs: Decimal, ours: int) -> bool:
    return abs(theirs - ours) <= _COUNTS_DIFFER * max(theirs, Decimal(ours))


DECISIVE: Sequence[Hypothesis] = (
    late_data, unpriced_model, missing_model, gateway_price, cache_mistake, other_counts, told_twice,
)  # fmt: skip
"""Told by counts, or by amounts that nothing else gives; in this order, before a discount is looked for."""
PRICED: Sequence[Hypothesis] = (tier_price, regional_price, class_price)
LEFT: Sequence[Hypothesis] = (implied_price,)
"""After days were looked at together."""


def first_of(hypotheses: Sequence[Hypothesis], item: Item, prices: Prices) -> Explained | None:
    found = (hypothesis(item, prices) for hypothesis in hypotheses)
    return next((explained for explained in found if explained is not None), None)


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
        amounts = moved((0, 0, 0, 0, 0), {used[0]: item.billed.pico})
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
