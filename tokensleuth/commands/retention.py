"""`tokensleuth retention`: deletes what the settings keep no longer, or says what that would be."""

from collections.abc import Mapping

from rich.console import RenderableType

from ledger.compacting import compact, is_worth_compacting
from tokensleuth.app import App
from tokensleuth.clock import utc_now
from tokensleuth.output import Outcome
from tokensleuth.retention.applying import Forgotten, apply, plan
from tokensleuth.retention.settings import RetentionSettings
from tokensleuth.terminal.tables import plain_table


def run(app: App, settings: RetentionSettings, *, dry_run: bool) -> Outcome:
    """One run; where much of the ledger's file is free after it, the disk is given back."""
    with app.ledger() as ledger, app.casebook() as casebook:
        found = (plan if dry_run else apply)(ledger, casebook, settings, utc_now())
    path = app.settings.store.ledger
    freed = 0 if dry_run or not is_worth_compacting(path) else compact(path)
    document = {"dry_run": dry_run, **found.as_json(), "bytes_given_back": freed}
    return Outcome(document, _shown(found, document))


def _shown(found: Forgotten, document: Mapping[str, object]) -> list[RenderableType]:
    rows = [("ledger", name, f"{n:,}") for name, n in found.ledger.items()]
    rows += [("casebook", name, f"{n:,}") for name, n in found.casebook.items()]
    if not rows:
        return ["Nothing is older than the settings keep."]
    told = "would be deleted" if document["dry_run"] else "deleted, and noted in the audit trail"
    freed = document["bytes_given_back"]
    return [
        plain_table(("store", "table", "rows"), rows),
        f"{found.rows:,} rows {told}." + (f" {freed:,} bytes of disk given back." if freed else ""),
    ]
