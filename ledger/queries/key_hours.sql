-- What every key did on every model by hour; characters are NaN where a cell did not log them. Left out is what
-- a source reports without counting requests: per request it says nothing.
select key_id, model, hour,
    cast(sum(requests) as double) as requests,
    cast(sum(tokens - output_tokens) as double) as prompt,
    cast(sum(output_tokens) as double) as output,
    case when count(input_characters) = count(*) then cast(sum(input_characters) as double)
        else cast('NaN' as double) end as characters,
    cast(coalesce(sum(cost), 0) as double) as cost
from spend
where {hours} and {scope} and {scopes} and (requests > 0 or tokens = 0)
group by key_id, model, hour
