-- Which loads delivered the usage of some hours, and how much of it.
select l.load_id, l.source, l.format, l.loaded_at, l.restated_rows, count(*), cast(sum(u.requests) as bigint)
from usage u
join loads l on l.load_id = u.load_id
join scopes s on s.scope_id = u.scope_id
where {instants} and {scope}
group by l.load_id, l.source, l.format, l.loaded_at, l.restated_rows
order by l.load_id
