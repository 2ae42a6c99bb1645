-- Virtual currencies by month: what seats and purchases granted, what was drawn, and what of that was billed in money.
select provider, currency, month,
    cast(sum(granted) as decimal(38, 9)) as granted,
    cast(sum(drawn) as decimal(38, 9)) as drawn,
    cast(sum(overage) as decimal(38, 9)) as overage,
    cast(sum(overage_billed) as decimal(38, 0)) as overage_billed,
    cast(sum(effective) as decimal(38, 0)) as effective
from (
    select provider, pricing_currency as currency, date_trunc('month', hour) as month,
        null as granted, drawn,
        case
            when billed_cost = 0 then 0
            when billed_cost = effective_cost or effective_cost = 0 then drawn
            else cast(cast(drawn as double) * cast(billed_cost as double) / cast(effective_cost as double)
                as decimal(38, 12))
        end as overage,
        billed_cost as overage_billed, effective_cost as effective
    from bills
    where virtual_currency and drawn is not null and {hours}
    union all
    select provider, granted_currency, date_trunc('month', hour), granted, 0, 0, 0, 0
    from bills
    where granted_currency is not null and {hours}
) sums
group by provider, currency, month
order by month, provider, currency
