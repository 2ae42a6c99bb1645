"""GitHub Copilot's AI-credit usage of a day as rows of a FOCUS bill: from the pool, and beyond it.

Credits from the pool are billed at 0: they were bought with the seats. Their effective cost is what GitHub
takes off (`discountAmount`); credits beyond the pool are billed in dollars (`netAmount`).
"""

from collections.abc import Iterator
from decimal import Decimal

from pydantic import FiniteFloat, JsonValue

from ledger.sources.told import Bucket, Cells, Told, ToldRow, Wrong, named, shaped
from ledger.window import instant_text

CURRENCY = "AIC"
UNIT = "ai-credits"
"""`unitType` of AI credits."""
_POOL, _OVERAGE = "from the pool", "beyond the pool"
_DIMS = ("product", "sku", "model")
_AMOUNTS = (
    "pricePerUnit", "grossQuantity", "netQuantity", "netAmount", "discountQuantity", "discountAmount",
)  # fmt: skip


class _Item(Told):
    """As the API names it."""

    product: str
    sku: str
    model: str | None = None
    unitType: str
    pricePerUnit: FiniteFloat
    grossQuantity: FiniteFloat
    grossAmount: FiniteFloat
    netQuantity: FiniteFloat
    netAmount: FiniteFloat
    discountQuantity: FiniteFloat | None = None
    discountAmount: FiniteFloat | None = None


def copilot_rows(bucket: Bucket, organization: str) -> Iterator[ToldRow | Wrong]:
    """At most two rows an item: its credits from the pool and those beyond it."""
    for number, result in enumerate(bucket.results):
        dims = _dims(result)
        place = bucket.place(dims) if dims else f"{bucket.place({})} item {number + 1}"
        found = shaped(_Item, result, place)
        reason = found if isinstance(found, Wrong) else _wrong(found, place)
        if reason is not None:
            yield from (
                Wrong(
                    reason.place, reason.column, reason.value, reason.reason, _record_id(bucket, dims, part)
                )
                for part in (_POOL, _OVERAGE)
            )
        elif isinstance(found, _Item):
            yield from _rows(bucket, found, organization, dims, place)


def _dims(result: JsonValue) -> dict[str, str | None]:
    if not isinstance(result, dict):
        return {}
    return {name: str(value) for name in _DIMS if (value := result.get(name)) is not None}


def _wrong(item: _Item, place: str) -> Wrong | None:
    if item.unitType != UNIT:
        return Wrong(place, "unitType", item.unitType, f"is no unit that is known here; only {UNIT} is read")
    for name in _AMOUNTS:
        if (amount := getattr(item, name)) is not None and amount < 0:
            return Wrong(place, name, repr(amount), "is negative")
    if item.netQuantity > item.grossQuantity:
        return Wrong(place, "netQuantity", repr(item.netQuantity), "is more than `grossQuantity`")
    return None


def _rows(
    bucket: Bucket, item: _Item, organization: str, dims: dict[str, str | None], place: str
) -> Iterator[ToldRow]:
    net, billed = _exact(item.netQuantity), _exact(item.netAmount)
    drawn = _told_or(item.discountQuantity, _exact(item.grossQuantity) - net)
    saved = _told_or(item.discountAmount, _exact(item.grossAmount) - billed)
    for part, credits, invoiced, effective in (
        (_POOL, drawn, Decimal(0), saved),
        (_OVERAGE, net, billed, billed),
    ):
        if credits or effective:
            cells = _cells(bucket, item, organization, part)
            amounts = _amounts(_exact(item.pricePerUnit), credits, invoiced, effective)
            record = {"record_id": _record_id(bucket, dims, part)}
            yield ToldRow(place, {**cells, **amounts, **record})


def _cells(bucket: Bucket, item: _Item, organization: str, part: str) -> Cells:
    """All of a row but its amounts."""
    start_at, end_at = instant_text(bucket.window.start_at), instant_text(bucket.window.end_at)
    sku = named(item.sku).lower().replace(" ", "-")
    return {
        "started_at": start_at,
        "BillingAccountId": organization,
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargeClass": "",
        "ChargeDescription": f"{named(item.sku)} {part}, {named(item.model)}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": start_at,
        "ChargePeriodEnd": end_at,
        "ConsumedUnit": "AI Credits",
        "PricingCategory": "Standard",
        "PricingCurrency": CURRENCY,
        "PricingUnit": "AI Credits",
        "ServiceCategory": "AI and Machine Learning",
        "ServiceSubcategory": "Generative AI",
        "ServiceName": f"GitHub {named(item.product)}",
        "ServiceProviderName": "GitHub",
        "SkuId": sku,
        "SkuMeter": "AI Credits",
        "SkuPriceId": f"{sku}-{part.replace(' ', '-')}",
        "SubAccountId": organization,
        "x_Model": named(item.model),
        "x_Source": bucket.source,
    }


def _amounts(price: Decimal, credits: Decimal, invoiced: Decimal, effective: Decimal) -> Cells:
    """GitHub rounds amounts to cents; a unit price times a quantity is not rounded."""
    contracted = f"{price * credits:f}"
    return {
        "BilledCost": f"{invoiced:f}",
        "EffectiveCost": f"{effective:f}",
        "ContractedCost": contracted,
        "ListCost": contracted,
        "ConsumedQuantity": f"{credits:f}",
        "PricingQuantity": f"{credits:f}",
        "ContractedUnitPrice": f"{price:f}",
        "ListUnitPrice": f"{price:f}",
        "PricingCurrencyContractedUnitPrice": "1",
        "PricingCurrencyListUnitPrice": "1",
        "PricingCurrencyEffectiveCost": f"{credits:f}",
    }


def _record_id(bucket: Bucket, dims: dict[str, str | None], part: str) -> str:
    return bucket.record_id({**dims, "part": part})


def _told_or(told: float | None, derived: Decimal) -> Decimal:
    return derived if told is None else _exact(told)


def _exact(number: float) -> Decimal:
    """The decimal that was written in the answer."""
    return Decimal(repr(number))
