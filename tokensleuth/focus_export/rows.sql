-- Cells with their cost split over the token classes: cumulative shares rounded down, so that the parts add up exactly.
with cells as (select * from ({cells}) union all by name select * from ({paid_cells})),
weighed as (
    select c.*, {list_columns}
        input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + output_tokens as cell_tokens,
        cast(input_tokens as hugeint) * coalesce(input_rate, 0) as weight_1,
        cast(cache_read_tokens as hugeint) * coalesce(cache_read_rate, 0) as weight_2,
        cast(cache_write_5m_tokens as hugeint) * coalesce(cache_write_5m_rate, 0) as weight_3,
        cast(cache_write_1h_tokens as hugeint) * coalesce(cache_write_1h_rate, 0) as weight_4,
        cast(output_tokens as hugeint) * coalesce(output_rate, 0) as weight_5,
        weight_1 + weight_2 + weight_3 + weight_4 + weight_5 as cell_weight,
        -- Where nothing is priced, by tokens; where there are none, all of it to the output row.
        if(cell_weight > 0, weight_1, cast(input_tokens as hugeint)) as upto_1,
        upto_1 + if(cell_weight > 0, weight_2, cast(cache_read_tokens as hugeint)) as upto_2,
        upto_2 + if(cell_weight > 0, weight_3, cast(cache_write_5m_tokens as hugeint)) as upto_3,
        upto_3 + if(cell_weight > 0, weight_4, cast(cache_write_1h_tokens as hugeint)) as upto_4,
        greatest(upto_4 + if(cell_weight > 0, weight_5, cast(output_tokens as hugeint)), 1) as upto_5,
        cast(cost as hugeint) as cell_cost,
        case when output_tokens > 0 then 5 when cache_write_1h_tokens > 0 then 4 when cache_write_5m_tokens > 0 then 3
            when cache_read_tokens > 0 then 2 when input_tokens > 0 then 1 else 5 end as carrier,
        {cell_texts}
    from cells c {list_join}
),
classes as (
    select * exclude (cost), unnest([
        {{n: 1, tokens: input_tokens, rate: input_rate, list_rate: {list_1}, share: (cell_cost * upto_1) // upto_5}},
        {{n: 2, tokens: cache_read_tokens, rate: cache_read_rate, list_rate: {list_2},
            share: (cell_cost * upto_2) // upto_5 - (cell_cost * upto_1) // upto_5}},
        {{n: 3, tokens: cache_write_5m_tokens, rate: cache_write_5m_rate, list_rate: {list_3},
            share: (cell_cost * upto_3) // upto_5 - (cell_cost * upto_2) // upto_5}},
        {{n: 4, tokens: cache_write_1h_tokens, rate: cache_write_1h_rate, list_rate: {list_4},
            share: (cell_cost * upto_4) // upto_5 - (cell_cost * upto_3) // upto_5}},
        {{n: 5, tokens: output_tokens, rate: output_rate, list_rate: {list_5},
            share: cell_cost - (cell_cost * upto_4) // upto_5}}
    ], recursive := true)
    from weighed
),
usage_rows as (
    select *,
        case when billed then 'billed' when tokens > 0 and rate is null then 'unpriced' else 'computed' end as basis,
        n = carrier as carries,
        {class_texts}
    from classes
    where tokens > 0 or (cell_tokens = 0 and n = 5)
),
charge_rows as (select *, {tags} as tags from ({charges}))
select {usage_columns} from usage_rows
union all
select {charge_columns} from charge_rows
