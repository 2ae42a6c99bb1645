"""What `serve` does by itself, on the command line; options and help."""

from typing import TYPE_CHECKING

import typer

from tokensleuth.execution import execute
from tokensleuth.options import CasebookOption, ConfigOption, JsonFlag, LedgerOption

if TYPE_CHECKING:
    from tokensleuth.app import App
    from tokensleuth.output import Outcome, ProgressBar


def schedule(
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Show what `serve` does by itself: when each duty last ran, what came of it, and open notices."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.schedule import run

        return run(configured)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def add_commands(app: typer.Typer) -> None:
    """Add it to the command line."""
    app.command()(schedule)
