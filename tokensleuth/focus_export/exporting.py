"""One export from ledger to file: written aside, read back and checked, compared, put in place."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from ledger.catalogue import bind
from ledger.errors import RefusedError
from ledger.prices.overrides import ModelAlias
from ledger.reader import Reader
from ledger.scope import EVERYTHING
from ledger.usage import Measures
from ledger.window import Window
from tokensleuth.clock import utc_now
from tokensleuth.focus_export.checker import check_file
from tokensleuth.focus_export.conformance import CONFORMANCE_FILE, LedgerSide, conformance
from tokensleuth.focus_export.listing import register_list_rates
from tokensleuth.focus_export.rows import ExportRequest, rows_query
from tokensleuth.focus_export.writer import aside, file_kind, streaming_cursor, write_with_progress
from tokensleuth.output import ProgressBar


def refuse_overwriting(target: Path) -> None:
    """Raises RefusedError where the file or the conformance file beside it is there already."""
    for path in (target, target.with_name(CONFORMANCE_FILE)):
        if path.exists():
            raise RefusedError(f"{path} is there already; pass --force to replace it, or name another folder")


def export_file(
    reader: Reader,
    request: ExportRequest,
    target: Path,
    *,
    aliases: Sequence[ModelAlias] = (),
    progress: ProgressBar,
) -> dict[str, object]:
    """Returns the conformance document, which is also written beside `target`."""
    kind = file_kind(target)
    if not target.parent.is_dir():
        raise RefusedError(f"there is no folder {target.parent} to write {target.name} to")
    note = target.with_name(CONFORMANCE_FILE)
    with streaming_cursor(reader) as cursor, aside(target) as part, aside(note) as note_part:
        if request.list_prices:
            register_list_rates(cursor, reader, request.window, aliases)
        write_with_progress(cursor, rows_query(request), part, kind, progress)
        progress.update(1, 2, "checking the file")
        checked = check_file(cursor, part, kind, request.version)
        side = ledger_side(reader, request.window)
        document = conformance(request, target.name, checked, side, written_at=utc_now())
        note_part.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
        part.replace(target)
        note_part.replace(note)
    return document


def ledger_side(reader: Reader, window: Window) -> LedgerSide:
    """What the ledger holds of the window, asked apart from the export's own query."""
    usage = reader.totals([window]).get(EVERYTHING, Measures())
    charges = bind("focus_charges", windows=[window])
    sums = f"from ({charges.sql}) select count(*), sum(billed_cost), sum(effective_cost)"
    row = reader.engine.rows(sums, charges.parameters)[0]
    number, billed, effective = (int(cast(int, value or 0)) for value in row)
    return LedgerSide(usage, number, billed, effective, _paid_before(reader, window))


def _paid_before(reader: Reader, window: Window) -> int:
    """What usage cost and no invoice asks for: credits and commitments paid for it."""
    funding = bind("focus_funding", windows=[window])
    _, billed, effective = reader.engine.rows(funding.sql, funding.parameters)[0]
    return int(cast(int, effective or 0)) - int(cast(int, billed or 0))
