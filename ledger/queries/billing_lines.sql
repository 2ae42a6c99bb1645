-- What bills say beside plain token usage, by kind, provider and team; `in_usage` is counted as usage already.
select kind, provider, team,
    cast(sum(billed_cost) as decimal(38, 0)) as billed,
    cast(sum(effective_cost) as decimal(38, 0)) as effective,
    cast(sum(in_usage_cost) as decimal(38, 0)) as in_usage,
    cast(sum(tokens) as decimal(38, 9)) as tokens
from bills
where {hours}
group by kind, provider, team
order by kind, provider, team
