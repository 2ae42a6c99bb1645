"""Starts the command line: `python -m tokensleuth` and the console script."""

import io
import sys

from typer.exceptions import TyperException

from tokensleuth.cli import app


def main() -> None:
    """Run the command line; what it exits with is the exit code, and a wrong command line is 2."""
    _never_fail_on_characters()
    arguments = sys.argv[1:]
    try:
        code = app(arguments, standalone_mode=False)
    except TyperException as error:
        from tokensleuth.output import print_error

        if message := error.format_message():
            print_error(f"{message.rstrip('.')}; see tokensleuth --help", as_json="--json" in arguments)
        code = 2
    sys.exit(code if isinstance(code, int) else 0)


def _never_fail_on_characters() -> None:
    """A name that the terminal's encoding lacks is shown with `?`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


if __name__ == "__main__":
    main()
