-- Usage that credits or commitments pay for: rows, what was invoiced, what it cost.
select count(*), sum(f.billed_cost), sum(f.effective_cost)
from (select x.*, x.started_at as hour from usage_funding x) f
where {hours}
