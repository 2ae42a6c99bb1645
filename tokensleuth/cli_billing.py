"""All billing on the command line: options and help."""

from typing import TYPE_CHECKING

import typer

from tokensleuth.execution import execute
from tokensleuth.options import CasebookOption, ConfigOption, JsonFlag, LedgerOption, OptionalRangeArgument

if TYPE_CHECKING:
    from tokensleuth.app import App
    from tokensleuth.output import Outcome, ProgressBar


def billing(
    time_range: OptionalRangeArgument = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Show what was billed by kind: tokens, credits, seats, commitments; by default this month so far."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.billing import run

        return run(configured, time_range)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def add_commands(app: typer.Typer) -> None:
    """Add it to the command line."""
    app.command()(billing)
