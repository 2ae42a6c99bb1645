select scope_id, hour, coalesce(billed_cost, computed_cost, 0) * 1e-12 as cost_usd,
    cast(input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + output_tokens as double)
        as tokens
from usage_hourly
where {hours} and {scopes}
