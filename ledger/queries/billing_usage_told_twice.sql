-- Hours of a model whose usage is told both by bills and by another source.
select provider, model, count(*) as hours
from (
    select s.provider, s.model, date_trunc('hour', u.started_at) as hour
    from usage u
    join scopes s on s.scope_id = u.scope_id
    join loads l on l.load_id = u.load_id
    where {instants}
    group by s.provider, s.model, date_trunc('hour', u.started_at)
    having count(distinct case when l.format = 'focus' then 1 else 0 end) > 1
) hours
group by provider, model
order by provider, model
