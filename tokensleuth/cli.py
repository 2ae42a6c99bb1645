"""The command line: options and help only; each command's module is imported when it runs."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from tokensleuth.app import App
    from tokensleuth.output import Outcome, ProgressBar

app = typer.Typer(
    name="tokensleuth",
    help="Finds spikes in LLM token spend, names the cause to the cent, and proposes what to do about it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document on stdout instead of tables.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings; default ./tokensleuth.toml if it exists."),
]
LedgerOption = Annotated[
    Path | None,
    typer.Option("--ledger", metavar="PATH", help="The ledger file instead of the settings' one."),
]
CasebookOption = Annotated[
    str | None,
    typer.Option("--casebook", metavar="URL", help="The casebook instead of the one beside the ledger."),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="DIM=VALUE", help="Only this scope, e.g. team=search; may be repeated."),
]
RangeArgument = Annotated[
    str,
    typer.Argument(
        metavar="RANGE",
        help="2026-11-01..2026-11-07 (both days included), 2026-11-01T00:00Z..2026-11-02T06:00Z, "
        "last-24h or last-7d.",
    ),
]


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders of files.")],
    source_format: Annotated[
        Literal["usage", "focus", "litellm"], typer.Option("--format", help="What the files hold.")
    ] = "usage",
    strict: Annotated[bool, typer.Option("--strict", help="Refuse a file that has a wrong row.")] = False,
    rejects: Annotated[
        Path | None,
        typer.Option("--rejects", metavar="FILE", help="Write all rejected rows here, for repair."),
    ] = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Load usage files into the ledger; loading the same rows twice changes nothing."""

    def command(configured: "App", progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.ingest import run

        return run(
            configured, paths, source_format=source_format, strict=strict, rejects=rejects, progress=progress
        )

    _execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@app.command()
def detect(
    time_range: RangeArgument,
    scores: Annotated[
        bool, typer.Option("--scores", help="With --json: the score of every hour of every series.")
    ] = False,
    where: WhereOption = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Find spikes and incidents in a range; saves nothing."""

    def command(configured: "App", progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.detect import run

        return run(configured, time_range, where=where or [], with_scores=scores, progress=progress)

    _execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


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
            configured, time_range, where=where or [], explain=explain, chart_folder=chart, progress=progress
        )

    _execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


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

    _execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


@app.command()
def proposals(
    state: Annotated[
        Literal["pending", "expired", "superseded", "all"], typer.Option("--state", help="Which proposals.")
    ] = "pending",
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

    _execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


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

    _execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


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

    _execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


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

    _execute(command, json=json, config=config, ledger=None, casebook=None)


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

    _execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def _execute(
    command: Callable[["App", "ProgressBar"], "Outcome"],
    *,
    json: bool,
    config: Path | None,
    ledger: Path | None,
    casebook: str | None,
) -> None:
    """Configure, run, print, and exit with the outcome's code; expected errors become one line."""
    from ledger.errors import TokensleuthError, UnreachableError
    from tokensleuth.app import App, Overrides
    from tokensleuth.output import ExitCode, print_error, print_outcome, progress_bar

    try:
        with progress_bar() as progress:
            outcome = command(App.configured(Overrides(config, ledger, casebook)), progress)
    except TokensleuthError as error:
        print_error(str(error), as_json=json)
        code = ExitCode.UNREACHABLE if isinstance(error, UnreachableError) else ExitCode.REFUSED
        raise typer.Exit(int(code)) from None
    print_outcome(outcome, as_json=json)
    raise typer.Exit(int(outcome.exit_code))
