-- One of the scopes of a group stands for all of it.
select min(scope_id) as scope_id, hour, cast(coalesce(sum(cost), 0) as double) * 1e-12 as cost_usd,
    cast(sum(tokens) as double) as tokens
from spend
where {hours} and {scopes}
group by {dimensions} hour
