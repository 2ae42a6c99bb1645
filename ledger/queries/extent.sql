-- First and last hour of all but some scopes; the order lets the engine pass over hours that cannot be it.
select (select hour from usage_hourly where not ({scopes}) order by hour limit 1),
    (select hour from usage_hourly where not ({scopes}) order by hour desc limit 1)
