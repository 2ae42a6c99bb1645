"""What is kept and who is named, on the command line: retention and pseudonyms; options and help."""

from typing import TYPE_CHECKING, Annotated

import typer

from tokensleuth.execution import execute
from tokensleuth.options import CasebookOption, ConfigOption, JsonFlag, LedgerOption

if TYPE_CHECKING:
    from tokensleuth.app import App
    from tokensleuth.output import Outcome, ProgressBar

DryRunFlag = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]


def retention(
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Delete what the settings keep no longer; nothing open, and never the audit trail."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.retention import run

        return run(configured, configured.settings.retention, dry_run=dry_run)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def pseudonymise(
    dry_run: DryRunFlag = False,
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Put pseudonyms for the users that are stored by name; once, after turning pseudonymous_users on."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.privacy import run_pseudonymise

        return run_pseudonymise(configured, configured.settings.privacy, dry_run=dry_run)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def pseudonym(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A user as sources name them, or an e-mail address.")
    ],
    json: JsonFlag = False,
    config: ConfigOption = None,
    ledger: LedgerOption = None,
    casebook: CasebookOption = None,
) -> None:
    """Tell under which pseudonym a person is stored."""

    def command(configured: "App", _progress: "ProgressBar") -> "Outcome":
        from tokensleuth.commands.privacy import run_pseudonym

        return run_pseudonym(configured, name)

    execute(command, json=json, config=config, ledger=ledger, casebook=casebook)


def add_commands(app: typer.Typer) -> None:
    """Add them to the command line."""
    for command in (retention, pseudonymise, pseudonym):
        app.command()(command)
