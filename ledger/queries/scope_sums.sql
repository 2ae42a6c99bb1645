select scope_id, cast(coalesce(sum(coalesce(billed_cost, computed_cost)), 0) as double) * 1e-12 as cost_usd
from usage_hourly
where {hours}
group by scope_id
