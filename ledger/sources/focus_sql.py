"""What a FOCUS row means, as SQL: its token class, its identity, whether it is hourly usage, its faults."""

from collections.abc import Mapping

from ledger.ingest.checks import INSTANT, problem_sql
from ledger.ingest.secrets import NOT_AN_ID, looks_secret
from ledger.ingest.table import Problem, quoted
from ledger.money import PICO_PER_USD
from ledger.scope import UNALLOCATED
from ledger.sources.focus_columns import QUANTITIES, READ_COLUMNS
from ledger.sources.providers import SELLERS, renamed_sql

MOST_OF_A_ROW = 10**15
"""Dollars, or units: more could not be added up."""
_AMOUNT = r"^[+-]?\d{1,12}(\.\d*)?([eE][+-]?\d{1,2})?$"
_WITHOUT_SECONDS = r"^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d)([Zz]|[+-]\d\d:\d\d)$"
_ONE_HOUR_CACHE = r"(^|[^0-9a-z])(1[ _-]?h((ou)?rs?)?|60[ _-]?m(in(ute)?s?)?)([^a-z]|$)"
_CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")

_METER_CLASS = """case
    when regexp_matches(meter, 'input|prompt') and regexp_matches(meter, 'output|completion') then null
    when regexp_matches(meter, 'uncached|non-?cached|not cached') then 'input'
    when meter like '%cach%' and regexp_matches(meter, 'writ|creat') then 'write'
    when meter like '%cach%' then 'cache_read'
    when regexp_matches(meter, 'output|completion') then 'output'
    when regexp_matches(meter, 'input|prompt') then 'input' end"""
_STATED_CLASS = f"""case
    when direction = 'output' and cache_action is null then 'output'
    when direction = 'output' then null
    when cache_action = 'uncached' then 'input'
    when cache_action = 'read' then 'cache_read'
    when cache_action = 'write' then 'write'
    when cache_action is not null then null
    when direction = 'input' and meter is null then 'input'
    when direction = 'input' then nullif({_METER_CLASS}, 'output')
    when direction is null then {_METER_CLASS} end"""

_IDENTITY = (
    "start_at", "end_at", "provider", "BillingAccountId", "SubAccountId", "ServiceName", "AvailabilityZone",
    "RegionId", "ResourceId", "SkuId", "SkuPriceId", "SkuMeter", "sku_facts", "PricingCategory",
    "PricingCurrency", "CommitmentDiscountId", "CommitmentDiscountStatus", "CapacityReservationId",
    "ConsumedUnit", "credential", "model", "tier", "team", "user", "feature",
)  # fmt: skip
_CHARGE_IDENTITY = (*_IDENTITY, "ChargeCategory", "ChargeClass", "ChargeDescription")
"""What makes a row itself: all that is no amount and does not change between exports (invoice ids do)."""


def text_sql(types: Mapping[str, str]) -> str:
    """Every column read, as text or NULL, whatever type the file gave it."""
    return ", ".join(f'{_as_text(name, types.get(name.lower()))} as "{name}"' for name in READ_COLUMNS)


def parsed_sql(tags: Mapping[str, str]) -> str:
    """Columns derived from the texts."""
    credential = "coalesce(CredentialId, x_CredentialId)"
    stated_model = f"coalesce({_detail('ModelId')}, x_Model, x_ModelId)"
    named = "case when lower(ResourceType) in ('model', 'deployment') then ResourceName end"
    named_seller = renamed_sql("coalesce(ServiceProviderName, ProviderName)", SELLERS)
    seller = f"nullif({named_seller}, '{UNALLOCATED.lower()}')"
    details = _object("SkuPriceDetails")
    columns = {
        "start_at": _instant("ChargePeriodStart"),
        "end_at": _instant("ChargePeriodEnd"),
        "quantity": "try_cast(ConsumedQuantity as decimal(38, 9))",
        "billed_pico": pico_sql("BilledCost"),
        "effective_pico": pico_sql("EffectiveCost"),
        "provider": seller,
        "credential": credential,
        "model": f"coalesce({stated_model}, {named})",
        "tier": f"coalesce(x_ServiceTier, {_detail('ServiceTier')})",
        "direction": f"lower({_detail('TokenDirection')})",
        "cache_action": f"lower({_detail('TokenCacheAction')})",
        "meter": "lower(SkuMeter)",
        "sku": "lower(concat_ws(' ', SkuMeter, SkuId, SkuPriceId))",
        "sku_facts": f"""cast(list_sort(list_transform(
            list_zip(json_keys({details}), json_extract_string({details}, '$.*')),
            lambda fact: concat(regexp_replace(fact[1], '^x_', ''), '=', fact[2]))) as varchar)""",
        **{name: _tag(tag) for name, tag in tags.items()},
    }
    return ", ".join(f'{sql} as "{name}"' for name, sql in columns.items())


TOKEN_CLASS = f"""case {_STATED_CLASS}
    when 'write' then
        case when regexp_matches(sku, '{_ONE_HOUR_CACHE}') then 'cache_write_1h' else 'cache_write_5m' end
    else {_STATED_CLASS} end"""
"""A cache write whose meter and SKU name no lifetime has the providers' default one, 5 minutes."""

USED_TOKENS = """(ChargeCategory = 'Usage' and ChargeClass is null
    and lower(ConsumedUnit) in ('token', 'tokens') and ConsumedQuantity is not null
    and CommitmentDiscountStatus is distinct from 'Unused' and effective_pico >= 0)"""
"""Tokens that were used, whatever else is known of them."""

