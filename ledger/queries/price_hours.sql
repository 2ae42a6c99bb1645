-- Cost and tokens of every model and tier by hour, what the source billed apart from what was computed.
select provider, model, service_tier, billed, hour,
    cast(coalesce(sum(cost), 0) as double) as cost,
    cast(sum(requests) as double) as requests,
    cast(sum(input_tokens) as double) as input,
    cast(sum(cache_read_tokens) as double) as cache_read,
    cast(sum(cache_write_5m_tokens) as double) as cache_write_5m,
    cast(sum(cache_write_1h_tokens) as double) as cache_write_1h,
    cast(sum(output_tokens) as double) as output,
    cast(sum(case when requests = 0 then tokens else 0 end) as double) as uncounted
from spend
where {hours} and {scope}
group by provider, model, service_tier, billed, hour
order by provider, model, service_tier, billed, hour
