-- Cells as a bill shows them: one per hour, billed dimensions and cost basis, with the rates of its hour, in a fixed order.
with lines as (
    select s.scope_id, s.provider, s.model, s.team, s.project, s.key_id, s.user, s.feature, s.region, s.service_tier,
        dense_rank() over (
            order by s.provider, s.model, s.team, s.project, s.key_id, s.user, s.feature, s.region, s.service_tier
        ) as line
    from scopes s
),
named as (
    select distinct l.line, l.provider, l.model, l.team, l.project, l.key_id, l.user, l.feature, l.region, l.service_tier
    from lines l
),
cells as (
    select h.hour, l.line, h.billed,
        cast(sum(h.requests) as bigint) as requests,
        cast(sum(h.failed_requests) as bigint) as failed_requests,
        cast(sum(h.retried_requests) as bigint) as retried_requests,
        cast(sum(h.input_tokens) as bigint) as input_tokens,
        cast(sum(h.cache_read_tokens) as bigint) as cache_read_tokens,
        cast(sum(h.cache_write_5m_tokens) as bigint) as cache_write_5m_tokens,
        cast(sum(h.cache_write_1h_tokens) as bigint) as cache_write_1h_tokens,
        cast(sum(h.output_tokens) as bigint) as output_tokens,
        cast(sum(h.reasoning_tokens) as bigint) as reasoning_tokens,
        cast(coalesce(sum(coalesce(h.billed_cost, h.computed_cost)), 0) as decimal(38, 0)) as cost
    from usage_hourly h
    join lines l on l.scope_id = h.scope_id
    where {hours}
    group by h.hour, l.line, h.billed
)
select c.*, n.provider, n.model, n.team, n.project, n.key_id, n.user, n.feature, n.region, n.service_tier,
    r.input_rate, r.cache_read_rate, r.cache_write_5m_rate, r.cache_write_1h_rate, r.output_rate, r.price_version
from cells c
join named n on n.line = c.line
left join rates r on r.provider = n.provider and r.model = n.model and r.service_tier = n.service_tier
    and r.day = cast(c.hour as date) and coalesce(r.hour_of_day, hour(c.hour)) = hour(c.hour)
order by c.hour, c.line, c.billed
