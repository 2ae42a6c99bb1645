"""The data channel: everything that outsiders could have written reaches the model through here, and only so.

A block is JSON in ASCII between tags that its content cannot contain, because `<`, `>` and `&` are escaped.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from pydantic import JsonValue

from agent.evidence import Evidence, StoredRow

MAX_TEXT = 160
"""Characters of one value; names beyond it are cut and cannot be acted on."""
MAX_BLOCK = 9_000
"""Characters of one block; what is beyond is counted, never silently cut."""

Value = Decimal | int | float | str | Mapping[str, str] | None


def label(position: int) -> str:
    """The short name under which the model sees a piece of evidence."""
    return f"E{position + 1}"


def evidence_block(name: str, evidence: Evidence, *, most: int = MAX_BLOCK) -> str:
    """One answer of a tool: what was asked, named numbers, rows in columns with their number first."""
    asked = {k: v for k, v in evidence.arguments.items() if k != "window"}
    content: dict[str, JsonValue] = {
        "window": str(evidence.window),
        "asked": plain(asked),
        "facts": {k: plain(v) for k, v in evidence.facts.items()},
    }
    if evidence.baseline:
        content["compared_with_earlier_windows"] = len(evidence.baseline)
    head = f'id="{name}" tool="{evidence.tool}" status="{evidence.status}"'
    return data_block(head, content | _rows(evidence.rows, most - len(json.dumps(content))))


def data_block(head: str, content: JsonValue) -> str:
    """Content of any kind, marked as data; `head` is ours."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=True)
    for character, written in (("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e")):
        text = text.replace(character, written)
    return f"<data {head}>\n{text}\n</data>"


def plain(value: object) -> JsonValue:
    """A value as JSON, long texts cut with the number of characters that are left out."""
    match value:
        case str():
            cut = len(value) - MAX_TEXT
            return value if cut <= 0 else f"{value[:MAX_TEXT]}...(+{cut} characters)"
        case bool() | int() | None:
            return value
        case Decimal() | float():
            return _rounded(float(value))
        case Mapping():
            return {str(k): plain(v) for k, v in value.items()}
        case _ if isinstance(value, Iterable):
            return [plain(v) for v in value]
        case _:
            raise TypeError(f"{type(value).__name__} has no place in the data channel")


def _rounded(value: float) -> JsonValue:
    short = round(value, 2) if abs(value) >= 100 else float(f"{value:.4g}")
    return int(short) if short == int(short) else short


def _rows(rows: Sequence[StoredRow], room: int) -> dict[str, JsonValue]:
    """The rows as lists under common columns, as many as there is room for."""
    if not rows:
        return {"rows": 0}
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines: list[JsonValue] = []
    for i, row in enumerate(rows):
        line: list[JsonValue] = [i, *(plain(row.get(name)) for name in columns)]
        room -= len(json.dumps(line)) + 1
        if room < 0 and lines:
            break
        lines.append(line)
    told: dict[str, JsonValue] = {"columns": ["row", *columns], "rows": lines}
    if len(lines) < len(rows):
        told["rows_left_out"] = len(rows) - len(lines)
    return told
