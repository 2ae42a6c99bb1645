"""The figures of a digest once more: plain SQL over cells and scopes, in whole numbers and decimals."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

import duckdb

Row = tuple[object, ...]

_CELLS = """
select h.*, s.*, coalesce(h.billed_cost, h.computed_cost, 0)::hugeint as paid,
    case when h.billed_cost is null then h.unpriced_tokens else 0 end as without_price,
    h.input_tokens + h.cache_read_tokens + h.cache_write_5m_tokens + h.cache_write_1h_tokens + h.output_tokens
        as all_tokens
from usage_hourly h join scopes s using (scope_id)
where h.hour >= ? and h.hour < ? and (? is null or s.team = ?)
"""
_SUMS = """
coalesce(sum(paid), 0), coalesce(sum(requests), 0), coalesce(sum(failed_requests), 0),
coalesce(sum(retried_requests), 0), coalesce(sum(all_tokens), 0), coalesce(sum(input_tokens), 0),
coalesce(sum(cache_read_tokens), 0), coalesce(sum(cache_write_5m_tokens), 0),
coalesce(sum(cache_write_1h_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(without_price), 0),
coalesce(sum(paid) filter (where service_tier in ('batch', 'flex')), 0)
"""
NAMES = (
    "usd", "requests", "failed_requests", "retried_requests", "tokens", "input_tokens", "cache_read_tokens",
    "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens", "unpriced_tokens", "batch_usd",
)  # fmt: skip
"""What the sums are, as the document calls them."""


@dataclass(frozen=True, slots=True)
class Sql:
    """Questions about the hours from `start` to `end`, of a team or of all."""

    connection: duckdb.DuckDBPyConnection
    start: datetime
    end: datetime
    team: str | None

    def sums(self) -> Row:
        return self._rows(f"select {_SUMS} from cells")[0]

    def by(self, column: str) -> dict[str, Row]:
        """The same for each value of a column of ours."""
        rows = self._rows(f'select "{column}", {_SUMS} from cells group by 1')
        return {str(row[0]): row[1:] for row in rows}

    def wasted(self) -> int:
        """Of each scope its cost in proportion to what failed or was retried, rounded down."""
        found = self._rows("""
            select coalesce(sum(paid * wasted // asked), 0) from (
                select sum(paid) as paid, sum(requests)::hugeint as asked,
                    least(greatest(sum(failed_requests), sum(retried_requests)), sum(requests))::hugeint
                        as wasted
                from cells group by scope_id)
            where wasted > 0
        """)
        return int(str(found[0][0]))

    def hours_with_usage(self) -> int:
        found = self._rows("""
            select count(*) from (
                select hour from cells group by 1 having sum(requests) > 0 or sum(all_tokens) > 0)
        """)
        return int(str(found[0][0]))

    def _rows(self, query: str) -> list[Row]:
        given = [self.start.replace(tzinfo=None), self.end.replace(tzinfo=None), self.team, self.team]
        return self.connection.execute(f"with cells as ({_CELLS}) {query}", given).fetchall()


def usd(pico: object) -> Decimal:
    return Decimal(str(pico)).scaleb(-12)


def cent(amount: Decimal) -> Decimal:
    """To the nearest cent, halves up."""
    return ((amount * 100 + Decimal("0.5")).to_integral_value(ROUND_FLOOR) / 100).quantize(Decimal("0.01"))