HOURLY = "(end_at <= start_at + interval 1 hour)"

USAGE_ROW = f"({USED_TOKENS} and {HOURLY} and token_class is not null and model is not null)"
"""A row of the hourly series; any other sound row is a charge."""


def identity_sql(*, charge: bool) -> str:
    """Text that is the same for the same row in every export of the bill, in any version of FOCUS."""
    names = _CHARGE_IDENTITY if charge else (*_IDENTITY, "token_class")
    listed = ", ".join(f"coalesce(cast(\"{name}\" as varchar), '')" for name in names)
    return f"concat_ws(chr(31), {listed})"


def focus_problem_sql() -> str:
    return problem_sql(FOCUS_PROBLEMS)


def _as_text(name: str, kind: str | None) -> str:
    column = f'"{name}"'
    match kind:
        case None:
            return "cast(null as varchar)"
        case "VARCHAR" if name.startswith("ChargePeriod"):
            return f"regexp_replace(nullif(trim({column}), ''), '{_WITHOUT_SECONDS}', '\\1:00\\2')"
        case "VARCHAR":
            return f"nullif(trim({column}), '')"
        case _ if kind.startswith("TIMESTAMP"):
            return f"strftime(make_timestamp(epoch_us({column})), '%Y-%m-%dT%H:%M:%S.%fZ')"
        case "DATE":
            return f"strftime({column}, '%Y-%m-%dT00:00:00Z')"
        case _ if kind.startswith(("MAP", "STRUCT")):
            return f"cast(to_json({column}) as varchar)"
        case _:
            return f"cast({column} as varchar)"


def _object(column: str) -> str:
    """The column where it is a JSON object, else NULL."""
    return (
        f"case when json_valid({column}) then case when json_type({column}) = 'OBJECT' then {column} end end"
    )


def _detail(key: str) -> str:
    """A key of SkuPriceDetails, with the prefix that custom keys must have before FOCUS 1.5 or without."""
    details = _object("SkuPriceDetails")
    return f"coalesce(json_extract_string({details}, '$.{key}'), json_extract_string({details}, '$.x_{key}'))"


def _tag(tag: str) -> str:
    tags = _object("Tags")
    return f"json_extract_string({tags}, '$.*')[list_position(json_keys({tags}), {quoted(tag)})]"


def _instant(column: str) -> str:
    parsed = f"make_timestamp(epoch_us(try_cast(upper({column}) as timestamptz)))"
    return f"case when regexp_matches({column}, '{INSTANT}') then {parsed} end"


def pico_sql(column: str) -> str:
    return f"try(cast(try_cast({column} as decimal(38, 12)) * {PICO_PER_USD} as hugeint))"


def _period_problems(column: str, instant: str) -> tuple[Problem, ...]:
    return (
        Problem(column, f"{column} is null", "is required"),
        Problem(
            column,
            f"not regexp_matches({column}, '{INSTANT}')",
            "is not RFC 3339 with an offset; write it as 2026-11-01T09:00:00Z",
        ),
        Problem(column, f"{instant} is null", "is no instant of the calendar"),
        Problem(column, f"{instant} < timestamp '2015-01-01'", "is before 2015"),
    )


def _cost_problems(column: str, pico: str) -> tuple[Problem, ...]:
    return (
        Problem(column, f"{column} is null", "is required"),
        Problem(column, f"not regexp_matches({column}, '{_AMOUNT}')", "is not an amount"),
        Problem(
            column,
            f"{pico} is null or abs({pico}) > {MOST_OF_A_ROW} * {PICO_PER_USD}::hugeint",
            "is more than one row can hold",
        ),
    )


FOCUS_PROBLEMS: tuple[Problem, ...] = (
    *_period_problems("ChargePeriodStart", "start_at"),
    *_period_problems("ChargePeriodEnd", "end_at"),
    Problem("ChargePeriodEnd", "end_at <= start_at", "is not after ChargePeriodStart"),
    Problem(
        "ChargeCategory",
        f"ChargeCategory is null or ChargeCategory not in {_CATEGORIES}",
        f"is none of {', '.join(_CATEGORIES)}",
    ),
    Problem("ChargeClass", "ChargeClass <> 'Correction'", "is neither empty nor Correction"),
    Problem("BillingCurrency", "BillingCurrency is null", "is required"),
    Problem(
        "BillingCurrency", "BillingCurrency <> 'USD'", "needs a dated rate in the settings; only USD is read"
    ),
    *_cost_problems("EffectiveCost", "effective_pico"),
    *_cost_problems("BilledCost", "billed_pico"),
    Problem("ConsumedQuantity", f"not regexp_matches(ConsumedQuantity, '{_AMOUNT}')", "is not a quantity"),
    *(Problem(name, f"not regexp_matches({name}, '{_AMOUNT}')", "is not a number") for name in QUANTITIES),
    *(
        Problem(name, f"abs(try_cast({name} as double)) > {MOST_OF_A_ROW}", "is more than one row can hold")
        for name in ("ConsumedQuantity", *QUANTITIES)
    ),
    Problem("Tags", f"Tags is not null and {_object('Tags')} is null", "is not a JSON object"),
    Problem(
        "SkuPriceDetails",
        f"SkuPriceDetails is not null and {_object('SkuPriceDetails')} is null",
        "is not a JSON object",
    ),
    Problem("CredentialId", looks_secret("CredentialId"), NOT_AN_ID),
    Problem("x_CredentialId", looks_secret("x_CredentialId"), NOT_AN_ID),
)
"""What makes a row unfit as usage and as a charge; usage is then checked as that of usage files is."""
