select {dimensions}
    cast(sum(requests) as bigint),
    cast(sum(failed_requests) as bigint),
    cast(sum(retried_requests) as bigint),
    cast(sum(input_tokens) as bigint),
    cast(sum(cache_read_tokens) as bigint),
    cast(sum(cache_write_5m_tokens) as bigint),
    cast(sum(cache_write_1h_tokens) as bigint),
    cast(sum(output_tokens) as bigint),
    cast(sum(reasoning_tokens) as bigint),
    case when count(input_characters) = count(*) then cast(sum(input_characters) as bigint) end,
    case when count(output_characters) = count(*) then cast(sum(output_characters) as bigint) end,
    coalesce(sum(cost), 0),
    coalesce(sum(computed_cost), 0),
    cast(sum(unpriced_tokens) as bigint),
    cast(sum(case when requests = 0 then tokens else 0 end) as bigint),
    count(*)
from spend
where {hours} and {scope}
group by all
