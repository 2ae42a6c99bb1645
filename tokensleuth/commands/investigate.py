"""`tokensleuth investigate`: the incidents of a range, each explained."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.rule import Rule
from rich.text import Text

from ledger.errors import RefusedError
from ledger.scope import Scope
from ledger.window import parse_range
from tokensleuth.alerts import announce_found
from tokensleuth.app import App
from tokensleuth.authority import local_user, people_of
from tokensleuth.clock import utc_now
from tokensleuth.investigation import Investigated, InvestigatedRange, investigate_range
from tokensleuth.output import Outcome, ProgressBar
from tokensleuth.own_calls import settle_own_calls
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
    post: bool,
    progress: ProgressBar,
) -> Outcome:
    """Detect, investigate, save, and draw and tell where asked."""
    now = utc_now()
    if post and not app.settings.slack.is_configured:
        raise RefusedError("--post needs Slack: set slack.channel, and SLACK_BOT_TOKEN in the environment")
    window = parse_range(time_range, now=now)
    if chart_folder:
        # First, so that a folder that cannot be made costs nobody the wait for an investigation.
        chart_folder.mkdir(parents=True, exist_ok=True)
    with app.ledger() as ledger:
        try:
            found = investigate_range(
                app,
                ledger.reader,
                window,
                where=Scope.parse(where),
                explain=explain,
                now=now,
                progress=progress.update,
                requested_by=people_of(app.settings).person(local_user()),
            )
            if post:
                with app.casebook() as casebook:
                    announce_found(app, casebook, ledger.reader, found, now)
        finally:
            with app.casebook() as casebook:
                settle_own_calls(app, ledger, casebook)
    charts = write_charts(found, chart_folder) if chart_folder else {}
    return Outcome(
        found.as_json() | chart_paths(charts),
        [*_shown(found, charts, explain=explain, everything=everything), *_who_looked(app)],
    )


def write_charts(found: InvestigatedRange, folder: Path) -> dict[str, Path]:
    """Two PNGs per incident, named by its id: its hours, which is returned, and its waterfall beside it."""
    # Imported here: the renderer loads an engine that runs without charts need not pay for.
    from tokensleuth.charts import IncidentChart, render_png
    from tokensleuth.waterfall_chart import finding_waterfall, render_waterfall_png

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
        beside = waterfall_path(written[finding.incident_id])
        beside.write_bytes(render_waterfall_png(finding_waterfall(finding)))
    return written


def waterfall_path(chart: Path) -> Path:
    """Where the waterfall lies of the incident with this chart."""
    return chart.with_name(f"{chart.stem}-waterfall.png")


def chart_paths(charts: Mapping[str, Path]) -> dict[str, object]:
    """The files by incident for the JSON; nothing where none was drawn."""
    if not charts:
        return {}
    return {
        "charts": {i: str(path) for i, path in charts.items()},
        "waterfalls": {i: str(waterfall_path(path)) for i, path in charts.items()},
    }


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


def _who_looked(app: App) -> Iterator[RenderableType]:
    if app.model is None and (model := app.settings.llm.model):
        yield Text(
            f"The model {model} has no key (TOKENSLEUTH_LLM_API_KEY): the rules alone looked.", style="dim"
        )
    elif app.model is None:
        yield Text(
            "No language model is configured ([llm] in the settings): the rules alone looked.", style="dim"
        )


def shown_incident(incident: Investigated, charts: dict[str, Path]) -> Iterator[RenderableType]:
    """The card with the sparkline, and where the charts lie."""
    document = incident.as_json()
    yield incident_card(document, series=_sparkline(incident.timeline))
    if path := charts.get(str(document["id"])):
        yield Text(f"chart: {path}\nwaterfall: {waterfall_path(path)}", style="dim")


def _sparkline(line: Timeline) -> Sparkline:
    return Sparkline(
        hours=line.hours,
        actual=line.actual.tolist(),
        expected=line.expected.tolist(),
        flagged=line.flagged.tolist(),
    )
