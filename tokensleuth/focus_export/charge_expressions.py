"""What each column says of a charge, a row of a bill that is no hourly token usage; the rest is null."""

from collections.abc import Mapping
from functools import cache

from tokensleuth.focus_export.columns import FocusColumn, OwnColumn, columns_of, service_parents
from tokensleuth.focus_export.expressions import SHARED, named_sql, typed_sql, usd_sql

_CHARGE_TEXTS = (
    "start_at, end_at, category, class, description, provider, service, project, key_id, unit, quantity"
)
_MADE_SKU = f"""'charge-' || left(md5(concat_ws(chr(31), {_CHARGE_TEXTS}, pricing_currency, billed_cost,
    effective_cost, repeat)), 20)"""
"""Of what the ledger keeps of a charge: equal charges stay apart, an imported one exports the same."""
_PRICED = "category in ('Usage', 'Purchase')"
_MEASURED = "category = 'Usage' and quantity is not null"
_HAS_SKU = f"(category <> 'Tax' and (sku <> '' or {_PRICED}))"
_UNIT = "coalesce(nullif(unit, ''), 'Units')"
_BY_BILL = f"({_HAS_SKU} and pricing_quantity is not null and pricing_unit <> '')"
_GIVEN_UNITS = f"if({_BY_BILL}, {{}}, null)"
_COMMITTED = "commitment_id <> ''"


def _given(column: str, condition: str = "true") -> str:
    return f"if({condition}, nullif({column}, ''), null)"


def _allowed(name: str, column: str) -> str:
    """What a bill says, where the specification allows it; else null."""
    allowed = next(c.allowed_values for c in columns_of("1.4") if c.column == name) or ()
    return f"if({column} in ({', '.join(repr(value) for value in allowed)}), {column}, null)"


def _service(column: str, default: str) -> str:
    pairs = ", ".join(f"'{parent}/{child}'" for child, parent in sorted(service_parents().items()))
    return f"if(concat(service_category, '/', service_subcategory) in ({pairs}), {column}, '{default}')"


@cache
def _charge() -> Mapping[str, str]:
    return {
        **SHARED,
        "BilledCost": usd_sql("billed_cost"),
        "EffectiveCost": usd_sql("effective_cost"),
        "ContractedCost": usd_sql("coalesce(contracted_cost, billed_cost)"),
        "ListCost": usd_sql("coalesce(list_cost, contracted_cost, billed_cost)"),
        "BillingPeriodStart": "date_trunc('month', cast(start_at as timestamptz))",
        "BillingPeriodEnd": "date_trunc('month', cast(start_at as timestamptz)) + interval 1 month",
        "ChargeCategory": "category",
        "ChargeClass": "nullif(class, '')",
        "ChargeDescription": f"""nullif(concat(description,
            if(repeat > 1 and not {_HAS_SKU}, concat(' (', repeat, ')'), '')), '')""",
        "ChargeFrequency": _allowed("ChargeFrequency", "frequency"),
        "ChargePeriodStart": "cast(start_at as timestamptz)",
        "ChargePeriodEnd": "cast(end_at as timestamptz)",
        "ConsumedQuantity": f"if({_MEASURED}, quantity, null)",
        "ConsumedUnit": f"if({_MEASURED}, {_UNIT}, null)",
        "PricingCategory": f"""if({_PRICED},
            coalesce({_allowed("PricingCategory", "pricing_category")}, 'Standard'), null)""",
        "PricingQuantity": f"if({_BY_BILL}, pricing_quantity, if({_MEASURED}, quantity, null))",
        "PricingUnit": f"if({_BY_BILL}, pricing_unit, if({_MEASURED}, {_UNIT}, null))",
        "PricingCurrency": "pricing_currency",
        "PricingCurrencyEffectiveCost": f"""coalesce(currency_cost,
            if(pricing_currency = 'USD', {usd_sql("effective_cost")}, null))""",
        "ListUnitPrice": _GIVEN_UNITS.format("list_price"),
        "ContractedUnitPrice": _GIVEN_UNITS.format("contracted_price"),
        "PricingCurrencyListUnitPrice": _currency_price("currency_list_price", "list_price"),
        "PricingCurrencyContractedUnitPrice": _currency_price(
            "currency_contracted_price", "contracted_price"
        ),
        "ServiceCategory": _service("service_category", "AI and Machine Learning"),
        "ServiceSubcategory": _service("service_subcategory", "Generative AI"),
        "ServiceName": "coalesce(nullif(service, ''), provider)",
        "SkuId": f"if({_HAS_SKU}, if(sku = '' or repeat > 1, {_MADE_SKU}, sku), null)",
        "SkuPriceId": f"""if({_HAS_SKU},
            if(sku = '' or sku_price = '' or repeat > 1, {_MADE_SKU}, sku_price), null)""",
        "SkuMeter": _given("meter", _HAS_SKU),
        "SkuPriceDetails": _given("sku_details", _HAS_SKU),
        "RegionId": named_sql("region"),
        "RegionName": named_sql("region"),
        "ResourceId": _given("resource_id"),
        "ResourceName": _given("resource_name", "resource_id <> ''"),
        "ResourceType": "if(resource_id <> '', coalesce(nullif(resource_type, ''), 'Resource'), null)",
        "CommitmentDiscountId": _given("commitment_id"),
        "CommitmentDiscountName": _given("commitment_name", _COMMITTED),
        "CommitmentDiscountCategory": _given("commitment_category", _COMMITTED),
        "CommitmentDiscountType": _given("commitment_type", _COMMITTED),
        "CommitmentDiscountStatus": _given("commitment_status", _COMMITTED),
        "CommitmentDiscountUnit": _given("commitment_unit", _COMMITTED),
        "CommitmentDiscountQuantity": f"if({_COMMITTED}, commitment_quantity, null)",
        "Tags": "tags",
        "x_Model": named_sql("model"),
        "x_Requests": "0",
        "x_Source": _given("source"),
        "x_GrantedCurrency": _given("granted_currency"),
        "x_GrantedQuantity": "granted_quantity",
    }


def _currency_price(own: str, usd: str) -> str:
    return _GIVEN_UNITS.format(f"coalesce({own}, if(pricing_currency = 'USD', {usd}, null))")


def charge_sql(column: FocusColumn) -> str:
    return typed_sql(column, _charge().get(column.column))


def own_charge_sql(column: OwnColumn) -> str:
    return f"cast({_charge().get(column.name, 'null')} as {column.sql_type}) as {column.name}"
