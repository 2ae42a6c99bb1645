"""What is kept of a FOCUS row that is no plain token usage: columns of `charges` and of `usage_funding`."""

from ledger.ingest.charges import CHARGE_COLUMNS
from ledger.ingest.checks import CONTROL_CHARACTERS
from ledger.ingest.contract import MAX_TEXT
from ledger.ingest.funding import FUNDING_COLUMNS
from ledger.scope import UNALLOCATED
from ledger.sources.focus_sql import identity_sql, pico_sql

MAX_DETAILS = 4096
"""SkuPriceDetails that are longer are left out: cut, they would be no JSON."""


def _text(column: str, absent: str = "") -> str:
    cleaned = f"regexp_replace({column}, '{CONTROL_CHARACTERS}', ' ', 'g')"
    return f"coalesce(left({cleaned}, {MAX_TEXT}), '{absent}')"


def _number(column: str, scale: int) -> str:
    return f"try_cast({column} as decimal(38, {scale}))"


_PAID = {
    "pricing_currency": _text("coalesce(PricingCurrency, BillingCurrency)"),
    "currency_cost": _number("PricingCurrencyEffectiveCost", 12),
    "pricing_category": _text("PricingCategory"),
    "pricing_unit": _text("PricingUnit"),
    "pricing_quantity": _number("PricingQuantity", 9),
    "list_cost": pico_sql("ListCost"),
    "contracted_cost": pico_sql("ContractedCost"),
    "list_price": _number("ListUnitPrice", 12),
    "contracted_price": _number("ContractedUnitPrice", 12),
    "currency_list_price": _number("PricingCurrencyListUnitPrice", 12),
    "currency_contracted_price": _number("PricingCurrencyContractedUnitPrice", 12),
    "commitment_id": _text("CommitmentDiscountId"),
    "commitment_name": _text("CommitmentDiscountName"),
    "commitment_category": _text("CommitmentDiscountCategory"),
    "commitment_type": _text("CommitmentDiscountType"),
    "commitment_status": _text("CommitmentDiscountStatus"),
    "commitment_unit": _text("CommitmentDiscountUnit"),
    "commitment_quantity": _number("CommitmentDiscountQuantity", 9),
    "billed_cost": "billed_pico",
    "effective_cost": "effective_pico",
}
"""How a row is paid, in either table."""

_CHARGE_SQL = {
    **_PAID,
    "start_at": "start_at",
    "end_at": "end_at",
    "category": "ChargeCategory",
    "class": "coalesce(ChargeClass, '')",
    "description": _text("ChargeDescription"),
    "provider": f"coalesce(provider, '{UNALLOCATED}')",
    "service": "coalesce(ServiceName, '')",
    "project": f"coalesce(SubAccountId, '{UNALLOCATED}')",
    "key_id": f"coalesce(credential, '{UNALLOCATED}')",
    "unit": "coalesce(ConsumedUnit, '')",
    "quantity": "quantity",
    "given_team": f"coalesce(nullif({_text('team')}, '{UNALLOCATED}'), '')",
    '"user"': _text('"user"', UNALLOCATED),
    "feature": _text("feature", UNALLOCATED),
    "model": _text("model", UNALLOCATED),
    "region": _text("RegionId", UNALLOCATED),
    "source": _text("x_Source"),
    "frequency": _text("ChargeFrequency"),
    "service_category": _text("ServiceCategory"),
    "service_subcategory": _text("ServiceSubcategory"),
    "resource_id": _text("ResourceId"),
    "resource_name": _text("ResourceName"),
    "resource_type": _text("ResourceType"),
    "sku": _text("SkuId"),
    "sku_price": _text("SkuPriceId"),
    "meter": _text("SkuMeter"),
    "sku_details": f"case when length(SkuPriceDetails) <= {MAX_DETAILS} then SkuPriceDetails else '' end",
    "granted_currency": _text("x_GrantedCurrency"),
    "granted_quantity": _number("x_GrantedQuantity", 9),
}

FUNDED = """(coalesce(x_CostBasis, 'billed') = 'billed'
    and (billed_pico <> effective_pico or PricingCurrency <> BillingCurrency
        or CommitmentDiscountId is not null or PricingCategory = 'Committed'))"""
"""Usage that something else than cash pays for, or that is priced in something else."""

STAGED_CHARGES = f"""create or replace temp table staged_charges as
    select row_number, md5_number({identity_sql(charge=True)}) as identity, problem,
        {", ".join(f"{_CHARGE_SQL[name]} as {name}" for name in CHARGE_COLUMNS)}
    from focus_rows where problem = 0 and is_usage is distinct from true"""

STAGED_FUNDING = f"""create or replace temp table staged_funding as
    select row_number, {", ".join(f"{_PAID[name]} as {name}" for name in FUNDING_COLUMNS)}
    from focus_rows where problem = 0 and is_usage and {FUNDED}"""
