-- Days for which both a live source and a file, or two live sources, tell the same kind of use of one provider.
select provider, kind, count(*) as days, min(day) as first_day, max(day) as last_day
from (
    select provider, kind, cast(hour as date) as day
    from bills
    where category = 'Usage' and {hours}
    group by provider, kind, cast(hour as date)
    having count(distinct source) > 1
) days
group by provider, kind
order by provider, kind
