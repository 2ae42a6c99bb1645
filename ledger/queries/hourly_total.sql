select hour, coalesce(cast(sum({metric}) as double), 0) as value
from spend
where {hours} and {scope}
group by hour
