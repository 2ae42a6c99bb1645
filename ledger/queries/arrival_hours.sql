-- The hours in which something was used, by the file or report that told of it.
select l.source, l.format, date_trunc('hour', u.started_at) as hour
from usage u
join loads l on l.load_id = u.load_id
where u.started_at >= $start_at and u.started_at < $end_at
    and u.requests + u.input_tokens + u.cache_read_tokens + u.cache_write_5m_tokens + u.cache_write_1h_tokens
        + u.output_tokens > 0
group by l.source, l.format, date_trunc('hour', u.started_at)
order by l.source, l.format, hour
