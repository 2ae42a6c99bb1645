"""The casebook as the rest of the program sees it: open, save an investigation, read it back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Self, cast

from sqlalchemy import Case, ColumnElement, Connection, Engine, and_, case, select

from ledger.errors import UnreachableError
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.window import Window, instant_text
from tokensleuth.casebook.baselines import BaselineChange, append_change, read_baselines
from tokensleuth.casebook.calls import BookedCall, insert_call, read_calls, summed_pico
from tokensleuth.casebook.opening import (
    LOCK_TIMEOUT_S,
    key_beside,
    open_engine,
    plain_errors,
    refuse_without_key,
    write_transaction,
)
from tokensleuth.casebook.records import InvestigationRecord, JsonObject, ProposalState
from tokensleuth.casebook.saving import save_investigation
from tokensleuth.casebook.schema import evidence, incidents, investigations, proposals
from tokensleuth.casebook.storable import storable

Conditions = Sequence[ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Casebook:
    """Use it as a context manager, or `close` it; safe to share between threads."""

    engine: Engine
    key: bytes = field(repr=False)
    """Signs the audit trail and what is handed out: buttons and sessions."""
    turn: Lock = field(default_factory=Lock, repr=False, compare=False)
    """Threads of a process take turns here: SQLite would have each sleep for up to 0.1 s and try again."""
    lock_timeout_s: float = LOCK_TIMEOUT_S

    @classmethod
    def open(cls, url: str, *, lock_timeout_s: float = LOCK_TIMEOUT_S, key: bytes | None = None) -> Self:
        """Open, creating or migrating as needed; raises RefusedError or UnreachableError.

        Without a key the one beside the SQLite file is used, and made at first.
        """
        if key is None:
            refuse_without_key(url)
        engine = open_engine(url, lock_timeout_s=lock_timeout_s)
        try:
            return cls(engine, key or key_beside(url), lock_timeout_s=lock_timeout_s)
        except BaseException:
            engine.dispose()
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction for reading; what the database says about the outside world becomes our errors."""
        with plain_errors(self.engine), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; commits at the end, or nothing of it."""
        if not self.turn.acquire(timeout=self.lock_timeout_s):
            raise UnreachableError(f"the casebook was busy for {self.lock_timeout_s:g} s; try again")
        try:
            with plain_errors(self.engine), write_transaction(self.engine) as connection:
                yield connection
        finally:
            self.turn.release()

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def save(self, record: InvestigationRecord) -> None:
        """Store the investigation in one transaction; saving the same incident again updates it.

        Its pending proposals that are no longer proposed become `superseded`; decided ones are left alone.
        """
        with self.writing() as connection:
            save_investigation(connection, record, self.key)

    def incidents(
        self,
        *,
        now: datetime,
        within: Window | None = None,
        scope: Scope = EVERYTHING,
        limit: int | None = None,
    ) -> list[JsonObject]:
        """Incidents that overlap `within` and lie inside `scope`, latest first, with their live proposals."""
        overlapping = () if within is None else _overlapping(within)
        with self.reading() as connection:
            return _read_incidents(connection, overlapping, now=now, scope=scope)[:limit]

    def incident(self, incident_id: str, *, now: datetime) -> JsonObject | None:
        """The incident of the contract as last investigated; None when there is no such id."""
        with self.reading() as connection:
            return read_incident(connection, incident_id, now=now)

    def proposals(
        self, state: ProposalState | None = None, *, now: datetime, scope: Scope = EVERYTHING
    ) -> list[JsonObject]:
        """Proposals of all or one state, latest first; pending ones past their expiry are `expired`."""
        conditions = [] if state is None else [_shown_state(now) == state]
        with self.reading() as connection:
            return _read_proposals(connection, conditions, now=now, scope=scope)

    def evidence(self, evidence_id: str) -> JsonObject | None:
        """The full document of one piece of evidence, of the latest investigation that has it."""
        statement = (
            select(evidence, investigations.c.incident_id, investigations.c.saved_at)
            .join(investigations, investigations.c.id == evidence.c.investigation_id)
            .where(evidence.c.id == storable(evidence_id))
            .order_by(investigations.c.saved_at.desc(), investigations.c.id)
        )
        with self.reading() as connection:
            row = connection.execute(statement).mappings().first()
        if row is None:
            return None
        copied = ("id", "tool", "arguments", "status", "rows", "facts", "incident_id", "investigation_id")
        return {name: row[name] for name in copied} | {"saved_at": instant_text(row["saved_at"])}

    def save_baseline(self, change: BaselineChange) -> BaselineChange:
        """Add it to the history and give it back; a baseline in that state already stays as it is."""
        with self.writing() as connection:
            return append_change(connection, change)

    def baselines(self, *, scope: Scope = EVERYTHING) -> list[BaselineChange]:
        """The state of every baseline inside `scope`, undone ones included, latest level first."""
        with self.reading() as connection:
            return [c for c in read_baselines(connection) if scope.contains(c.baseline.scope)]

    def save_model_call(self, call: BookedCall) -> None:
        """Add a call to a language model; one of the same id stays as it is."""
        with self.writing() as connection:
            insert_call(connection, call)

    def model_calls(self, since: datetime | None = None) -> list[BookedCall]:
        """Calls at or after `since`, or all, earliest first."""
        with self.reading() as connection:
            return read_calls(connection, since)

    def spent_pico(self, since: datetime) -> int:
        """What the calls at or after `since` cost in 1e-12 USD; unpriced ones add nothing."""
        with self.reading() as connection:
            return summed_pico(connection, since)


def read_incident(connection: Connection, incident_id: str, *, now: datetime) -> JsonObject | None:
    """The incident of the contract as last investigated, with its live proposals."""
    found = _read_incidents(connection, [incidents.c.id == storable(incident_id)], now=now)
    return found[0] if found else None


def _overlapping(window: Window) -> Conditions:
    return [incidents.c.start_at < window.end_at, incidents.c.end_at > window.start_at]


def _shown_state(now: datetime) -> Case[str]:
    """The state as people see it: a pending proposal expires by the passing of time, not by a write."""
    lapsed = and_(proposals.c.state == "pending", proposals.c.expires_at <= now)
    return case((lapsed, "expired"), else_=proposals.c.state)


def _read_incidents(
    connection: Connection, conditions: Conditions, *, now: datetime, scope: Scope = EVERYTHING
) -> list[JsonObject]:
    statement = (
        select(incidents.c.id, incidents.c.scope, incidents.c.saved_at, investigations.c.document)
        .join(investigations, investigations.c.id == incidents.c.investigation_id)
        .where(*conditions)
        .order_by(incidents.c.start_at.desc(), incidents.c.id)
    )
    live = [*conditions, proposals.c.state != "superseded"]
    by_incident: dict[str, list[JsonObject]] = {}
    for proposal in _read_proposals(connection, live, now=now):
        by_incident.setdefault(str(proposal["incident_id"]), []).append(proposal)
    return [
        cast(JsonObject, row["document"])
        | {"proposals": by_incident.get(row["id"], []), "saved_at": instant_text(row["saved_at"])}
        for row in connection.execute(statement).mappings()
        if _lies_in(row["scope"], scope)
    ]


def _read_proposals(
    connection: Connection, conditions: Conditions, *, now: datetime, scope: Scope = EVERYTHING
) -> list[JsonObject]:
    statement = (
        select(proposals, incidents.c.scope, _shown_state(now).label("shown_state"))
        .join(incidents, incidents.c.id == proposals.c.incident_id)
        .where(*conditions)
        .order_by(proposals.c.proposed_at.desc(), proposals.c.incident_id, proposals.c.rank, proposals.c.id)
    )
    return [
        cast(JsonObject, row["document"])
        | {
            "incident_id": row["incident_id"],
            "state": row["shown_state"],
            "round": row["round"],
            "payload_hash": row["payload_hash"],
            "requested_by": row["requested_by"],
            "spend_share": row["spend_share"],
            "proposed_at": instant_text(row["proposed_at"]),
        }
        for row in connection.execute(statement).mappings()
        if _lies_in(row["scope"], scope)
    ]


def _lies_in(stored: object, scope: Scope) -> bool:
    return scope.contains(Scope.of(cast(dict[Dimension, str], stored)))
