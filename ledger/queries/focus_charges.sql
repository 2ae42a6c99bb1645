-- Rows of bills that are no hourly token usage, by the hour they begin in, in a fixed order; those that a reader could not
-- tell apart, because a bill's identity holds no amounts, are numbered.
select c.*,
    row_number() over (
        partition by c.start_at, c.end_at, c.category, c.class, c.description, c.provider, c.service, c.project, c.key_id,
            c.unit, c.pricing_currency, c.team, c.user, c.feature, c.model, c.region, c.resource_id, c.sku, c.sku_price,
            c.meter, c.sku_details, c.pricing_category, c.commitment_id, c.commitment_status
        order by c.quantity, c.billed_cost, c.effective_cost, c.currency_cost, c.identity
    ) as repeat
from (select x.*, x.start_at as hour from charges x) c
where {hours}
order by c.start_at, c.end_at, c.category, c.class, c.description, c.provider, c.service, c.project, c.key_id, c.unit,
    c.quantity, c.pricing_currency, c.billed_cost, c.effective_cost, c.team, c.model, c.sku, c.sku_price, c.meter,
    c.commitment_id, c.commitment_status, c.currency_cost, repeat
