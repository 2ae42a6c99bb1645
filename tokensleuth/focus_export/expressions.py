"""What each column says of a usage row, as SQL over `rows.sql`; what is not named is null."""

from collections.abc import Mapping

from ledger.scope import UNALLOCATED
from ledger.usage import TOKEN_CLASSES
from tokensleuth.focus_export.columns import DRAFT_KEY_PREFIX, FocusColumn, OwnColumn

METERS = (
    "Input Tokens",
    "Cache Read Input Tokens",
    "Cache Write 5m Input Tokens",
    "Cache Write 1h Input Tokens",
    "Output Tokens",
)
ALLOCATION_METHOD = "computed-cost-share-v1"

_SQL_TYPES: Mapping[str, str] = {
    "String": "varchar",
    "Decimal": "decimal(38, 12)",
    "Date/Time": "timestamptz",
    "JSON": "varchar",
}
_QUANTITY_TYPES: Mapping[str, str] = {
    "ConsumedQuantity": "decimal(38, 9)",
    "PricingQuantity": "decimal(38, 9)",
}
"""Tokens divided by a million have six decimals; quantities of charges have nine."""


def usd_sql(pico: str) -> str:
    return f"cast({pico} as decimal(38, 0)) * cast(0.000000000001 as decimal(12, 12))"


def _per_million(rate: str) -> str:
    return f"cast({rate} as decimal(38, 0)) * cast(0.000001 as decimal(12, 12))"


def named_sql(dimension: str) -> str:
    return f"nullif({dimension}, '{UNALLOCATED}')"


def _in_class(*texts: str) -> str:
    return f"[{', '.join(repr(text) for text in texts)}][n]"


def _tokens_of(position: int) -> str:
    return f"if(n = {position}, tokens, 0)"


def _on_carrier(count: str) -> str:
    return f"if(carries, {count}, 0)"


def tags_sql(tags: Mapping[str, str]) -> str:
    """Team, user and feature under the names that `tags` gives them; null where all are UNALLOCATED."""
    pairs = ", ".join(
        f"'{tag.replace(chr(39), chr(39) * 2)}', {named_sql(name)}" for name, tag in tags.items()
    )
    return f"nullif(cast(json_merge_patch('{{}}', json_object({pairs})) as varchar), '{{}}')"


def cell_texts(tags: Mapping[str, str]) -> str:
    """Texts that are made once a cell."""
    prefix = DRAFT_KEY_PREFIX
    return f"""{tags_sql(tags)} as tags,
        concat('{{"{prefix}ModelId": ', to_json(model),
            case when service_tier <> '{UNALLOCATED}'
                then concat(', "{prefix}ServiceTier": ', to_json(service_tier)) end) as model_details,
        concat(provider, '/', model) as resource,
        cast(hour as timestamptz) as hour_at"""


def class_texts() -> str:
    """Texts that are made once a row. SKU ids are hashes: a model's name could read as a cache lifetime."""
    prefix = DRAFT_KEY_PREFIX
    keys = [f', "{prefix}TokenDirection": "Input", "{prefix}TokenCacheAction": "{action}"}}'
            for action in ("Uncached", "Read", "Write", "Write")]  # fmt: skip
    keys.append(f', "{prefix}TokenDirection": "Output"}}')
    return f"""{_in_class(*METERS)} as meter,
        {_in_class(*TOKEN_CLASSES)} as token_class,
        'sku-' || left(md5(concat_ws(chr(31), provider, model, n)), 20) as sku,
        'price-' || left(md5(concat_ws(chr(31), provider, model, n, service_tier, billed, paid_by)), 20)
            as sku_price,
        concat(model_details, {_in_class(*keys)}) as details,
        billed and tokens < cell_tokens as is_split,
        paid_unit <> '' and paid_quantity is not null and paid_list_price is not null
            and paid_contracted_price is not null and paid_list_cost is not null
            and paid_contracted_cost is not null as paid_priced,
        {usd_sql("share")} as cost_usd,
        coalesce({usd_sql("cast(tokens as hugeint) * rate")}, cost_usd) as contracted_usd,
        coalesce({usd_sql("cast(tokens as hugeint) * list_rate")}, contracted_usd) as list_usd,
        {_per_million("rate")} as unit_price,
        {_per_million("list_rate")} as list_price"""


_SELLER = ("ServiceProviderName", "HostProviderName", "InvoiceIssuerName", "ProviderName", "PublisherName")

SHARED: Mapping[str, str] = {
    **dict.fromkeys(_SELLER, "provider"),
    "BillingAccountId": "$billing_account",
    "BillingAccountName": "$billing_account",
    "BillingAccountType": "'Billing Account'",
    "BillingCurrency": "'USD'",
    "SubAccountId": named_sql("project"),
    "SubAccountName": named_sql("project"),
    "SubAccountType": f"if(project = '{UNALLOCATED}', null, 'Project')",
    "ServiceCategory": "'AI and Machine Learning'",
    "ServiceSubcategory": "'Generative AI'",
    "x_CredentialId": named_sql("key_id"),
}

