"""What must hold of a digest: each figure of it equals the answer of SQL that shares no code with it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, cast

from evals.digest_sql import NAMES, Row, Sql, cent, usd

Document = Mapping[str, object]


class Check(NamedTuple):
    """One figure."""

    name: str
    told: object
    right: object

    @property
    def holds(self) -> bool:
        return self.told == self.right


def checks(document: Document, markdown: str, csv_text: str, sql: Sql) -> Iterator[Check]:
    """Every figure that comes from the ledger; `sql` asks about the hours of the week that are known."""
    last = _compared(document, sql)
    now = cast(Document, cast(Document, document["spend"])["now"])
    yield from _used("spend", now, sql.sums())
    yield Check("wasted", _usd(now["wasted_usd"]), usd(sql.wasted()))
    yield from _change(document, sql, last)
    yield from _showback(document, sql, last)
    yield from _movers(document)
    yield from _coverage(document, sql)
    yield from _month(document, sql)
    yield from _page(document, markdown)
    yield from _csv(document, csv_text)
    completeness = cast(Document, document["completeness"])
    yield Check("hours with usage", completeness["hours_with_usage"], sql.hours_with_usage())
    tokens = [k for k in _list(document, "billing") if k["kind"] == "tokens"]
    yield Check("billed tokens", sum(_usd(k["effective_usd"]) for k in tokens), usd(sql.sums()[0]))


def _compared(document: Document, sql: Sql) -> Sql | None:
    window = cast(Mapping[str, str] | None, document["compared_with"])
    if window is None:
        return None
    start, end = (datetime.fromisoformat(window[name]) for name in ("start_at", "end_at"))
    return replace(sql, start=start, end=end)


def _used(name: str, told: Document, right: Row) -> Iterator[Check]:
    for field, value in zip(NAMES, right, strict=True):
        if field.endswith("usd"):
            yield Check(f"{name} {field}", _usd(told[field]), usd(value))
        else:
            yield Check(f"{name} {field}", told[field], int(str(value)))


def _change(document: Document, sql: Sql, last: Sql | None) -> Iterator[Check]:
    spend = cast(Document, document["spend"])
    if last is None:
        yield Check("nothing to compare with", (spend["last"], spend["change_usd"]), (None, None))
        return
    yield from _used("last week", cast(Document, spend["last"]), last.sums())
    right = cent(usd(sql.sums()[0])) - cent(usd(last.sums()[0]))
    yield Check("change", _usd(spend["change_usd"]), right)
    yield Check("effects add up", sum(_usd(e["usd"]) for e in _list(spend, "effects")), right)


def _showback(document: Document, sql: Sql, last: Sql | None) -> Iterator[Check]:
    column = "team" if sql.team is None else "key_id"
    now, before = sql.by(column), last.by(column) if last else {}
    rows = {str(row["name"]): row for row in _list(document, "showback")}
    yield Check("showback has everybody", set(rows), set(now) | set(before))
    nothing: Row = (0,) * len(NAMES)
    for name, row in rows.items():
        yield from _used(f"showback of {name}", row, now.get(name, nothing))
        yield Check("shown to a cent", abs(_usd(row["shown_usd"]) - _usd(row["usd"])) < Decimal("0.01"), True)
        if last is not None:
            yield Check(f"last of {name}", _usd(row["last_usd"]), usd(before.get(name, nothing)[0]))
    yield Check(
        "showback adds up", sum(_usd(r["shown_usd"]) for r in rows.values()), cent(usd(sql.sums()[0]))
    )


def _movers(document: Document) -> Iterator[Check]:
    """They are rows of the showback, and with the others they are the change."""
    rows = {row["name"]: row for row in _list(document, "showback")}
    movers, spend = _list(document, "movers"), cast(Document, document["spend"])
    for mover in movers:
        name = next(iter(cast(Mapping[str, str], mover["scope"]).values()))
        if mover["was"] is None:
            told = (mover["usd"], mover["change_usd"])
            yield Check(f"mover {name}", told, (rows[name]["shown_usd"], rows[name]["shown_change_usd"]))
    if spend["change_usd"] is not None:
        others = cast(Document, document["other_movers"])["change_usd"]
        total = sum((_usd(mover["change_usd"]) for mover in movers), Decimal()) + _usd(others)
        yield Check("movers add up", total, _usd(spend["change_usd"]))


def _coverage(document: Document, sql: Sql) -> Iterator[Check]:
    coverage = cast(Document, document["coverage"])
    if sql.team is None:
        nobody = sql.by("team").get("UNALLOCATED")
        yield Check("unallocated", _usd(coverage["unallocated_usd"]), usd(nobody[0] if nobody else 0))
    told = {row["model"]: row["tokens"] for row in _list(coverage, "unpriced")}
    at = NAMES.index("unpriced_tokens")
    yield Check("unpriced", told, {m: int(str(r[at])) for m, r in sql.by("model").items() if r[at]})
    models = sql.by("model")
    for event in _list(document, "coming"):
        names = cast(Sequence[str], event["models"])
        yield Check(f"coming {event['id']}", _usd(event["usd"]), sum(usd(models[name][0]) for name in names))


def _month(document: Document, sql: Sql) -> Iterator[Check]:
    month = cast(Document, document["month"])
    first = sql.end.replace(day=1, hour=0)
    forecast = cast("Document | None", month["forecast"])
    if forecast is not None:
        so_far = replace(sql, start=first).sums()[0] if first < sql.end else 0
        yield Check("spent this month", _usd(forecast["spent_usd"]), usd(so_far))
    closed = cast("Document | None", month["closed"])
    if closed is not None:
        begin = datetime.fromisoformat(f"{closed['month']}-01T00:00:00+00:00")
        yield Check("closed month", _usd(closed["usd"]), usd(replace(sql, start=begin, end=first).sums()[0]))
    for budget in _list(month, "budgets"):
        whole = replace(sql, start=first, team=None).sums()[0] if first < sql.end else 0
        yield Check("budget spent", _usd(budget["spent_usd"]), usd(whole))


def _page(document: Document, markdown: str) -> Iterator[Check]:
    """What people read is what the document says."""
    spend = cast(Document, document["spend"])
    shown = f"${_usd(spend['now_shown_usd']):,.2f}"
    yield Check(
        "the first sentence", f"Spend was {shown}" in markdown or "Nothing was used" in markdown, True
    )
    table = markdown.partition("## Showback")[2].partition("##")[0]
    told = [_usd(amount.replace(",", "")) for amount in re.findall(r"\| \$([\d,.]+) \|", table)]
    rows = [_usd(row["shown_usd"]) for row in _list(document, "showback")]
    yield Check("the rows of the table add up", sum(told), sum(rows))
    shown_rows = [amount for amount in told if amount in rows]
    yield Check("the rows of the table", len(shown_rows) >= min(len(rows), 15), True)


def _csv(document: Document, csv_text: str) -> Iterator[Check]:
    lines = csv_text.splitlines()
    head = lines[0].split(",")
    rows = _list(document, "showback")
    yield Check("rows of the CSV", len(lines) - 1, len(rows))
    for line, row in zip(lines[1:], rows, strict=True):
        values = dict(zip(head, line.split(","), strict=True))
        yield Check("cost in the CSV", _usd(values["cost_usd"]), _usd(row["usd"]))
        yield Check("tokens in the CSV", int(values["output_tokens"]), row["output_tokens"])


def _list(document: Document, name: str) -> Sequence[Document]:
    return cast(Sequence[Document], document[name])


def _usd(text: object) -> Decimal:
    return Decimal(str(text))
