-- The hours in which new usage was loaded, and the last instant of each.
select source, format, date_trunc('hour', loaded_at) as hour, max(loaded_at)
from loads
where loaded_at >= $start_at and loaded_at < $end_at and new_rows + restated_rows > 0
group by source, format, date_trunc('hour', loaded_at)
order by source, format, hour
