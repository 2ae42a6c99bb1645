"""Starts the command line: `python -m tokensleuth` and the console script."""

from tokensleuth.cli import app


def main() -> None:
    """Run the command line; what it exits with is the exit code."""
    app()


if __name__ == "__main__":
    main()
