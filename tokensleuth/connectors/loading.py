"""Told rows through the ledger's own door, as a file of JSON lines: identity and restatement hold as ever."""

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
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(line.row)}\n" for line in lines)
        result = ledger.load(path, options, attribution=attribution, book=book)
    except RefusedError as error:
        raise RefusedError(str(error).replace(str(path), path.stem)) from None
    finally:
        path.unlink(missing_ok=True)
    return replace(result, errors=tuple(_placed(error, lines) for error in result.errors))


def rejected_result(wrong: Iterable[Wrong]) -> IngestResult:
    """What the source told and cannot be taken."""
    errors = [RowError(w.place, None, w.column, w.value, w.reason) for w in wrong]
    return IngestResult(read=len(errors), rejected=len(errors), errors=limited(errors))


def _placed(error: RowError, lines: Sequence[Line]) -> RowError:
    if error.line is None or not 0 < error.line <= len(lines):
        return error
    return replace(error, file=lines[error.line - 1].place, line=None)
