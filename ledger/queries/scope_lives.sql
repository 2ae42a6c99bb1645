select scope_id, min(hour) as first_hour, max(hour) as last_hour
from spend
where {scope}
group by scope_id
