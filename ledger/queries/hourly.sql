select scope_id, hour, cast(sum({metric}) as double) as value
from spend
where {hours} and {scope}
group by scope_id, hour
