select {dimensions} min(hour), max(hour)
from spend
where {scope}
group by all
