"""The rows of an export as one SQL query: `rows.sql` with its slots filled from closed lists."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ledger.catalogue import bind
from ledger.usage import TOKEN_CLASSES
from ledger.window import Window
from tokensleuth.focus_export.charge_expressions import charge_sql, own_charge_sql
from tokensleuth.focus_export.columns import OWN_COLUMNS, FocusVersion, columns_of
from tokensleuth.focus_export.expressions import cell_texts, class_texts, own_usage_sql, tags_sql, usage_sql

LIST_RATES = "focus_list_rates"
"""A relation with the rates of the public list, where contract terms make them differ from those in force."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is exported and how it is labelled."""

    window: Window
    version: FocusVersion
    billing_account: str
    tags: Mapping[str, str]
    """Which tag holds team, user and feature."""
    list_prices: bool = False
    """Whether list prices come from LIST_RATES; else contract and list are one."""


@dataclass(frozen=True, slots=True)
class RowsQuery:
    """SQL that holds no value from outside, and its values."""

    sql: str
    parameters: Mapping[str, object]


def rows_query(request: ExportRequest) -> RowsQuery:
    cells = bind("focus_cells", windows=[request.window])
    paid = bind("focus_paid_cells", windows=[request.window])
    charges = bind("focus_charges", windows=[request.window])
    columns = columns_of(request.version)
    usage = [usage_sql(c) for c in columns]
    charge = [charge_sql(c) for c in columns]
    sql = _template().format(
        cells=cells.sql,
        paid_cells=paid.sql,
        charges=charges.sql,
        cell_texts=cell_texts(request.tags),
        tags=tags_sql(request.tags),
        class_texts=class_texts(),
        usage_columns=", ".join([*usage, *(own_usage_sql(c) for c in OWN_COLUMNS)]),
        charge_columns=", ".join([*charge, *(own_charge_sql(c) for c in OWN_COLUMNS)]),
        **_list_slots(request.list_prices),
    )
    return RowsQuery(sql, {**cells.parameters, "billing_account": request.billing_account})


def _list_slots(separate: bool) -> dict[str, str]:
    """Where list prices come from; without contract terms they are the rates in force.

    A join loses the order of the cells, so that they are sorted once more behind it.
    """
    if not separate:
        own = {f"list_{i}": f"{name}_rate" for i, name in enumerate(TOKEN_CLASSES, 1)}
        return {**own, "list_columns": "", "list_join": ""}
    join = f"""left join {LIST_RATES} p on p.list_provider = c.provider and p.list_model = c.model
        and p.list_tier = c.service_tier and p.list_day = cast(c.hour as date)
        and coalesce(p.list_hour, hour(c.hour)) = hour(c.hour)
        order by c.hour, c.line, c.billed, coalesce(c.paid_by, '')"""
    names = {f"list_{i}": f"list_{name}" for i, name in enumerate(TOKEN_CLASSES, 1)}
    return {**names, "list_columns": "".join(f"p.{name}, " for name in names.values()), "list_join": join}


@cache
def _template() -> str:
    return files("tokensleuth.focus_export").joinpath("rows.sql").read_text("utf-8")
