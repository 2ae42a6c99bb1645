"""The command line: options and help only; each command's module is imported when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tokensleuth import (
    cli_acts,
    cli_billing,
    cli_budgets,
    cli_digest,
    cli_export,
    cli_reconcile,
    cli_retention,
    cli_schedule,
    cli_sync,
    cli_tuning,
)
from tokensleuth.execution import execute
from tokensleuth.options import (
    AllFlag,
    CasebookOption,
    ConfigOption,
    JsonFlag,
    LedgerOption,
    OptionalRangeArgument,
    RangeArgument,
    ReasonOption,
    WhereOption,
)

if TYPE_CHECKING:
    from tokensleuth.app import App
    from tokensleuth.output import Outcome, ProgressBar

IngestFormat = Literal["usage", "focus", "litellm", "bedrock", "otlp"]
ShownState = Literal[
    "pending", "approved", "executing", "done", "failed", "unknown", "blocked",
    "rejected", "expired", "superseded", "all",
]  # fmt: skip

app = typer.Typer(
    name="tokensleuth",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"tokensleuth {version('tokensleuth')}")
        raise typer.Exit


@app.callback()
def tokensleuth(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Finds spikes in LLM token spend, names the cause to the cent, and proposes what to do about it."""


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders of files.")],
    source_format: Annotated[IngestFormat, typer.Option("--format", help="What the files hold.")] = "usage",
    strict: Annotated[bool, typer.Option("--strict", help="Refuse a file that has a wrong row.")] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(
            "--rejects",
            metavar="FILE",
            help="Write all rejected rows here, for repair; of several files, FILE-NAME each.",
        ),
    ] = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Load usage files into the ledger; loading the same rows twice changes nothing."""

    def command(configured: "App", progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.ingest import run

        if source_format == "otlp":
            from tokensleuth.commands.ingest_otlp import run_files

            return run_files(configured, paths, strict=strict, rejects=rejects, progress=progress)
        return run(
            configured, paths, source_format=source_format, strict=strict, rejects=rejects, progress=progress
        )

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@app.command()
def detect(
    time_range: OptionalRangeArgument = None,
    scores: Annotated[
        bool, typer.Option("--scores", help="With --json: the score of every hour of every series.")
    ] = False,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="The last 72 h by the model that `refit` kept: fast enough for every hour."
        ),
    ] = False,
    everything: AllFlag = False,
    where: WhereOption = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Find spikes and incidents in a range, by default the last 7 days of usage; saves nothing."""

    def command(configured: "App", progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.detect import run, run_live

        if live:
            return run_live(configured, everything=everything, given=(time_range, where or [], scores))
        return run(
            configured,
            time_range,
            where=where or [],
            with_scores=scores,
            everything=everything,
            progress=progress,
        )

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@app.command()
def refit(
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Learn what `detect --live` judges by, from the 60 days before the last midnight; run it every night."""

    def command(configured: "App", progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.refit import run

        return run(configured, progress=progress)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@app.command()
def investigate(
    time_range: RangeArgument,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Skip detection: explain the range against the 4 weeks before it."),
    ] = False,
    chart: Annotated[
        Path | None, typer.Option("--chart", metavar="DIR", help="Write a PNG chart of each incident here.")
    ] = None,
    post: Annotated[
        bool, typer.Option("--post", help="Tell Slack of what is found; the service sends it.")
    ] = False,
    everything: AllFlag = False,
    where: WhereOption = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Find the incidents of a range and explain each: cause, culprits, effects to the cent, proposals."""

    def command(configured: "App", progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.investigate import run

        return run(
            configured,
            time_range,
            where=where or [],
            explain=explain,
            chart_folder=chart,
            everything=everything,
            post=post,
            progress=progress,
        )

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@app.command()
def incidents(
    time_range: Annotated[
        str | None, typer.Argument(metavar="[RANGE]", help="Only incidents that touch it.")
    ] = None,
    where: WhereOption = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """List the incidents investigated so far."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.casebook import list_incidents

        return list_incidents(configured, time_range, where=where or [])

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@app.command()
def proposals(
    state: Annotated[ShownState, typer.Option("--state", help="Which proposals.")] = "pending",
    where: WhereOption = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """List what was proposed and waits for a person's decision."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.casebook import list_proposals

        return list_proposals(configured, None if state == "all" else state, where=where or [])

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@app.command()
def evidence(
    evidence_id: Annotated[str, typer.Argument(metavar="ID", help="As in a report, e.g. ev_0a1b2c3d4e5f.")],
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Show the stored answer a number in a report came from."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.casebook import show_evidence

        return show_evidence(configured, evidence_id)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@app.command("accept-baseline")
def accept_baseline(
    scope: Annotated[
        str | None,
        typer.Argument(metavar="[SCOPE]", help="As it is printed, e.g. team=search,key_id=k1; or all."),
    ] = None,
    from_at: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="INSTANT",
            help="The hour of the change; default the start of its open incident, else of the last 24 h.",
        ),
    ] = None,
    reason: ReasonOption = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the scope's latest baseline back.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show all of them, of SCOPE if given.")] = False,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Call the present level of a scope normal: it is no incident any more, further growth is a new one."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.baselines import run

        return run(configured, scope, from_at=from_at, reason=reason, undone=undo, listed=listed)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@app.command()
def playbooks(
    check: Annotated[
        Path | None, typer.Option("--check", metavar="FILE", help="Only say whether this file is right.")
    ] = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """List the playbooks in force, shipped and your own, or check one file."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.playbooks import run

        return run(configured, check=check)

    execute(command, json=json, config=config, ledger=None, casebook=None)


@app.command()
def reprice(
    apply: Annotated[bool, typer.Option("--apply", help="Write it; without this nothing changes.")] = False,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Show what stored usage costs by the prices, aliases and overrides in force now; --apply re-costs it."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.reprice import run

        return run(configured, apply=apply)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@app.command()
def demo(
    folder: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Where its files go; default a new temporary folder."),
    ] = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Run the whole job on a small made-up organisation with three incidents."""

    def command(configured: "App", progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.demo import run

        return run(configured, folder=folder, progress=progress)

    execute(command, json=json, config=config, ledger=None, casebook=None)


@app.command()
def doctor(
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Check settings, stores, freshness, ownership and prices."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.doctor import run

        return run(configured)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


for _topic in (
    cli_acts,
    cli_sync,
    cli_schedule,
    cli_budgets,
    cli_digest,
    cli_billing,
    cli_reconcile,
    cli_tuning,
    cli_export,
    cli_retention,
):
    _topic.add_commands(app)
