-- What every scope did in each of some windows; windows do not overlap. Tokens of hours without a request
-- are `uncounted`: their source counts none.
select scope_id, {window_index} as window_index,
    cast(sum(requests) as double) as requests,
    cast(sum(failed_requests) as double) as failed,
    cast(sum(retried_requests) as double) as retried,
    cast(sum(input_tokens) as double) as input,
    cast(sum(cache_read_tokens) as double) as cache_read,
    cast(sum(cache_write_5m_tokens) as double) as cache_write_5m,
    cast(sum(cache_write_1h_tokens) as double) as cache_write_1h,
    cast(sum(output_tokens) as double) as output,
    case when count(input_characters) = count(*) then cast(sum(input_characters) as double)
        else cast('NaN' as double) end as input_characters,
    case when count(output_characters) = count(*) then cast(sum(output_characters) as double)
        else cast('NaN' as double) end as output_characters,
    cast(sum(unpriced_tokens) as double) as unpriced,
    cast(sum(reasoning_tokens) as double) as reasoning,
    cast(count(*) as double) as cells,
    cast(sum(case when requests = 0 then tokens else 0 end) as double) as uncounted,
    cast(coalesce(sum(cost), 0) as bigint) as cost_pico,
    cast(coalesce(sum(computed_cost), 0) as bigint) as computed_pico
from spend
where {hours} and {scope}
group by all
