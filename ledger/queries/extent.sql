select min(hour), max(hour), count(*) from usage_hourly
