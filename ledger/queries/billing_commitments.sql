-- Commitments: what was bought, and what of it was used and what was not, in their own unit and in amortised money.
select provider, commitment_id,
    max(commitment_name) as name, max(commitment_unit) as unit,
    cast(sum(case when category = 'Purchase' then billed_cost else 0 end) as decimal(38, 0)) as purchased_billed,
    cast(sum(case when category = 'Purchase' then effective_cost else 0 end) as decimal(38, 0)) as purchased_effective,
    cast(sum(case when category = 'Purchase' then commitment_quantity end) as decimal(38, 9)) as purchased,
    cast(sum(case when commitment_status = 'Used' then commitment_quantity end) as decimal(38, 9)) as used,
    cast(sum(case when commitment_status = 'Unused' then commitment_quantity end) as decimal(38, 9)) as unused,
    cast(sum(case when commitment_status = 'Used' then effective_cost else 0 end) as decimal(38, 0)) as used_effective,
    cast(sum(case when commitment_status = 'Unused' then effective_cost else 0 end) as decimal(38, 0)) as unused_effective
from bills
where kind = 'commitments' and commitment_id <> '' and {hours}
group by provider, commitment_id
order by provider, commitment_id
