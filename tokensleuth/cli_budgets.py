"""Where the month will end, on the command line: forecast and budgets; options and help."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokensleuth.execution import execute
from tokensleuth.options import CasebookOption, ConfigOption, JsonFlag, LedgerOption, WhereOption

if TYPE_CHECKING:
    from tokensleuth.app import App
    from tokensleuth.output import Outcome, ProgressBar

AtOption = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="INSTANT", help="As it was known then, e.g. 2026-11-10T00:00Z; by default now."
    ),
]


def forecast(
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="DIM", help="Each team, key_id, model, ...; may be repeated."),
    ] = None,
    where: WhereOption = None,
    at: AtOption = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Forecast this month's spend with an 80 % interval, of all or of each team, key or model."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.budgets import run_forecast

        return run_forecast(configured, by=by or [], where=where or [], at=at)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def budgets(
    at: AtOption = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Show how the budgets of the settings stand, and the day each will be crossed."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.budgets import run_budgets

        return run_budgets(configured, configured.settings.budget, at=at)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def add_commands(app: typer.Typer) -> None:
    """Add them to the command line."""
    for command in (forecast, budgets):
        app.command()(command)