_MILLIONS = "cast(tokens as decimal(38, 0)) * cast(0.000001 as decimal(9, 9))"
_COMMITTED = "paid_commitment_id <> ''"
_IN_USD = "coalesce(paid_currency, 'USD') = 'USD'"
_CONTRACTED_PRICE = "if(paid_priced, paid_contracted_price, unit_price)"
_LIST_PRICE = "if(paid_priced, paid_list_price, list_price)"

_USAGE: Mapping[str, str] = {
    **SHARED,
    "AllocatedMethodId": f"if(is_split, '{ALLOCATION_METHOD}', null)",
    "AllocatedMethodDetails": """case when is_split then concat('{"Elements": [{"AllocatedRatio": ',
        coalesce(cast(share as double) / nullif(cell_cost, 0), 0),
        ', "UsageUnit": "Tokens", "UsageQuantity": ', tokens, '}]}') end""",
    "AllocatedResourceId": "if(is_split, resource, null)",
    "AllocatedResourceName": "if(is_split, model, null)",
    "AllocatedTags": "if(is_split, tags, null)",
    "BilledCost": f"if(paid_by is null, cost_usd, {usd_sql('paid_billed')})",
    "EffectiveCost": "cost_usd",
    "ContractedCost": f"if(paid_priced, {usd_sql('paid_contracted_cost')}, contracted_usd)",
    "ListCost": f"if(paid_priced, {usd_sql('paid_list_cost')}, list_usd)",
    "BillingPeriodStart": "date_trunc('month', hour_at)",
    "BillingPeriodEnd": "date_trunc('month', hour_at) + interval 1 month",
    "ChargeCategory": "'Usage'",
    "ChargeDescription": "concat_ws(', ', meter, model, nullif(service_tier, 'UNALLOCATED'))",
    "ChargeFrequency": "'Usage-Based'",
    "ChargePeriodStart": "hour_at",
    "ChargePeriodEnd": "hour_at + interval 1 hour",
    "ConsumedQuantity": "tokens",
    "ConsumedUnit": "'Tokens'",
    "CommitmentDiscountId": "nullif(paid_commitment_id, '')",
    **{
        f"CommitmentDiscount{name}": f"if({_COMMITTED}, nullif(paid_commitment_{name.lower()}, ''), null)"
        for name in ("Name", "Category", "Type", "Status", "Unit")
    },
    "CommitmentDiscountQuantity": f"if({_COMMITTED}, paid_commitment_quantity, null)",
    "ContractedUnitPrice": _CONTRACTED_PRICE,
    "ListUnitPrice": _LIST_PRICE,
    "PricingCategory": "coalesce(nullif(paid_category, ''), 'Standard')",
    "PricingCurrency": "coalesce(paid_currency, 'USD')",
    "PricingCurrencyContractedUnitPrice": f"""if({_IN_USD}, {_CONTRACTED_PRICE},
        paid_currency_contracted_price)""",
    "PricingCurrencyEffectiveCost": f"if({_IN_USD}, cost_usd, paid_currency_cost)",
    "PricingCurrencyListUnitPrice": f"if({_IN_USD}, {_LIST_PRICE}, paid_currency_list_price)",
    "PricingQuantity": f"if(paid_priced, paid_quantity, {_MILLIONS})",
    "PricingUnit": "if(paid_priced, paid_unit, '1000000 Tokens')",
    "RegionId": named_sql("region"),
    "RegionName": named_sql("region"),
    "ResourceId": "resource",
    "ResourceName": "model",
    "ResourceType": "'Model'",
    "ServiceName": "provider",
    "SkuId": "sku",
    "SkuMeter": "meter",
    "SkuPriceDetails": "details",
    "SkuPriceId": "sku_price",
    "Tags": "tags",
    "x_Model": "model",
    "x_ServiceTier": named_sql("service_tier"),
    "x_TokenClass": "token_class",
    "x_InputTokens": _tokens_of(1),
    "x_CacheReadTokens": _tokens_of(2),
    "x_CacheWrite5mTokens": _tokens_of(3),
    "x_CacheWrite1hTokens": _tokens_of(4),
    "x_OutputTokens": _tokens_of(5),
    "x_ReasoningTokens": "if(n = 5, reasoning_tokens, 0)",
    "x_Requests": _on_carrier("requests"),
    "x_FailedRequests": _on_carrier("failed_requests"),
    "x_RetriedRequests": _on_carrier("retried_requests"),
    "x_CostBasis": "basis",
    "x_PriceVersion": "if(rate is null or paid_priced, null, price_version)",
}


def usage_sql(column: FocusColumn) -> str:
    return typed_sql(column, _USAGE.get(column.column))


def own_usage_sql(column: OwnColumn) -> str:
    return f"cast({_USAGE.get(column.name, 'null')} as {column.sql_type}) as {column.name}"


def typed_sql(column: FocusColumn, sql: str | None) -> str:
    """What a column is, in the type of the specification; null where nothing is said of it."""
    kind = _QUANTITY_TYPES.get(column.column, _SQL_TYPES[column.data_type])
    return f"cast({sql or 'null'} as {kind}) as {column.column}"
