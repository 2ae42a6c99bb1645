select {dimensions} hour, cast(sum({metric}) as double) as value
from spend
where {hours} and {scope}
group by all
