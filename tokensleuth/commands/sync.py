"""`tokensleuth sync`: what providers and gateways report, pulled into the ledger."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import RenderableType

from ledger.ingest.result import IngestResult, added
from ledger.window import instant_text, short_text
from tokensleuth.app import App
from tokensleuth.clock import utc_now
from tokensleuth.commands.ingest import price_warnings
from tokensleuth.connectors.choosing import chosen, configured_sources
from tokensleuth.connectors.patience import Patience
from tokensleuth.connectors.settings import SourceSettings
from tokensleuth.connectors.syncing import StreamOutcome
from tokensleuth.output import ExitCode, Outcome, ProgressBar
from tokensleuth.pulling import Pull, into_ledger, pull_sources
from tokensleuth.terminal import ingest_block, plain_table


def run(
    app: App,
    *,
    source: str | None,
    since: datetime | None,
    progress: ProgressBar,
    now: datetime | None = None,
    patience: Patience | None = None,
) -> Outcome:
    """Pull every source; one that cannot be reached does not keep the others out."""
    sources = chosen(configured_sources(app.settings.source, app.settings.gateways), source)
    into = into_ledger(app)
    pull = Pull(now or utc_now(), since=since, patience=patience)
    outcomes = pull_sources(sources, into, pull, progress.update)
    with app.ledger(create=True) as ledger:
        warnings = [*_told_twice(sources), *price_warnings(ledger, into.book)]
    return _outcome(outcomes, warnings)


def _told_twice(sources: Sequence[SourceSettings]) -> list[str]:
    """A gateway's requests are also in the reports of the providers it calls."""
    if not any(source.kind == "litellm" for source in sources):
        return []
    return [
        f"{source.called}: what goes through LiteLLM counts twice unless except_keys names its keys"
        for source in sources
        if source.kind != "litellm" and not source.except_keys
    ]


def _outcome(outcomes: Sequence[StreamOutcome], warnings: Sequence[str]) -> Outcome:
    total = added([*(o.result for o in outcomes), IngestResult(warnings=tuple(warnings))])
    document = {"items": [_item(o) for o in outcomes], **total.as_json()}
    return Outcome(document, _shown(outcomes, document), _exit_code(outcomes, total))


def _item(outcome: StreamOutcome) -> dict[str, object]:
    window, result = outcome.window, outcome.result
    return {
        "source": outcome.source,
        "stream": outcome.stream or None,
        "range": window.as_json() if window else None,
        "complete_until": instant_text(outcome.complete_until) if outcome.complete_until else None,
        "read": result.read,
        "new": result.new,
        "duplicate": result.duplicate,
        "restated": result.restated,
        "rejected": result.rejected,
        "cost_lines": outcome.cost_lines,
        "error": outcome.error,
    }


def _shown(outcomes: Sequence[StreamOutcome], document: dict[str, object]) -> list[RenderableType]:
    header = ("source", "stream", "new", "duplicate", "restated", "rejected", "costs", "complete until")
    rows = [
        (
            o.source,
            o.stream or "-",
            f"{o.result.new:,}",
            f"{o.result.duplicate:,}",
            f"{o.result.restated:,}",
            f"{o.result.rejected:,}",
            f"{o.cost_lines:,}",
            short_text(o.complete_until) if o.complete_until else "-",
        )
        for o in outcomes
    ]
    failed = [f"{o.source} {o.stream}".rstrip() + f": {o.error}" for o in outcomes if o.error]
    return [plain_table(header, rows), ingest_block(document), *(f"failed: {text}" for text in failed)]


def _exit_code(outcomes: Sequence[StreamOutcome], total: IngestResult) -> ExitCode:
    failed = [o for o in outcomes if o.error]
    if failed and len(failed) == len(outcomes):
        return ExitCode.UNREACHABLE
    return ExitCode.PART if failed or total.rejected else ExitCode.DONE
