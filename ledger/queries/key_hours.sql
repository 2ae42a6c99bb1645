-- What every key did on every model by hour; characters are NaN where a cell did not log them.
select key_id, model, hour,
    cast(sum(requests) as double) as requests,
    cast(sum(tokens - output_tokens) as double) as prompt,
    cast(sum(output_tokens) as double) as output,
    case when count(input_characters) = count(*) then cast(sum(input_characters) as double)
        else cast('NaN' as double) end as characters,
    cast(coalesce(sum(cost), 0) as double) as cost
from spend
where {hours} and {scope} and {scopes}
group by key_id, model, hour
