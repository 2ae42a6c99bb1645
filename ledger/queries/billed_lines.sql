-- What providers say days cost, line by line; projects and keys are summed.
select source, provider, day, line_item, unit,
    cast(sum(cost) as hugeint), cast(sum(quantity) as decimal(38, 9)), count(*), max(pulled_at)
from provider_costs
where day >= $first_day and day < $end_day
group by source, provider, day, line_item, unit
order by provider, day, line_item, unit, source
