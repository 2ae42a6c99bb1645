-- How the cost of a scope came about: which price version computed it, or that the source billed it.
select provider, model, service_tier, billed, price_version,
    min(hour), max(hour), coalesce(sum(cost), 0), cast(sum(tokens) as bigint), cast(sum(unpriced_tokens) as bigint)
from spend
where {hours} and {scope}
group by provider, model, service_tier, billed, price_version
