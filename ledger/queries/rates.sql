-- Rates per token in 1e-12 USD of the models a scope used, by day.
select r.provider, r.model, r.service_tier, r.day, r.hour_of_day,
    r.input_rate, r.cache_read_rate, r.cache_write_5m_rate, r.cache_write_1h_rate, r.output_rate,
    r.priced_as, r.price_version
from rates r
where r.day >= $first_day and r.day <= $last_day
order by r.provider, r.model, r.service_tier, r.day, r.hour_of_day
