"""Computed costs against the bill, on the command line: options and help."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokensleuth.execution import execute
from tokensleuth.options import CasebookOption, ConfigOption, JsonFlag, LedgerOption, OptionalRangeArgument

if TYPE_CHECKING:
    from tokensleuth.app import App
    from tokensleuth.output import Outcome, ProgressBar

SaveFlag = Annotated[
    bool, typer.Option("--save", help="Keep the differences as incidents; by default nothing is saved.")
]
CompletenessFlag = Annotated[
    bool,
    typer.Option("--completeness", help="Show instead how complete each source is, and which stopped."),
]


def reconcile(
    time_range: OptionalRangeArgument = None,
    save: SaveFlag = False,
    completeness: CompletenessFlag = False,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Hold computed costs against what providers bill, by day and model; RANGE is the last 7 days."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.reconcile import run, run_completeness

        settings = configured.settings.reconciliation
        if completeness:
            return run_completeness(configured, settings)
        return run(configured, time_range, save=save, settings=settings)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def add_commands(app: typer.Typer) -> None:
    """Add it to the command line."""
    app.command()(reconcile)
