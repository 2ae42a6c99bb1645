"""What the fake proxy notes of writes, on disk before the answer goes out, and the faults it can be given."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from evals.fake_litellm_state import Row

FaultKind = Literal[
    "refuse", "error_before", "error_after", "drop_before", "drop_after", "later", "delay", "html"
]  # fmt: skip
"""`before` and `after`: whether the write is applied; `drop` closes the connection without an answer."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with the next requests."""

    kind: FaultKind
    times: int = 1
    path: str = ""
    """Of requests whose path starts so."""
    method: str = "POST"
    seconds: float = 1.0
    """Of a delay."""


@dataclass(frozen=True, slots=True)
class Write:
    """A request that would change something, as it arrived; plaintext keys as their hashes."""

    path: str
    body: Row
    idempotency_key: str
    changed_by: str
    applied: bool
    changed: bool
    """Whether the state differs from before: a second write of the same value changes nothing."""


def fault_of(given: Row) -> Fault:
    """Raises ValueError for a kind that is none."""
    if given.get("kind") not in get_args(FaultKind):
        raise ValueError(f"no fault {given.get('kind')!r}; there are {', '.join(get_args(FaultKind))}")
    return Fault(**given)  # type: ignore[arg-type]  # of JSON; a wrong field is told by its name


def append_write(journal: Path, write: Write) -> None:
    """One line, on disk when this returns."""
    with journal.open("a") as lines:
        lines.write(json.dumps(asdict(write)) + "\n")
        lines.flush()
        os.fsync(lines.fileno())


def read_journal(journal: Path | None) -> list[Write]:
    """The applied writes, for counting effects; a line that a kill cut off is left out."""
    if journal is None or not journal.exists():
        return []
    lines = journal.read_text().splitlines(keepends=True)
    return [Write(**json.loads(line)) for line in lines if line.endswith("\n")]
