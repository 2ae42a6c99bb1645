"""Told rows through the ledger's own door, as a file: identity and restatement hold as ever.

Usage goes as JSON lines, rows of a bill as a FOCUS table.
"""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ledger.errors import RefusedError
from ledger.ingest.load import LoadOptions
from ledger.ingest.result import IngestResult, RowError, limited
from ledger.ingest.scopes import Attribution
from ledger.prices.book import PriceBook
from ledger.sources.told import Wrong
from ledger.store import Ledger
from tokensleuth.connectors.port import Line

_OF_SYNC = ("started_at", "record_id")
"""Where a row of a bill came from; a bill has columns of its own for it."""


def load_lines(
    ledger: Ledger,
    lines: Sequence[Line],
    path: Path,
    options: LoadOptions,
    *,
    attribution: Attribution,
    book: PriceBook,
) -> IngestResult:
    """The result; a rejected row is told by where it stood at its source. The file is gone afterwards."""
    if not lines:
        return IngestResult()
    bill = options.format == "focus"
    path = path.with_suffix(".csv") if bill else path
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        (_write_bill if bill else _write_lines)(lines, path)
        result = ledger.load(path, options, attribution=attribution, book=book)
    except RefusedError as error:
        raise RefusedError(str(error).replace(str(path), path.stem)) from None
    finally:
        path.unlink(missing_ok=True)
    header = 1 if bill else 0
    return replace(result, errors=tuple(_placed(error, lines, header) for error in result.errors))


def rejected_result(wrong: Iterable[Wrong]) -> IngestResult:
    """What the source told and cannot be taken."""
    errors = [RowError(w.place, None, w.column, w.value, w.reason) for w in wrong]
    return IngestResult(read=len(errors), rejected=len(errors), errors=limited(errors))


def _write_lines(lines: Sequence[Line], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(line.row)}\n" for line in lines)


def _write_bill(lines: Sequence[Line], path: Path) -> None:
    """The columns of all rows, less those that only `sync` needs."""
    rows = [line.row for line in lines if isinstance(line.row, dict)]
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in _OF_SYNC]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def _placed(error: RowError, lines: Sequence[Line], header: int) -> RowError:
    number = 0 if error.line is None else error.line - header
    if not 0 < number <= len(lines):
        return error
    return replace(error, file=lines[number - 1].place, line=None)
