"""What FOCUS asks of the columns, as SQL that is true of a row that breaks it."""

from collections.abc import Iterator
from dataclasses import dataclass

from tokensleuth.focus_export.columns import FocusColumn, FocusVersion, columns_of, service_parents


@dataclass(frozen=True, slots=True)
class Rule:
    """One requirement; rows that meet `waived` may break it for the reason given."""

    name: str
    broken: str
    waived: str | None = None
    reason: str | None = None


NO_PRICE = "ChargeCategory = 'Usage' and x_TokenClass is not null and x_PriceVersion is null"
OTHER_CHARGE = "x_TokenClass is null"
FROM_BILLS = f"{OTHER_CHARGE} or PricingCurrency <> 'USD' or PricingCategory = 'Committed'"
_BILL_SAYS = "amounts are those of the bill"
_PRICED = "ChargeCategory in ('Usage', 'Purchase') and ChargeClass is null"
_NUMBER = r"^-?\d+(\.\d+)?(E-?\d+)?$"
_INSTANT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"

_NULL_TOGETHER = (
    ("PricingUnit", "PricingQuantity"),
    ("ConsumedUnit", "ConsumedQuantity"),
    ("SubAccountName", "SubAccountId"),
    ("SubAccountType", "SubAccountId"),
    ("RegionName", "RegionId"),
    ("ResourceType", "ResourceId"),
    ("SkuPriceId", "SkuId"),
    ("BillingAccountType", "BillingAccountId"),
)
_NEEDS_SKU_PRICE = (
    "ListUnitPrice", "ContractedUnitPrice",
    "PricingCurrencyListUnitPrice", "PricingCurrencyContractedUnitPrice",
    "PricingCategory", "PricingQuantity", "ConsumedQuantity", "SkuPriceDetails",
)  # fmt: skip
_NEEDED_OF_PRICED = (
    "ListUnitPrice", "ContractedUnitPrice",
    "PricingCurrencyListUnitPrice", "PricingCurrencyContractedUnitPrice",
    "PricingCategory", "PricingQuantity", "PricingUnit", "SkuId", "SkuPriceId",
)  # fmt: skip
_UNIT_PRICES = {name for name in _NEEDED_OF_PRICED if name.endswith("UnitPrice")}
_PRODUCTS = (("ListCost", "ListUnitPrice"), ("ContractedCost", "ContractedUnitPrice"))

_NOT_TOLD = "the bill does not say it, and nothing is made up"
_MAY_BE_NULL = {
    "ChargeFrequency": (OTHER_CHARGE, _NOT_TOLD),
    "PricingCurrencyEffectiveCost": (f"{OTHER_CHARGE} or PricingCurrency <> 'USD'", _NOT_TOLD),
}
_UNPRICED = "the price book has no price for it and none is made up; cost is what was billed, else 0"


def rules_of(version: FocusVersion, *, typed: bool) -> Iterator[Rule]:
    """All rules; formats only where the file has text (`typed` files cannot break them)."""
    for column in columns_of(version):
        yield from _column_rules(column, typed=typed)
    yield from _conditional_rules()
    yield from _period_rules()


def _column_rules(column: FocusColumn, *, typed: bool) -> Iterator[Rule]:
    name = column.column
    if not column.allows_nulls:
        waiver = _MAY_BE_NULL.get(name, (None, None))
        yield Rule(f"{name} is not null", f"{name} is null", *waiver)
    if column.allowed_values is not None:
        listed = ", ".join("'" + value.replace("'", "''") + "'" for value in column.allowed_values)
        yield Rule(f"{name} is an allowed value", f"{name} not in ({listed})")
    if column.value_format == "Decimal (non-negative)":
        yield Rule(f"{name} is not negative", f"try_cast({name} as decimal(38, 12)) < 0")
    if column.value_format == "Currency":
        yield Rule(f"{name} is three capitals", f"not regexp_matches({name}, '^[A-Z]{{3}}$')")
    if column.data_type == "JSON":
        yield from _json_rules(name, flat=column.value_format == "Key-Value")
    if not typed and column.data_type in ("Decimal", "Date/Time"):
        form = _NUMBER if column.data_type == "Decimal" else _INSTANT
        yield Rule(f"{name} has the format of {column.data_type}", f"not regexp_matches({name}, '{form}')")


