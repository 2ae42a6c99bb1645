-- Tokens by class of every model and tier by day, what they cost by the rates in force, and what they count for.
select s.provider, s.model, s.service_tier, cast(h.hour as date) as day,
    sum(h.input_tokens), sum(h.cache_read_tokens), sum(h.cache_write_5m_tokens), sum(h.cache_write_1h_tokens),
    sum(h.output_tokens),
    coalesce(sum(h.input_tokens * r.input_rate), 0),
    coalesce(sum(h.cache_read_tokens * r.cache_read_rate), 0),
    coalesce(sum(h.cache_write_5m_tokens * r.cache_write_5m_rate), 0),
    coalesce(sum(h.cache_write_1h_tokens * r.cache_write_1h_rate), 0),
    coalesce(sum(h.output_tokens * r.output_rate), 0),
    sum(case when h.billed_cost is null then h.unpriced_tokens else 0 end),
    coalesce(sum(coalesce(h.billed_cost, h.computed_cost)), 0),
    coalesce(sum(h.computed_cost), 0),
    count(distinct h.hour)
from usage_hourly h
join scopes s on s.scope_id = h.scope_id
left join rates r on r.provider = s.provider and r.model = s.model and r.service_tier = s.service_tier
    and r.day = cast(h.hour as date)
    and coalesce(r.hour_of_day, extract(hour from h.hour)) = extract(hour from h.hour)
where h.hour >= $start_at and h.hour < $end_at
group by s.provider, s.model, s.service_tier, cast(h.hour as date)
order by s.provider, s.model, cast(h.hour as date), s.service_tier
