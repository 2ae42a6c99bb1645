"""What a command hands back, and how it reaches the terminal: the answer on stdout, all else on stderr."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tokensleuth.terminal.text import printable


class ExitCode(IntEnum):
    """Also when nothing was found, a command that did its work is DONE."""

    DONE = 0
    PART = 1
    REFUSED = 2
    UNREACHABLE = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """A command's answer: for programs the document, for people the renderables."""

    document: Mapping[str, object]
    shown: Sequence[RenderableType]
    exit_code: ExitCode = ExitCode.DONE


def print_outcome(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        _write_json(outcome.document, indent=2)
    else:
        console = Console(highlight=False, markup=False)
        for renderable in outcome.shown:
            console.print(renderable)
    sys.stdout.flush()


def print_error(message: str, *, as_json: bool) -> None:
    """On stderr for people; programs get a document that says it."""
    safe = "\n".join(printable(line) for line in message.splitlines())
    Console(stderr=True, highlight=False, soft_wrap=True).print(f"error: {safe}", style="red", markup=False)
    if as_json:
        # Where stdout itself is what failed, stderr has said so.
        with suppress(OSError):
            _write_json({"error": message})
            sys.stdout.flush()


def _write_json(document: Mapping[str, object], *, indent: int | None = None) -> None:
    """Characters as they are where the stream can hold all of them, else escaped."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(document, indent=indent, ensure_ascii=not unicode, allow_nan=False)
    sys.stdout.write(text + "\n")


class ProgressBar:
    """Progress of one long task on stderr; silent where stderr is no terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None, visible=False)

    def update(self, done: int, total: int, what: str = "") -> None:
        """Show `done` of `total`; the signature every long task reports through."""
        self._progress.update(self._task, completed=done, total=total, visible=True)
        if what:
            self._progress.update(self._task, description=what)


@contextmanager
def progress_bar() -> Iterator[ProgressBar]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield ProgressBar(progress)
