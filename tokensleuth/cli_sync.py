"""`sync` on the command line: its options and help."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokensleuth.execution import execute
from tokensleuth.options import CasebookOption, ConfigOption, JsonFlag, LedgerOption

if TYPE_CHECKING:
    from tokensleuth.app import App
    from tokensleuth.output import Outcome, ProgressBar


def sync(
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="Only this one of the settings' sources.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="INSTANT", help="Reach further back, such as to 2026-01-01T00:00Z."),
    ] = None,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Pull usage and costs from providers and gateways; pulling twice changes nothing."""

    def command(configured: "App", progress: "ProgressBar") -> "Outcome":
        from ledger.window import parse_instant
        from tokensleuth.commands.sync import run

        since_at = None if since is None else parse_instant(since)
        return run(configured, source=source, since=since_at, progress=progress)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def add_commands(app: typer.Typer) -> None:
    """Add it to the command line."""
    app.command()(sync)
