-- What days cost by the usage that was there when their bill was pulled; what was replaced since counts as it was.
with bills as (
    select provider, day, max(pulled_at) as told_at
    from provider_costs
    where day >= $first_day and day < $end_day
    group by provider, day
),
known as (
    select u.started_at, u.scope_id, u.input_tokens, u.cache_read_tokens, u.cache_write_5m_tokens,
        u.cache_write_1h_tokens, u.output_tokens, l.loaded_at, cast(null as timestamp) as gone_at
    from usage u
    join loads l on l.load_id = u.load_id
    where u.started_at >= $start_at and u.started_at < $end_at
    union all
    select u.started_at, u.scope_id, u.input_tokens, u.cache_read_tokens, u.cache_write_5m_tokens,
        u.cache_write_1h_tokens, u.output_tokens, l.loaded_at, g.loaded_at as gone_at
    from usage_restated u
    join loads l on l.load_id = u.load_id
    join loads g on g.load_id = u.replaced_by
    where u.started_at >= $start_at and u.started_at < $end_at
)
select s.provider, s.model, b.day,
    coalesce(sum(k.input_tokens * r.input_rate), 0) + coalesce(sum(k.cache_read_tokens * r.cache_read_rate), 0)
    + coalesce(sum(k.cache_write_5m_tokens * r.cache_write_5m_rate), 0)
    + coalesce(sum(k.cache_write_1h_tokens * r.cache_write_1h_rate), 0)
    + coalesce(sum(k.output_tokens * r.output_rate), 0)
from known k
join scopes s on s.scope_id = k.scope_id
join bills b on b.provider = s.provider and b.day = cast(k.started_at as date)
left join rates r on r.provider = s.provider and r.model = s.model and r.service_tier = s.service_tier
    and r.day = b.day
    and coalesce(r.hour_of_day, extract(hour from k.started_at)) = extract(hour from k.started_at)
where k.loaded_at <= b.told_at and (k.gone_at is null or k.gone_at > b.told_at)
group by s.provider, s.model, b.day
