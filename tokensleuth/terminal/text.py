"""Values of the contract as words for people: money, instants, scopes, and text made safe to print."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias, cast

from ledger.window import HOUR, short_text

Document: TypeAlias = Mapping[str, object]
"""An object of the JSON contract."""

NOTHING = "-"
"""Stands for a field that does not apply."""

_CENT = Decimal("0.01")


def printable(value: object) -> str:
    """One line without control, bidirectional or zero-width characters."""
    return "".join(c if c.isprintable() else " " for c in str(value)).strip()


def printable_lines(value: object) -> list[str]:
    return [printable(line) for line in str(value).splitlines()]


def parts(document: Document, name: str) -> Sequence[Document]:
    """The list of objects under `name`."""
    return cast(Sequence[Document], document[name])


def usd(value: object, *, signed: bool = False) -> str:
    """Dollars rounded to cents; `signed` puts a plus before a gain."""
    if value is None:
        return NOTHING
    amount = Decimal(str(value))
    size = abs(amount).quantize(_CENT)
    shown = f"${size:,}" if size or not amount else "<$0.01"
    if amount < 0:
        return f"-{shown}"
    return f"+{shown}" if signed and amount else shown


def percent(ratio: object) -> str:
    return NOTHING if ratio is None else f"{Decimal(str(ratio)):.0%}"


def instant(value: object) -> str:
    """An instant of the contract to the minute."""
    return short_text(datetime.fromisoformat(str(value)))


def period(document: Document) -> str:
    """`start_at` and `end_at` of an object, the date of the end only where it is another day."""
    start, end = instant(document["start_at"]), instant(document["end_at"])
    same_day = start[:10] == end[:10]
    return f"{start} to {end[11:] if same_day else end} UTC ({hours(document)} h)"


def hours(document: Document) -> int:
    start, end = (datetime.fromisoformat(str(document[name])) for name in ("start_at", "end_at"))
    return round((end - start) / HOUR)


def scope_parts(scope: object) -> list[str]:
    """`team=search`, `key_id=k1`; of everything, `all spend`."""
    return [f"{printable(name)}={printable(value)}" for name, value in _items(scope)] or ["all spend"]


def scope_text(scope: object) -> str:
    return ", ".join(scope_parts(scope))


def target_parts(target: object) -> list[str]:
    """The scope an action works on, and the gateway that executes it."""
    scope = {name: value for name, value in _items(target) if name != "gateway"}
    gateway = printable(cast(Document, target)["gateway"])
    return [*scope_parts(scope), *([f"by {gateway}"] if gateway != "none" else [])]


def _items(values: object) -> Iterable[tuple[str, object]]:
    return cast(Document, values).items()


def words(identifier: object) -> str:
    """`retry_storm` as `retry storm`."""
    return printable(identifier).replace("_", " ")


def cause_text(document: Document) -> str:
    """The cause, with the verdict where the cause alone does not tell it."""
    benign = document.get("verdict") == "benign" and document["cause"] != "normal_variation"
    return words(document["cause"]) + (" (benign)" if benign else "")


def counted(number: int, singular: str) -> str:
    """`1 spike`, `1,204 spikes`."""
    return f"{number:,} {singular}{'' if number == 1 else 's'}"
