"""`tokensleuth ingest`: usage files into the ledger."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ledger.catalogue import utc_naive
from ledger.errors import RefusedError
from ledger.ingest.load import LoadOptions
from ledger.ingest.preflight import usage_files
from ledger.ingest.result import IngestResult, RowError, added
from ledger.prices.book import PriceBook
from ledger.sources import SourceFormat
from ledger.store import Ledger
from tokensleuth.app import App
from tokensleuth.clock import utc_now
from tokensleuth.output import ExitCode, Outcome, ProgressBar
from tokensleuth.terminal import ingest_block

MAX_PRICE_WARNINGS = 20


def run(
    app: App,
    paths: Sequence[Path],
    *,
    source_format: SourceFormat,
    strict: bool,
    rejects: Path | None,
    progress: ProgressBar,
) -> Outcome:
    """Load every file; a refused file does not keep the others out."""
    options = LoadOptions(
        now=utc_naive(utc_now()),
        format=source_format,
        strict=strict,
        rejects=rejects,
        focus_tags=app.settings.focus_tags.model_dump(),
    )
    book = app.price_book()
    with app.ledger(create=True) as ledger:
        results = load_files(app, ledger, book, paths, options=options, progress=progress)
        warnings = price_warnings(ledger, book)
    refused = [r for r in results if r.errors and r.errors[0].line is None]
    total = added([*results, IngestResult(warnings=tuple(warnings))])
    return Outcome(total.as_json(), [ingest_block(total.as_json())], _exit_code(results, refused))


def load_files(
    app: App,
    ledger: Ledger,
    book: PriceBook,
    paths: Sequence[Path],
    *,
    options: LoadOptions,
    progress: ProgressBar,
) -> list[IngestResult]:
    """Each file in a transaction of its own; a refused one gives a result that holds only the reason."""
    attribution = app.attribution()
    files = [file for path in paths for file in usage_files(path)]
    results = []
    for done, file in enumerate(files):
        progress.update(done, len(files), f"loading {file.name}")
        try:
            own = replace(options, rejects=rejects_of(file, options.rejects, of_several=len(files) > 1))
            results.append(ledger.load(file, own, attribution=attribution, book=book))
        except RefusedError as error:
            reason = str(error).removeprefix(f"{file}:").strip()
            results.append(IngestResult(errors=(RowError(str(file), None, None, None, reason),)))
    return results


def rejects_of(file: Path, rejects: Path | None, *, of_several: bool) -> Path | None:
    """Where the rejected rows of a file go: of several files each has its own, named after it."""
    if rejects is None or not of_several:
        return rejects
    return rejects.with_name(f"{rejects.stem}-{file.name.split('.')[0]}{rejects.suffix}")


def price_warnings(ledger: Ledger, book: PriceBook) -> list[str]:
    """What counts tokens but no dollars, and where a price may be too low."""
    found = ledger.pricing(book).warnings()
    rest = len(found) - MAX_PRICE_WARNINGS
    return [*found[:MAX_PRICE_WARNINGS], *([f"and {rest} more; see tokensleuth doctor"] if rest > 0 else [])]


def _exit_code(results: Sequence[IngestResult], refused: Sequence[IngestResult]) -> ExitCode:
    if results and len(refused) == len(results):
        return ExitCode.REFUSED
    return ExitCode.PART if refused or any(r.rejected for r in results) else ExitCode.DONE
