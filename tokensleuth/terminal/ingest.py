"""The result of loading files: counts, the first rejected rows, warnings."""

from collections.abc import Iterator
from typing import cast

from rich.console import Group, RenderableType
from rich.text import Text

from tokensleuth.terminal.text import Document, parts, printable

MAX_SHOWN = 10
_COUNTS = ("new", "duplicate", "restated", "rejected")


def ingest_block(result: Document, *, max_errors: int = MAX_SHOWN) -> RenderableType:
    """The document of `ingest --json` for people."""
    errors = parts(result, "errors")
    lines = [_counts(result), *(_error(error) for error in errors[:max_errors])]
    rejected = cast(int, result["rejected"])
    unseen = max(rejected, len(errors)) - min(len(errors), max_errors)
    if unseen > 0:
        lines.append(Text(f"  and {unseen:,} more; --rejects FILE writes them all", style="red"))
    return Group(*lines, *_warnings(result))


def _counts(result: Document) -> Text:
    """`1,000 rows read: 940 new, 50 duplicate, 8 restated, 2 rejected`."""
    text = Text.assemble((f"{result['read']:,} rows read", "bold"), ": ")
    for name in _COUNTS:
        number = cast(int, result[name])
        style = "red" if name == "rejected" and number else "green" if name == "new" and number else ""
        text.append(f"{number:,} {name}", style)
        text.append("" if name == _COUNTS[-1] else ", ")
    if charges := cast(int, result.get("charges", 0)):
        text.append(f"; {charges:,} of them charges that are no token usage, kept apart")
    return text


def _error(error: Document) -> Text:
    """`usage.csv:17 output_tokens '-5': must be an integer >= 0`; parts that do not apply are left out."""
    line, column, value = error["line"], error["column"], error["value"]
    place = printable(error["file"]) + (f":{line}" if line is not None else "")
    what = f" {printable(column)}" if column is not None else ""
    found = f" '{printable(value)}'" if value is not None else ""
    return Text.assemble(("  " + place, "red"), what, found, f": {printable(error['reason'])}")


def _warnings(result: Document) -> Iterator[Text]:
    for warning in cast(list[str], result["warnings"]):
        yield Text(f"  warning: {printable(warning)}", style="yellow")
