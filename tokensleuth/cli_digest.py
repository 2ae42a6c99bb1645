"""The weekly digest on the command line: options and help; what makes it is imported when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tokensleuth.execution import execute
from tokensleuth.options import CasebookOption, ConfigOption, JsonFlag, LedgerOption

if TYPE_CHECKING:
    from tokensleuth.app import App
    from tokensleuth.output import Outcome, ProgressBar


def digest(
    week: Annotated[
        str | None,
        typer.Option(
            "--week", metavar="WEEK", help="An ISO week such as 2026-W46; by default the last over."
        ),
    ] = None,
    team: Annotated[
        str | None, typer.Option("--team", metavar="NAME", help="Of one team instead of the organisation.")
    ] = None,
    form: Annotated[
        Literal["markdown", "html", "slack"] | None,
        typer.Option("--format", help="By default what the name of the file says, else markdown."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Instead of the terminal; html and slack need one."
        ),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the showback with every digit.")
    ] = None,
    charts: Annotated[
        Path | None, typer.Option("--charts", metavar="FOLDER", help="Write the charts as PNG files.")
    ] = None,
    post: Annotated[
        bool, typer.Option("--post", help="Keep it and tell Slack, once for each week and audience.")
    ] = False,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Show the week on a page: spend and why it changed, incidents, decisions, forecast, showback."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.digest import Wanted, run

        return run(configured, Wanted(week, team, form, output, csv, charts, post))

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def add_commands(app: typer.Typer) -> None:
    """Add it to the command line."""
    app.command()(digest)
