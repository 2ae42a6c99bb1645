"""Runs one command from settings to exit code; what went wrong outside the program becomes one line."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from tokensleuth.app import App
    from tokensleuth.output import Outcome, ProgressBar

INTERRUPTED = 130
"""The exit code of a command that was stopped with Ctrl-C."""


def execute(
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
        print_outcome(outcome, as_json=json)
    except TokensleuthError as error:
        print_error(str(error), as_json=json)
        code = ExitCode.UNREACHABLE if isinstance(error, UnreachableError) else ExitCode.REFUSED
        raise typer.Exit(int(code)) from None
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        print_error(_what_failed(error), as_json=json)
        raise typer.Exit(int(ExitCode.UNREACHABLE)) from None
    except RuntimeError as error:
        # What DuckDB makes of a Ctrl-C that comes while a query runs.
        if str(error) != "Query interrupted":
            raise
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(int(outcome.exit_code))


def _what_failed(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename} cannot be used: {reason}" if error.filename else f"cannot write: {reason}"
