"""Exports on the command line: options and help; the module that writes is imported when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tokensleuth.execution import execute
from tokensleuth.options import CasebookOption, ConfigOption, JsonFlag, LedgerOption, RangeArgument

if TYPE_CHECKING:
    from tokensleuth.app import App
    from tokensleuth.output import Outcome, ProgressBar

export = typer.Typer(no_args_is_help=True, help="Write what the ledger holds for other programs.")


@export.callback()
def _group() -> None:
    """Keep `focus` a command of its own: a group of one would be called without its name."""


@export.command("focus")
def focus(
    time_range: RangeArgument,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="FILE", help="Ends in .csv, .csv.gz or .parquet."),
    ],
    version: Annotated[Literal["1.4", "1.2"], typer.Option("--version", help="Of FOCUS.")] = "1.4",
    billing_account: Annotated[
        str, typer.Option("--billing-account", metavar="ID", help="BillingAccountId of every row.")
    ] = "UNALLOCATED",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Write a FOCUS bill: a row for each token class, key, model and hour; checked as it is written."""

    def command(configured: "App", progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.export import run

        return run(
            configured,
            time_range,
            output,
            version=version,
            billing_account=billing_account,
            force=force,
            progress=progress,
        )

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def add_commands(app: typer.Typer) -> None:
    app.add_typer(export, name="export")
