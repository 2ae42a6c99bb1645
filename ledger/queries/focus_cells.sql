-- Cells as a bill shows them: one per hour, billed dimensions and cost basis, with the rates of its hour, in a fixed order.
-- Without the usage that credits or commitments pay for: `focus_paid_cells` has it.
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
paid as (
    select f.hour, l.line, count(*) as records, sum(f.requests) as requests, sum(f.failed_requests) as failed_requests,
        sum(f.retried_requests) as retried_requests, sum(f.input_tokens) as input_tokens,
        sum(f.cache_read_tokens) as cache_read_tokens, sum(f.cache_write_5m_tokens) as cache_write_5m_tokens,
        sum(f.cache_write_1h_tokens) as cache_write_1h_tokens, sum(f.output_tokens) as output_tokens,
        sum(f.reasoning_tokens) as reasoning_tokens, sum(f.effective_cost) as cost
    from (select x.*, date_trunc('hour', x.started_at) as hour from usage_funding x) f
    join lines l on l.scope_id = f.scope_id
    where {hours}
    group by f.hour, l.line
),
sums as (
    select h.hour, l.line, h.billed, sum(h.records) as records, sum(h.requests) as requests,
        sum(h.failed_requests) as failed_requests, sum(h.retried_requests) as retried_requests,
        sum(h.input_tokens) as input_tokens, sum(h.cache_read_tokens) as cache_read_tokens,
        sum(h.cache_write_5m_tokens) as cache_write_5m_tokens, sum(h.cache_write_1h_tokens) as cache_write_1h_tokens,
        sum(h.output_tokens) as output_tokens, sum(h.reasoning_tokens) as reasoning_tokens,
        coalesce(sum(coalesce(h.billed_cost, h.computed_cost)), 0) as cost
    from usage_hourly h
    join lines l on l.scope_id = h.scope_id
    where {hours}
    group by h.hour, l.line, h.billed
),
cells as (
    select s.hour, s.line, s.billed,
        cast(s.requests - coalesce(p.requests, 0) as bigint) as requests,
        cast(s.failed_requests - coalesce(p.failed_requests, 0) as bigint) as failed_requests,
        cast(s.retried_requests - coalesce(p.retried_requests, 0) as bigint) as retried_requests,
        cast(s.input_tokens - coalesce(p.input_tokens, 0) as bigint) as input_tokens,
        cast(s.cache_read_tokens - coalesce(p.cache_read_tokens, 0) as bigint) as cache_read_tokens,
        cast(s.cache_write_5m_tokens - coalesce(p.cache_write_5m_tokens, 0) as bigint) as cache_write_5m_tokens,
        cast(s.cache_write_1h_tokens - coalesce(p.cache_write_1h_tokens, 0) as bigint) as cache_write_1h_tokens,
        cast(s.output_tokens - coalesce(p.output_tokens, 0) as bigint) as output_tokens,
        cast(s.reasoning_tokens - coalesce(p.reasoning_tokens, 0) as bigint) as reasoning_tokens,
        cast(s.cost - coalesce(p.cost, 0) as decimal(38, 0)) as cost
    from sums s
    left join paid p on s.billed and p.hour = s.hour and p.line = s.line
    where s.records > coalesce(p.records, 0)
)
select c.*, n.provider, n.model, n.team, n.project, n.key_id, n.user, n.feature, n.region, n.service_tier,
    r.input_rate, r.cache_read_rate, r.cache_write_5m_rate, r.cache_write_1h_rate, r.output_rate, r.price_version
from cells c
join named n on n.line = c.line
left join rates r on r.provider = n.provider and r.model = n.model and r.service_tier = n.service_tier
    and r.day = cast(c.hour as date) and coalesce(r.hour_of_day, hour(c.hour)) = hour(c.hour)
order by c.hour, c.line, c.billed
