"""Tells by the statements of a transaction what it is about, and comes to its points as it commits."""

from dataclasses import dataclass, field
from threading import current_thread, local

from sqlalchemy import Connection, Engine, event

from evals.chaos.points import KillSwitch

EXECUTOR = "executor"
"""The name of the thread in which a new execution is a claim; elsewhere it is an undo that is asked for."""
_SAID_BY = (
    ("INSERT INTO inbox", "click stored"),
    ("UPDATE inbox SET state", "click handled"),
    ("UPDATE inbox SET tries", "click taken"),
    ("INSERT INTO decisions", "decision"),
    ("UPDATE executions SET place", "intent"),
    ("UPDATE executions SET tries", "try"),
    ("UPDATE executions SET state", "end"),
    ("UPDATE executions SET owner", "claim"),
    ("INSERT INTO executions", "claim"),
    ("UPDATE outbox SET state", "letter sent"),
    ("UPDATE outbox SET tries", "letter taken"),
    ("UPDATE proposals SET state", "expiry"),
    ("INSERT INTO audit", "refusal"),
)
"""The first that fits says what a transaction is."""


@dataclass(slots=True)
class Commits:
    """Listens to an engine; what it keeps is of the thread, as transactions are."""

    switch: KillSwitch
    of_thread: local = field(default_factory=local)

    def listen(self, engine: Engine) -> None:
        event.listen(engine, "begin", self._begun)
        event.listen(engine, "after_cursor_execute", self._executed)
        event.listen(engine, "commit", self._committing)
        event.listen(engine, "rollback", self._begun)
        event.listen(engine.pool, "checkin", self._returned)

    def _begun(self, _: Connection) -> None:
        self.of_thread.written = []
        self.of_thread.committed = None

    def _executed(self, _: Connection, cursor: object, statement: str, *__: object) -> None:
        """An update that met no row writes nothing; inserts do not always say how many."""
        updated = statement.startswith("UPDATE") and getattr(cursor, "rowcount", 0) > 0
        if updated or statement.startswith("INSERT"):
            self.of_thread.written.append(statement)

    def _committing(self, _: Connection) -> None:
        name = transaction_name(self.of_thread.written)
        if name is not None:
            self.switch.at(f"before {name}")
        self.of_thread.committed = name

    def _returned(self, *_: object) -> None:
        """A connection comes back to the pool right after its commit."""
        name = getattr(self.of_thread, "committed", None)
        self.of_thread.committed = None
        if name is not None:
            self.switch.at(f"after {name}")


def transaction_name(statements: list[str]) -> str | None:
    """None where nothing was written, or nothing that has a name."""
    for start, name in _SAID_BY:
        if any(statement.startswith(start) for statement in statements):
            return "undo asked" if name == "claim" and current_thread().name != EXECUTOR else name
    return None