def _json_rules(name: str, *, flat: bool) -> Iterator[Rule]:
    is_object = f"case when json_valid({name}) then json_type({name}) = 'OBJECT' else false end"
    yield Rule(f"{name} is a JSON object", f"{name} is not null and not {is_object}")
    if flat:
        # Parsing every value is dear: texts without a second bracket hold nothing nested.
        nested = f"list_filter(json_extract({name}, '$.*'), lambda v: json_type(v) in ('OBJECT', 'ARRAY'))"
        bracketed = rf"regexp_matches({name}, '[\[\{{].*[\[\{{]')"
        yield Rule(f"{name} is flat", f"case when {bracketed} and {is_object} then len({nested}) > 0 end")


def _conditional_rules() -> Iterator[Rule]:
    for name, of in _NULL_TOGETHER:
        yield Rule(f"{name} is null exactly where {of} is", f"({name} is null) <> ({of} is null)")
    for name in _NEEDS_SKU_PRICE:
        yield Rule(f"{name} is null without SkuPriceId", f"{name} is not null and SkuPriceId is null")
    for name in _NEEDED_OF_PRICED:
        yield from _needed(name)
    for cost, price in _PRODUCTS:
        product = f"try_cast({price} as decimal(18, 9)) * try_cast(PricingQuantity as decimal(20, 9))"
        off = f"abs({product} - try_cast({cost} as decimal(38, 12))) > 0.000000000001"
        told = f"{cost} is {price} times PricingQuantity"
        yield Rule(told, f"ChargeClass is null and {off}", FROM_BILLS, _BILL_SAYS)
    parents = ", ".join(f"'{child}': '{parent}'" for child, parent in sorted(service_parents().items()))
    yield Rule(
        "ServiceSubcategory belongs to ServiceCategory",
        f"map {{{parents}}}[ServiceSubcategory] is distinct from ServiceCategory",
    )
    yield Rule(
        "ConsumedQuantity is null except of usage",
        "ConsumedQuantity is not null and ChargeCategory <> 'Usage'",
    )


def _needed(name: str) -> Iterator[Rule]:
    usage = "x_TokenClass is not null"
    if name in _UNIT_PRICES:
        waiver: tuple[str | None, str | None] = (NO_PRICE, _UNPRICED)
    else:
        waiver = (None, None)
    told = f"{name} is not null of usage and purchases"
    yield Rule(told, f"{_PRICED} and {usage} and {name} is null", *waiver)
    of_charges = f"{_PRICED} and not ({usage}) and {name} is null"
    yield Rule(f"{told}, of other charges", of_charges, OTHER_CHARGE, _NOT_TOLD)


def _period_rules() -> Iterator[Rule]:
    starts = "try_cast(ChargePeriodStart as timestamptz)"
    ends = "try_cast(ChargePeriodEnd as timestamptz)"
    bills_from = "try_cast(BillingPeriodStart as timestamptz)"
    bills_to = "try_cast(BillingPeriodEnd as timestamptz)"
    yield Rule("ChargePeriodEnd is after ChargePeriodStart", f"{ends} <= {starts}")
    yield Rule("usage is an hour", f"x_TokenClass is not null and {ends} <> {starts} + interval 1 hour")
    yield Rule("a charge begins in its billing period", f"{starts} < {bills_from} or {starts} >= {bills_to}")
    yield Rule(
        "a billing period is a month",
        f"{bills_from} <> date_trunc('month', {bills_from}) or {bills_to} <> {bills_from} + interval 1 month",
    )
