"""The one catalogue of read queries: portable SQL texts with bound values and slots from closed lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Literal

from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.usage import Metric
from ledger.window import Window

QueryName = Literal[
    "billing_amortised_twice", "billing_commitments", "billing_lines", "billing_pools",
    "billing_told_twice", "billing_usage_told_twice", "cells", "extent", "first_seen", "focus_cells",
    "focus_charges", "focus_funding", "focus_paid_cells", "grouped_cells", "hourly", "hourly_total",
    "identities", "key_hours", "leaf_sums", "loads_of_hours", "price_basis", "price_hours", "rates",
    "scope_lives", "scope_names", "scope_sums", "scopes", "totals",
]  # fmt: skip

_METRIC_SQL: Mapping[Metric, str] = {
    "cost_usd": "cost * 1e-12",
    "tokens": "tokens",
    "requests": "requests",
}


@dataclass(frozen=True, slots=True)
class BoundQuery:
    """A query ready to run; `sql` holds no value that came from outside."""

    name: QueryName
    sql: str
    parameters: Mapping[str, object]


@cache
def query_text(name: QueryName) -> str:
    return files("ledger").joinpath("queries", f"{name}.sql").read_text("utf-8")


def bind(
    name: QueryName,
    *,
    windows: Sequence[Window] = (),
    where: Scope = EVERYTHING,
    by: Sequence[Dimension] = (),
    metric: Metric = "cost_usd",
    scope_ids: Sequence[int] | None = None,
    parameters: Mapping[str, object] | None = None,
) -> BoundQuery:
    """Fill the slots of a catalogue query. Windows are united; no window means all time.

    `scope_ids` narrows to rows of the ledger's own numbers.
    """
    hours, hour_values = _windows_sql("hour", windows)
    instants, _ = _windows_sql("u.started_at", windows)
    scope, scope_values = _scope_sql(where, prefix="s." if name == "loads_of_hours" else "")
    sql = query_text(name).format(
        dimensions="".join(f"{d}, " for d in by),
        hours=hours,
        instants=instants,
        scope=scope,
        metric=_METRIC_SQL[metric],
        scopes=_scope_ids_sql(scope_ids),
        window_index=_window_index_sql(len(windows)),
    )
    given = {**hour_values, **scope_values, **(parameters or {})}
    return BoundQuery(name, sql, {k: v for k, v in given.items() if f"${k}" in sql})


def utc_naive(instant: datetime) -> datetime:
    """The form in which the ledger stores instants."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def _windows_sql(column: str, windows: Sequence[Window]) -> tuple[str, dict[str, object]]:
    values: dict[str, object] = {}
    terms = []
    for i, window in enumerate(windows):
        values[f"start_{i}"], values[f"end_{i}"] = utc_naive(window.start_at), utc_naive(window.end_at)
        terms.append(f"({column} >= $start_{i} and {column} < $end_{i})")
    return f"({' or '.join(terms)})" if terms else "1 = 1", values


def _window_index_sql(windows: int) -> str:
    """Which of the windows an hour lies in, by position."""
    cases = "".join(f" when hour >= $start_{i} and hour < $end_{i} then {i}" for i in range(windows))
    return f"case{cases} end" if cases else "0"


def _scope_sql(where: Scope, *, prefix: str) -> tuple[str, dict[str, object]]:
    values: dict[str, object] = {f"where_{d}": value for d, value in where.items}
    terms = [f"{prefix}{d} = $where_{d}" for d in where.dimensions]
    return " and ".join(terms) or "1 = 1", values


def _scope_ids_sql(scope_ids: Sequence[int] | None) -> str:
    if scope_ids is None:
        return "1 = 1"
    return f"scope_id in ({', '.join(str(int(i)) for i in scope_ids)})" if len(scope_ids) else "1 = 0"
