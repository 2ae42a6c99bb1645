"""`tokensleuth demo`: the whole job on a made-up organisation, in a folder of its own."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from tempfile import mkdtemp

from rich.console import RenderableType
from rich.rule import Rule
from rich.text import Text

from ledger.catalogue import utc_naive
from ledger.ingest.load import LoadOptions
from ledger.ingest.result import IngestResult, added
from ledger.scope import EVERYTHING
from ledger.synthetic.demo import DEMO_RANGE, write_demo
from ledger.window import HOUR
from tokensleuth.app import App
from tokensleuth.clock import seconds_since, stopwatch, utc_now
from tokensleuth.commands.ingest import load_files
from tokensleuth.commands.investigate import chart_paths, shown_incident, write_charts
from tokensleuth.investigation import InvestigatedRange, investigate_range
from tokensleuth.output import Outcome, ProgressBar
from tokensleuth.settings import Store
from tokensleuth.terminal import incident_table, ingest_block
from tokensleuth.terminal.text import usd


def run(app: App, *, folder: Path | None, progress: ProgressBar) -> Outcome:
    """Generate usage, load it, investigate its last week; every file stays in the folder to look at."""
    started, now = stopwatch(), utc_now()
    home = folder or Path(mkdtemp(prefix="tokensleuth-demo-"))
    home.mkdir(parents=True, exist_ok=True)
    demo = App(app.settings.model_copy(update={"store": Store(ledger=home / "ledger.duckdb")}))
    files = write_demo(home / "usage")
    with demo.ledger(create=True) as ledger:
        options = LoadOptions(now=utc_naive(not_before_the_demo(now)))
        loaded = added(
            load_files(demo, ledger, demo.price_book(), files.usage, options=options, progress=progress)
        )
        found = investigate_range(
            demo,
            ledger.reader,
            DEMO_RANGE,
            where=EVERYTHING,
            explain=False,
            now=now,
            progress=progress.update,
        )
    charts = write_charts(found, home / "charts")
    seconds = round(seconds_since(started), 2)
    document = found.as_json() | {
        "ingest": loaded.as_json(),
        "folder": str(home),
        **chart_paths(charts),
        "seconds": seconds,
    }
    return Outcome(document, list(_shown(loaded, found, charts, home, seconds)))


def not_before_the_demo(now: datetime) -> datetime:
    """The demo's dates are fixed: a clock that is behind them must not take its usage for the future."""
    return max(now, DEMO_RANGE.end_at)


def _shown(
    loaded: IngestResult, found: InvestigatedRange, charts: dict[str, Path], home: Path, seconds: float
) -> Iterator[RenderableType]:
    yield Text("5 weeks of LLM usage of a made-up organisation, 8 teams; the last week is investigated.")
    yield ingest_block(loaded.as_json())
    for incident in found.incidents:
        yield Rule(style="dim")
        yield from shown_incident(incident, charts)
    yield Rule("summary", style="dim")
    yield Text()
    documents: list[Mapping[str, object]] = [incident.as_json() for incident in found.incidents]
    yield incident_table(documents)
    change = sum((Decimal(str(d["delta_usd"])) for d in documents), Decimal())
    yield Text(
        f"{found.detected} incidents, {usd(change)} more than expected, "
        f"found and explained in {seconds:.1f} s; nothing was changed anywhere.",
        style="bold",
    )
    yield Text("Look further:", style="bold")
    ledger = home / "ledger.duckdb"
    asked = f"{DEMO_RANGE.start_at.date()}..{(DEMO_RANGE.end_at - HOUR).date()}"
    yield Text(f"  tokensleuth investigate {asked} --ledger {ledger} --json")
    yield Text(f"  tokensleuth proposals --ledger {ledger}")
    yield Text(f"  charts and waterfalls: {home / 'charts'}")
