-- Rows of bills that are no hourly token usage, by the hour they begin in, in a fixed order; equal ones are numbered.
select c.*,
    row_number() over (
        partition by c.start_at, c.end_at, c.category, c.class, c.description, c.provider, c.service, c.project, c.key_id,
            c.unit, c.quantity, c.pricing_currency, c.billed_cost, c.effective_cost
        order by c.identity
    ) as repeat
from (select x.*, x.start_at as hour from charges x) c
where {hours}
order by c.start_at, c.end_at, c.category, c.class, c.description, c.provider, c.service, c.project, c.key_id, c.unit,
    c.quantity, c.pricing_currency, c.billed_cost, c.effective_cost, repeat
