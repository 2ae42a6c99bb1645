"""`tokensleuth export focus`: a range of the ledger as a FOCUS file."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from rich.console import RenderableType
from rich.text import Text

from tokensleuth.app import App
from tokensleuth.clock import seconds_since, stopwatch, utc_now
from tokensleuth.focus_export.columns import FocusVersion
from tokensleuth.focus_export.conformance import CONFORMANCE_FILE
from tokensleuth.focus_export.exporting import export_file, refuse_overwriting
from tokensleuth.focus_export.rows import ExportRequest
from tokensleuth.focus_export.writer import file_kind
from tokensleuth.output import ExitCode, Outcome, ProgressBar
from tokensleuth.ranges import asked_range
from tokensleuth.terminal.text import printable


def run(
    app: App,
    time_range: str,
    target: Path,
    *,
    version: FocusVersion,
    billing_account: str,
    force: bool,
    progress: ProgressBar,
) -> Outcome:
    """A file that fails its check is kept for a look, and the exit code is 1."""
    file_kind(target)
    if not force:
        refuse_overwriting(target)
    started = stopwatch()
    with app.reading_ledger() as ledger:
        request = ExportRequest(
            window=asked_range(ledger.reader, time_range, now=utc_now()),
            version=version,
            billing_account=billing_account,
            tags=app.settings.focus_tags.model_dump(),
            list_prices=bool(app.settings.price_override),
        )
        document = export_file(
            ledger.reader, request, target, aliases=app.settings.model_alias, progress=progress
        )
    document["seconds"] = round(seconds_since(started), 2)
    failed = document["result"] == "failed"
    return Outcome(document, _shown(document), ExitCode.PART if failed else ExitCode.DONE)


def _shown(document: Mapping[str, object]) -> list[RenderableType]:
    rows = cast("Mapping[str, int]", document["rows"])
    totals = cast("Mapping[str, object]", document["totals"])
    waivers = cast("list[Mapping[str, object]]", document["waivers"])
    summary = f"{rows['total']:,} rows, EffectiveCost {totals.get('EffectiveCost', 'unknown')} USD"
    lines = [
        f"{document['file']}: FOCUS {document['focus_version']}, {summary}",
        f"checked: {str(document['result']).replace('_', ' ')}",
        *(f"  fault: {fault}" for fault in cast("list[str]", document["failures"])),
        *(f"  waived: {w['rule']}, {w['rows']:,} rows: {w['reason']}" for w in waivers),
        f"what it claims and what it does not keep: {CONFORMANCE_FILE} beside it",
    ]
    return [Text(printable(line)) for line in lines]
