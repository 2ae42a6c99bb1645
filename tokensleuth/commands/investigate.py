"""`tokensleuth investigate`: the incidents of a range, each explained."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.rule import Rule
from rich.text import Text

from ledger.scope import Scope
from ledger.window import parse_range
from tokensleuth.app import App
from tokensleuth.clock import utc_now
from tokensleuth.investigation import Investigated, InvestigatedRange, investigate_range
from tokensleuth.output import Outcome, ProgressBar
from tokensleuth.terminal import Sparkline, incident_card, minor_line, unpriced_block
from tokensleuth.terminal.text import usd, words
from tokensleuth.timeline import Timeline


def run(
    app: App,
    time_range: str,
    *,
    where: Sequence[str],
    explain: bool,
    chart_folder: Path | None,
    everything: bool,
    progress: ProgressBar,
) -> Outcome:
    """Detect, investigate, save, and draw where asked."""
    now = utc_now()
    window = parse_range(time_range, now=now)
    if chart_folder:
        # First, so that a folder that cannot be made costs nobody the wait for an investigation.
        chart_folder.mkdir(parents=True, exist_ok=True)
    with app.ledger() as ledger:
        found = investigate_range(
            app,
            ledger.reader,
            window,
            where=Scope.parse(where),
            explain=explain,
            now=now,
            progress=progress.update,
        )
    charts = write_charts(found, chart_folder) if chart_folder else {}
    document = found.as_json() | ({"charts": {i: str(p) for i, p in charts.items()}} if charts else {})
    return Outcome(document, list(_shown(found, charts, explain=explain, everything=everything)))


def write_charts(found: InvestigatedRange, folder: Path) -> dict[str, Path]:
    """One PNG per incident, named by its id."""
    # Imported here: the renderer loads an engine that runs without charts need not pay for.
    from tokensleuth.charts import IncidentChart, render_png

    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for incident in found.incidents:
        line, finding = incident.timeline, incident.investigation.finding
        chart = IncidentChart(
            title=f"{words(finding.cause).capitalize()}: {finding.scope}",
            subtitle=f"{finding.window}: {usd(finding.actual_usd)} instead of {usd(finding.expected_usd)}",
            hours=line.hours,
            actual=line.actual.tolist(),
            expected=line.expected.tolist(),
            low=line.low.tolist(),
            high=line.high.tolist(),
            flagged=line.flagged.tolist(),
        )
        written[finding.incident_id] = folder / f"{finding.incident_id}.png"
        written[finding.incident_id].write_bytes(render_png(chart))
    return written


def _shown(
    found: InvestigatedRange, charts: dict[str, Path], *, explain: bool, everything: bool
) -> Iterator[RenderableType]:
    if not found.detected and not explain:
        yield Text(f"No incident in {found.window}. The change against the same hours before:")
    minor = [incident for incident in found.incidents if found.is_minor(incident) and not everything]
    for incident in found.incidents:
        if incident not in minor:
            yield Rule(style="dim")
            yield from shown_incident(incident, charts)
    if minor:
        yield minor_line([incident.as_json() for incident in minor], found.material_usd, "delta_usd")
    yield from unpriced_block(found.as_json(), spikes="unpriced_spikes")


def shown_incident(incident: Investigated, charts: dict[str, Path]) -> Iterator[RenderableType]:
    """The card with the sparkline, and where the chart lies."""
    document = incident.as_json()
    yield incident_card(document, series=_sparkline(incident.timeline))
    if path := charts.get(str(document["id"])):
        yield Text(f"chart: {path}", style="dim")


def _sparkline(line: Timeline) -> Sparkline:
    return Sparkline(
        hours=line.hours,
        actual=line.actual.tolist(),
        expected=line.expected.tolist(),
        flagged=line.flagged.tolist(),
    )
