"""`tokensleuth ingest --format otlp`: files of OTLP requests, by the road that pushed ones take."""

import csv
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ledger.errors import RefusedError
from ledger.ingest.result import IngestResult, RowError, added, limited
from ledger.sources.otlp_metrics import KnownSeries
from tokensleuth.app import App
from tokensleuth.clock import utc_now
from tokensleuth.commands.ingest import price_warnings, rejects_of
from tokensleuth.connectors.syncing import Into
from tokensleuth.otlp.files import FileReading, otlp_files, read_file
from tokensleuth.otlp.flushing import FlushRules, flush_spool
from tokensleuth.otlp.settings import OtlpSettings
from tokensleuth.otlp.spool import Spool, open_spool, spool_path
from tokensleuth.output import ExitCode, Outcome, ProgressBar
from tokensleuth.pulling import into_ledger
from tokensleuth.terminal import ingest_block


@dataclass(frozen=True, slots=True)
class OtlpIngest:
    """How files are judged."""

    now: datetime
    strict: bool = False
    rejects: Path | None = None


def run_files(
    app: App, paths: Sequence[Path], *, strict: bool, rejects: Path | None, progress: ProgressBar
) -> Outcome:
    """By the settings in force, as of now."""
    rules = OtlpIngest(utc_now(), strict, rejects)
    return run(app, paths, app.settings.otlp, into_ledger(app), rules, progress)


def run(
    app: App,
    paths: Sequence[Path],
    settings: OtlpSettings,
    into: Into,
    rules: OtlpIngest,
    progress: ProgressBar,
) -> Outcome:
    """Store every file in the spool, then load the hours that are over; a refused file keeps no other out."""
    with ExitStack() as stack:
        spool = stack.enter_context(open_spool(spool_path(app.settings.store.ledger), rules.now))
        results = _stored_files(paths, spool, settings, rules, progress)
        loaded = flush_spool(spool, into, rules.now, FlushRules.of(settings))
    if loaded.error:
        raise RefusedError(loaded.error)
    with app.ledger(create=True) as ledger:
        warnings = price_warnings(ledger, into.book)
    total = added([*results, loaded.result, IngestResult(warnings=tuple(warnings))])
    refused = [r for r in results if r.errors and r.errors[0].line is None and not r.read]
    return Outcome(total.as_json(), [ingest_block(total.as_json())], _exit_code(results, refused))


def _stored_files(
    paths: Sequence[Path], spool: Spool, settings: OtlpSettings, rules: OtlpIngest, progress: ProgressBar
) -> list[IngestResult]:
    files = [file for path in paths for file in otlp_files(path)]
    results = []
    for done, file in enumerate(files):
        progress.update(done, len(files), f"reading {file.name}")
        own = replace(rules, rejects=rejects_of(file, rules.rejects, of_several=len(files) > 1))
        try:
            results.append(_stored(file, spool, settings, own))
        except RefusedError as error:
            reason = str(error).removeprefix(f"{file}:").strip()
            results.append(IngestResult(errors=(RowError(str(file), None, None, None, reason),)))
    return results


def _stored(file: Path, spool: Spool, settings: OtlpSettings, rules: OtlpIngest) -> IngestResult:
    """All of a file or none; a request stored before counts as duplicates of its points and spans."""
    found = read_file(file, KnownSeries(settings.naming), int(rules.now.timestamp()) * 10**9)
    if found.rejected and rules.rejects:
        _write_rejects(found, rules.rejects)
    if found.rejected and rules.strict:
        raise RefusedError(f"{file}: {found.rejected:,} wrong rows, first: {found.errors[0]}")
    fresh = spool.receive(found.requests, rules.now)
    known = sum(r.taken for r, is_new in zip(found.requests, fresh, strict=True) if not is_new)
    return IngestResult(
        read=found.rejected + known,
        duplicate=known,
        rejected=found.rejected,
        warnings=tuple(found.warnings),
        errors=limited(found.errors),
    )


def _write_rejects(found: FileReading, path: Path) -> None:
    """Where each stood and why; the requests they came in are in the file itself."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(("file", "line", "column", "value", "reason"))
            rows.writerows((e.file, e.line, e.column, e.value, e.reason) for e in found.errors)
    except OSError as error:
        raise RefusedError(f"{path}: cannot be written: {error.strerror}") from None


def _exit_code(results: Sequence[IngestResult], refused: Sequence[IngestResult]) -> ExitCode:
    if results and len(refused) == len(results):
        return ExitCode.REFUSED
    return ExitCode.PART if refused or any(r.rejected for r in results) else ExitCode.DONE
