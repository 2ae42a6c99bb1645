-- Usage that credits or commitments pay for, a row of the bill each, with what pays in `paid_...`, in a fixed order; in the
-- columns of `focus_cells`. `paid_by` tells rows apart by nothing but what a bill says, so that one read back has the same.
with lines as (
    select s.scope_id, s.provider, s.model, s.team, s.project, s.key_id, s.user, s.feature, s.region, s.service_tier,
        dense_rank() over (
            order by s.provider, s.model, s.team, s.project, s.key_id, s.user, s.feature, s.region, s.service_tier
        ) as line
    from scopes s
),
paid as (
    select f.*, l.line, l.provider, l.model, l.team, l.project, l.key_id, l.user, l.feature, l.region, l.service_tier,
        concat_ws('|', f.pricing_currency, f.commitment_id, f.commitment_status, f.input_tokens, f.cache_read_tokens,
            f.cache_write_5m_tokens, f.cache_write_1h_tokens, f.output_tokens, f.requests, f.effective_cost, f.billed_cost,
            f.currency_cost, f.pricing_category, f.pricing_unit, f.pricing_quantity, f.list_cost, f.contracted_cost,
            f.list_price, f.contracted_price, f.currency_list_price, f.currency_contracted_price, f.commitment_quantity
        ) as paid_as
    from (select x.*, date_trunc('hour', x.started_at) as hour from usage_funding x) f
    join lines l on l.scope_id = f.scope_id
    where {hours}
)
select p.hour, p.line, true as billed, p.requests, p.failed_requests, p.retried_requests, p.input_tokens,
    p.cache_read_tokens, p.cache_write_5m_tokens, p.cache_write_1h_tokens, p.output_tokens, p.reasoning_tokens,
    cast(p.effective_cost as decimal(38, 0)) as cost,
    p.provider, p.model, p.team, p.project, p.key_id, p.user, p.feature, p.region, p.service_tier,
    r.input_rate, r.cache_read_rate, r.cache_write_5m_rate, r.cache_write_1h_rate, r.output_rate, r.price_version,
    concat_ws('|', p.paid_as, row_number() over (partition by p.hour, p.line, p.paid_as order by p.identity)) as paid_by,
    cast(p.billed_cost as decimal(38, 0)) as paid_billed, p.pricing_currency as paid_currency,
    p.currency_cost as paid_currency_cost, p.pricing_category as paid_category, p.pricing_unit as paid_unit,
    p.pricing_quantity as paid_quantity, cast(p.list_cost as decimal(38, 0)) as paid_list_cost,
    cast(p.contracted_cost as decimal(38, 0)) as paid_contracted_cost, p.list_price as paid_list_price,
    p.contracted_price as paid_contracted_price, p.currency_list_price as paid_currency_list_price,
    p.currency_contracted_price as paid_currency_contracted_price, p.commitment_id as paid_commitment_id,
    p.commitment_name as paid_commitment_name, p.commitment_category as paid_commitment_category,
    p.commitment_type as paid_commitment_type, p.commitment_status as paid_commitment_status,
    p.commitment_unit as paid_commitment_unit, p.commitment_quantity as paid_commitment_quantity
from paid p
left join rates r on r.provider = p.provider and r.model = p.model and r.service_tier = p.service_tier
    and r.day = cast(p.hour as date) and coalesce(r.hour_of_day, hour(p.hour)) = hour(p.hour)
order by p.hour, p.line, paid_by
