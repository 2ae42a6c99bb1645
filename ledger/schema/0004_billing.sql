-- What bills say beyond an amount: credits and what they buy, commitments, seats; and who pays for usage that is no cash.

-- Texts that a bill does not state are empty, dimensions UNALLOCATED, amounts null. `source` names a live source, else empty.
alter table charges add column team varchar default 'UNALLOCATED';
alter table charges add column given_team varchar default '';
alter table charges add column user varchar default 'UNALLOCATED';
alter table charges add column feature varchar default 'UNALLOCATED';
alter table charges add column model varchar default 'UNALLOCATED';
alter table charges add column region varchar default 'UNALLOCATED';
alter table charges add column source varchar default '';
alter table charges add column frequency varchar default '';
alter table charges add column service_category varchar default '';
alter table charges add column service_subcategory varchar default '';
alter table charges add column resource_id varchar default '';
alter table charges add column resource_name varchar default '';
alter table charges add column resource_type varchar default '';
alter table charges add column sku varchar default '';
alter table charges add column sku_price varchar default '';
alter table charges add column meter varchar default '';
alter table charges add column sku_details varchar default '';
alter table charges add column pricing_category varchar default '';
alter table charges add column pricing_unit varchar default '';
alter table charges add column pricing_quantity decimal(38, 9);
alter table charges add column list_cost hugeint;
alter table charges add column contracted_cost hugeint;
alter table charges add column list_price decimal(38, 12);
alter table charges add column contracted_price decimal(38, 12);
alter table charges add column currency_cost decimal(38, 12);
alter table charges add column currency_list_price decimal(38, 12);
alter table charges add column currency_contracted_price decimal(38, 12);
alter table charges add column commitment_id varchar default '';
alter table charges add column commitment_name varchar default '';
alter table charges add column commitment_category varchar default '';
alter table charges add column commitment_type varchar default '';
alter table charges add column commitment_status varchar default '';
alter table charges add column commitment_unit varchar default '';
alter table charges add column commitment_quantity decimal(38, 9);
alter table charges add column granted_currency varchar default '';
alter table charges add column granted_quantity decimal(38, 9);

-- Of the usage rows that are paid by credits or a commitment: what was invoiced, and what was drawn. One row a usage row,
-- by its identity, with its counts and its cost (`effective_cost`) again: they are in `usage` and `usage_hourly` already, and
-- are here so that what pays for them can be told apart as long as the hourly sums are kept.
create table usage_funding (
    identity uhugeint not null,
    started_at timestamp not null,
    scope_id integer not null,
    requests bigint not null,
    failed_requests bigint not null,
    retried_requests bigint not null,
    input_tokens bigint not null,
    cache_read_tokens bigint not null,
    cache_write_5m_tokens bigint not null,
    cache_write_1h_tokens bigint not null,
    output_tokens bigint not null,
    reasoning_tokens bigint not null,
    billed_cost hugeint not null,
    effective_cost hugeint not null,
    pricing_currency varchar not null,
    currency_cost decimal(38, 12),
    pricing_category varchar not null,
    pricing_unit varchar not null,
    pricing_quantity decimal(38, 9),
    list_cost hugeint,
    contracted_cost hugeint,
    list_price decimal(38, 12),
    contracted_price decimal(38, 12),
    currency_list_price decimal(38, 12),
    currency_contracted_price decimal(38, 12),
    commitment_id varchar not null,
    commitment_name varchar not null,
    commitment_category varchar not null,
    commitment_type varchar not null,
    commitment_status varchar not null,
    commitment_unit varchar not null,
    commitment_quantity decimal(38, 9),
    load_id integer not null
);

-- ISO 4217; any other pricing currency is a virtual one.
create table national_currencies as select unnest(string_split(
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY '
    || 'COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR '
    || 'ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK '
    || 'MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF '
    || 'SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU '
    || 'UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG', ' ')) as code;

-- Every row of a bill that is no plain token usage, once: charges, and usage that credits or commitments pay for.
create view bills as
with charge_words as (
    select c.*, lower(concat_ws(' ', c.unit, c.pricing_unit, c.meter)) as words,
        c.pricing_currency not in (select code from national_currencies) as virtual_currency
    from charges c
),
rows as (
    select start_at as hour, provider, team, project, model, category,
        case
            when category = 'Credit' then 'promo'
            when category = 'Tax' then 'other'
            when commitment_id <> '' or pricing_category = 'Committed' or regexp_matches(words, 'ptu|provisioned throughput')
                then 'commitments'
            when regexp_matches(words, '(^|[^a-z])(seats?|users?|licen[cs]es?)([^a-z]|$)') then 'seats'
            when pricing_currency = 'WRU' or regexp_matches(words, '(^|[^a-z])(rus?|resource units?)([^a-z]|$)')
                then 'resource_units'
            when virtual_currency or granted_currency <> '' or regexp_matches(words, 'credits?([^a-z]|$)') then 'credits'
            when regexp_matches(words, 'tokens?([^a-z]|$)') then 'tokens'
            else 'other'
        end as kind,
        virtual_currency, pricing_currency,
        case
            when category not in ('Usage', 'Adjustment') then null
            when currency_cost is not null then currency_cost
            when virtual_currency then cast(quantity as decimal(38, 12))
        end as drawn,
        case
            when lower(unit) in ('token', 'tokens') then quantity
            when regexp_matches(lower(unit), '^(rus?|resource units?)$') then quantity * 1000
        end as tokens,
        case
            when granted_quantity is not null then granted_currency
            when category = 'Purchase' and regexp_matches(pricing_unit, '^[A-Z]{3}$')
                and pricing_unit not in (select code from national_currencies) then pricing_unit
        end as granted_currency,
        coalesce(granted_quantity, pricing_quantity) as granted,
        billed_cost, effective_cost, cast(0 as hugeint) as in_usage_cost,
        commitment_id, commitment_name, commitment_unit, commitment_status,
        coalesce(commitment_quantity, quantity, pricing_quantity) as commitment_quantity,
        source
    from charge_words
    union all
    select f.started_at, s.provider, s.team, s.project, s.model, 'Usage',
        case
            when f.commitment_id <> '' or f.pricing_category = 'Committed' then 'commitments'
            when f.pricing_currency = 'WRU' then 'resource_units'
            when f.pricing_currency not in (select code from national_currencies) then 'credits'
            else 'tokens'
        end,
        f.pricing_currency not in (select code from national_currencies), f.pricing_currency, f.currency_cost,
        null, null, null, f.billed_cost, f.effective_cost, f.effective_cost,
        f.commitment_id, f.commitment_name, f.commitment_unit, f.commitment_status, f.commitment_quantity, ''
    from usage_funding f
    join scopes s on s.scope_id = f.scope_id
)
select * from rows;
