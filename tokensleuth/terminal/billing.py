"""Bills by kind, pools of credits and commitments, as tables."""

from collections.abc import Sequence
from decimal import Decimal
from typing import cast

from rich.console import RenderableType
from rich.text import Text

from tokensleuth.terminal.cells import add_row, empty_table
from tokensleuth.terminal.text import NOTHING, Document, parts, percent, period, printable, usd, words


def billing_tables(document: Document) -> Sequence[RenderableType]:
    """Money first; pools, commitments and warnings only where there are some."""
    span = f"bills of {period(cast(Document, document['range']))}"
    if not parts(document, "lines"):
        return [Text(f"{span}: none")]
    tables: list[RenderableType] = [Text(span), _money(document)]
    if parts(document, "pools"):
        tables.append(_pools(document))
    if parts(document, "commitments"):
        tables.append(_commitments(document))
    warnings = cast("Sequence[str]", document["warnings"])
    return [*tables, *(Text(f"warning: {printable(warning)}") for warning in warnings)]


def _money(document: Document) -> RenderableType:
    table = empty_table("kind", "provider", "team", "!>billed", "!>effective", "!>tokens")
    for line in parts(document, "lines"):
        names = (words(line["kind"]), line["provider"], line["team"])
        add_row(table, *names, usd(line["billed_usd"]), usd(line["effective_usd"]), _count(line["tokens"]))
    add_row(table, "all", "", "", usd(document["billed_usd"]), usd(document["effective_usd"]), "")
    table.caption = "effective: what use cost; what was paid before counts when it is used"
    table.caption_justify = "left"
    return table


def _pools(document: Document) -> RenderableType:
    table = empty_table("pool", "month", "!>granted", "!>drawn", "!>remaining", "!>beyond", "!>billed")
    for pool in parts(document, "pools"):
        add_row(
            table,
            f"{pool['provider']} {pool['currency']}",
            str(pool["month"])[:7],
            _count(pool["granted"]),
            _count(pool["drawn"]),
            _count(pool["remaining"]),
            _count(pool["overage"]),
            usd(pool["overage_billed_usd"]),
        )
    return table


def _commitments(document: Document) -> RenderableType:
    table = empty_table(
        "commitment", "unit", "!>billed", "!>used", "!>unused", "!>utilisation", "!>unused usd"
    )
    for item in parts(document, "commitments"):
        add_row(
            table,
            f"{item['provider']} {item['name'] or item['commitment_id']}",
            item["unit"] or NOTHING,
            usd(item["purchased_billed_usd"]),
            _count(item["used"]),
            _count(item["unused"]),
            percent(item["utilisation"]),
            usd(item["unused_usd"]),
        )
    return table


def _count(value: object) -> str:
    """Quantities to two decimals at most."""
    if value is None:
        return NOTHING
    return f"{Decimal(str(value)):,.2f}".rstrip("0").rstrip(".")
