-- Purchases that carry an amortised cost although what they paid for carries it too.
select provider, kind,
    cast(sum(case when category = 'Purchase' then effective_cost else 0 end) as decimal(38, 0)) as purchased
from bills
where kind in ('credits', 'seats', 'commitments') and {hours}
group by provider, kind
having sum(case when category = 'Purchase' then effective_cost else 0 end) <> 0
    and sum(case when category = 'Usage' and effective_cost > billed_cost then 1 else 0 end) > 0
order by provider, kind
