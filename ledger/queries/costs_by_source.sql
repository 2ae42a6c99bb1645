-- What each file or report contributed to days, by the rates in force, where a model's usage came from several.
with parts as (
    select s.provider, s.model, cast(u.started_at as date) as day, l.source,
        coalesce(sum(u.input_tokens * r.input_rate), 0)
        + coalesce(sum(u.cache_read_tokens * r.cache_read_rate), 0)
        + coalesce(sum(u.cache_write_5m_tokens * r.cache_write_5m_rate), 0)
        + coalesce(sum(u.cache_write_1h_tokens * r.cache_write_1h_rate), 0)
        + coalesce(sum(u.output_tokens * r.output_rate), 0) as cost
    from usage u
    join loads l on l.load_id = u.load_id
    join scopes s on s.scope_id = u.scope_id
    left join rates r on r.provider = s.provider and r.model = s.model and r.service_tier = s.service_tier
        and r.day = cast(u.started_at as date)
        and coalesce(r.hour_of_day, extract(hour from u.started_at)) = extract(hour from u.started_at)
    where u.started_at >= $start_at and u.started_at < $end_at
    group by s.provider, s.model, cast(u.started_at as date), l.source
)
select p.provider, p.model, p.day, p.source, p.cost
from parts p
join (select provider, model, day from parts group by provider, model, day having count(*) > 1) m
    on m.provider = p.provider and m.model = p.model and m.day = p.day
order by p.provider, p.model, p.day, p.source
