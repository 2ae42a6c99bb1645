-- Usage as the sources gave it, the dimensions it belongs to, and the hourly roll-up every query reads.
-- Money is an integer of 1e-12 USD; instants are TIMESTAMP in UTC.

create table loads (
    load_id integer not null,
    source varchar not null,
    format varchar not null,
    loaded_at timestamp not null,
    read_rows bigint not null,
    new_rows bigint not null,
    duplicate_rows bigint not null,
    restated_rows bigint not null,
    rejected_rows bigint not null
);

-- `team` is what the row counts for; `given_team` is what the source said, so that a new owner map applies to all.
create table scopes (
    scope_id integer not null,
    provider varchar not null,
    model varchar not null,
    team varchar not null,
    project varchar not null,
    key_id varchar not null,
    user varchar not null,
    feature varchar not null,
    region varchar not null,
    service_tier varchar not null,
    client varchar not null,
    prompt_template varchar not null,
    given_team varchar not null
);

-- No primary key: DuckDB's index would cost more than the load itself; identity is kept unique by the anti-join of every load.
create table usage (
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
    reasoning_tokens bigint,
    input_characters bigint,
    output_characters bigint,
    billed_cost bigint,
    load_id integer not null
);

-- Rows replaced by a later file: kept, never summed.
create table usage_restated as select *, 0::integer as replaced_by from usage limit 0;

-- One cell per hour, scope and cost basis (`billed`: the source gave the cost).
create table usage_hourly (
    hour timestamp not null,
    scope_id integer not null,
    billed boolean not null,
    records bigint not null,
    requests bigint not null,
    failed_requests bigint not null,
    retried_requests bigint not null,
    input_tokens bigint not null,
    cache_read_tokens bigint not null,
    cache_write_5m_tokens bigint not null,
    cache_write_1h_tokens bigint not null,
    output_tokens bigint not null,
    reasoning_tokens bigint not null,
    input_characters bigint,
    output_characters bigint,
    billed_cost bigint,
    computed_cost bigint,
    unpriced_tokens bigint not null,
    price_version varchar
);

-- Price per token in 1e-12 USD, resolved once per provider, model, tier and day; `hour_of_day` is set only for models with peak hours.
create table rates (
    provider varchar not null,
    model varchar not null,
    service_tier varchar not null,
    day date not null,
    hour_of_day integer,
    input_rate bigint,
    cache_read_rate bigint,
    cache_write_5m_rate bigint,
    cache_write_1h_rate bigint,
    output_rate bigint,
    priced_as varchar,
    tiered boolean not null,
    price_version varchar
);

-- What a cell cost before a re-costing.
create table cost_history (
    hour timestamp not null,
    scope_id integer not null,
    billed boolean not null,
    computed_cost bigint,
    unpriced_tokens bigint not null,
    price_version varchar,
    replaced_at timestamp not null
);

-- Rows of bills that are not token usage by the hour: credits, purchases, taxes, corrections, seats, commitments.
create table charges (
    identity uhugeint not null,
    start_at timestamp not null,
    end_at timestamp not null,
    category varchar not null,
    class varchar not null,
    description varchar not null,
    provider varchar not null,
    service varchar not null,
    project varchar not null,
    key_id varchar not null,
    unit varchar not null,
    quantity decimal(38, 9),
    pricing_currency varchar not null,
    billed_cost hugeint not null,
    effective_cost hugeint not null,
    load_id integer not null
);

create view spend as
select
    h.hour, h.billed, h.records, h.requests, h.failed_requests, h.retried_requests,
    h.input_tokens, h.cache_read_tokens, h.cache_write_5m_tokens, h.cache_write_1h_tokens, h.output_tokens,
    h.input_tokens + h.cache_read_tokens + h.cache_write_5m_tokens + h.cache_write_1h_tokens + h.output_tokens as tokens,
    h.reasoning_tokens, h.input_characters, h.output_characters,
    h.billed_cost, h.computed_cost, coalesce(h.billed_cost, h.computed_cost) as cost,
    case when h.billed_cost is null then h.unpriced_tokens else 0 end as unpriced_tokens,
    h.price_version, h.scope_id,
    s.provider, s.model, s.team, s.project, s.key_id, s.user, s.feature, s.region, s.service_tier, s.client, s.prompt_template
from usage_hourly h
join scopes s on s.scope_id = h.scope_id;
