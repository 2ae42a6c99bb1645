"""What each column says of a charge, a row of a bill that is no hourly token usage; the rest is null."""

from collections.abc import Mapping

from tokensleuth.focus_export.columns import FocusColumn, OwnColumn
from tokensleuth.focus_export.expressions import SHARED, typed_sql, usd_sql

_CHARGE_TEXTS = (
    "start_at, end_at, category, class, description, provider, service, project, key_id, unit, quantity"
)
_CHARGE_SKU = f"""'charge-' || left(md5(concat_ws(chr(31), {_CHARGE_TEXTS}, pricing_currency, billed_cost,
    effective_cost, repeat)), 20)"""
"""Of what the ledger keeps of a charge: equal charges stay apart, an imported one exports the same."""
_PRICED = "category in ('Usage', 'Purchase')"
_MEASURED = "category = 'Usage' and quantity is not null"

_CHARGE: Mapping[str, str] = {
    **SHARED,
    "BilledCost": usd_sql("billed_cost"),
    "EffectiveCost": usd_sql("effective_cost"),
    "ContractedCost": usd_sql("billed_cost"),
    "ListCost": usd_sql("billed_cost"),
    "BillingPeriodStart": "date_trunc('month', cast(start_at as timestamptz))",
    "BillingPeriodEnd": "date_trunc('month', cast(start_at as timestamptz)) + interval 1 month",
    "ChargeCategory": "category",
    "ChargeClass": "nullif(class, '')",
    "ChargeDescription": "nullif(description, '')",
    "ChargePeriodStart": "cast(start_at as timestamptz)",
    "ChargePeriodEnd": "cast(end_at as timestamptz)",
    "ConsumedQuantity": f"if({_MEASURED}, quantity, null)",
    "ConsumedUnit": f"if({_MEASURED}, coalesce(nullif(unit, ''), 'Units'), null)",
    "PricingCategory": f"if({_PRICED}, 'Standard', null)",
    "PricingQuantity": f"if({_MEASURED}, quantity, null)",
    "PricingUnit": f"if({_MEASURED}, coalesce(nullif(unit, ''), 'Units'), null)",
    "PricingCurrency": "pricing_currency",
    "PricingCurrencyEffectiveCost": f"if(pricing_currency = 'USD', {usd_sql('effective_cost')}, null)",
    "ServiceName": "coalesce(nullif(service, ''), provider)",
    "SkuId": f"if({_PRICED}, {_CHARGE_SKU}, null)",
    "SkuPriceId": f"if({_PRICED}, {_CHARGE_SKU}, null)",
    "x_Requests": "0",
}


def charge_sql(column: FocusColumn) -> str:
    return typed_sql(column, _CHARGE.get(column.column))


def own_charge_sql(column: OwnColumn) -> str:
    return f"cast({_CHARGE.get(column.name, 'null')} as {column.sql_type}) as {column.name}"
