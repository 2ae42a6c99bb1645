"""Retention as it is done: planned, written to the audit trail, then deleted in small transactions.

A kill leaves rows that the next run deletes; nothing is ever deleted that no audit entry tells of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select, tuple_

from ledger.own import OWN_NAME, OWN_USAGE
from ledger.retention import Edges
from ledger.store import Ledger
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Entry, append_entry
from tokensleuth.casebook.schema import incidents
from tokensleuth.casebook.schema_runs import notices, runs
from tokensleuth.observing.run_tally import FORGOTTEN, RETENTION, tally_runs
from tokensleuth.retention.rules import TALLIED, Ages, Rule, hanging_on
from tokensleuth.retention.settings import RetentionSettings

BATCH = 1000
INCIDENT_BATCH = 50
ACTOR = "tokensleuth"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows of each table went, or would go; only tables with some."""

    ledger: Mapping[str, int]
    casebook: Mapping[str, int]
    edges: Edges

    @property
    def rows(self) -> int:
        return sum(self.ledger.values()) + sum(self.casebook.values())

    def as_json(self) -> dict[str, object]:
        edges = {"usage_from": self.edges.usage_from, "hourly_from": self.edges.hourly_from}
        return {
            "ledger": dict(self.ledger),
            "casebook": dict(self.casebook),
            **{name: at.date().isoformat() if at else None for name, at in edges.items()},
        }


def plan(ledger: Ledger, casebook: Casebook, settings: RetentionSettings, now: datetime) -> Forgotten:
    """What `apply` would delete."""
    ages, edges = _ages(ledger, settings, now), _edges(settings, now)
    with casebook.reading() as connection:
        return Forgotten(_some(ledger.retention.due(edges)), _due(connection, ages), edges)


def apply(ledger: Ledger, casebook: Casebook, settings: RetentionSettings, now: datetime) -> Forgotten:
    """Delete it; where nothing is due, nothing is written either."""
    ages, edges = _ages(ledger, settings, now), _edges(settings, now)
    in_ledger = _some(ledger.retention.due(edges))
    with casebook.writing() as connection:
        found = Forgotten(in_ledger, _due(connection, ages), edges)
        if found.rows:
            append_entry(connection, _entry(connection, found, ages), casebook.key)
            for rule in _tallied(ages):
                connection.execute(delete(rule.table).where(rule.condition))
    for rule in ages.rules():
        while _delete_batch(casebook, rule):
            pass
    while _delete_incidents(casebook, ages):
        pass
    ledger.retention.forget(edges, now)
    return found


def _ages(ledger: Ledger, settings: RetentionSettings, now: datetime) -> Ages:
    own = ledger.reader.first_seen("client", where=OWN_USAGE).get(OWN_NAME)
    return Ages(settings, now, own.end_at if own else None)


def _edges(settings: RetentionSettings, now: datetime) -> Edges:
    return Edges(settings.edge("usage", now), settings.edge("hourly", now))


def _due(connection: Connection, ages: Ages) -> dict[str, int]:
    """By table; a row that two rules name counts once."""
    by_table: dict[Table, list[ColumnElement[bool]]] = {}
    for rule in [*ages.rules(), *_of_old_incidents(ages)]:
        by_table.setdefault(rule.table, []).append(rule.condition)
    merged = [Rule(table, or_(*conditions)) for table, conditions in by_table.items()]
    return _some({rule.name: _count(connection, rule) for rule in merged})


def _of_old_incidents(ages: Ages) -> list[Rule]:
    old = ages.old_incidents()
    return [] if old is None else hanging_on(select(incidents.c.id).where(old))


def _count(connection: Connection, rule: Rule) -> int:
    return int(connection.scalar(select(func.count()).select_from(rule.table).where(rule.condition)) or 0)


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def _tallied(ages: Ages) -> list[Rule]:
    return [rule for rule in ages.rules() if rule.table in TALLIED]


def _entry(connection: Connection, found: Forgotten, ages: Ages) -> Entry:
    """Before anything is gone, with what the counters of the metrics need of it."""
    document = found.as_json()
    for rule in _tallied(ages):
        if rule.table is runs:
            tallies = tally_runs(connection, rule.condition)
            document["runs"] = {duty: tally.as_json() for duty, tally in sorted(tallies.items())}
        if rule.table is notices:
            document["source_failures"] = _failures(connection, rule)
    return Entry(ACTOR, FORGOTTEN, RETENTION, document, ages.now)


def _failures(connection: Connection, rule: Rule) -> dict[str, int]:
    statement = (
        select(notices.c.subject, func.count())
        .where(notices.c.kind == "source_failing", rule.condition)
        .group_by(notices.c.subject)
    )
    return {str(source): int(count) for source, count in connection.execute(statement)}


def _delete_batch(casebook: Casebook, rule: Rule) -> bool:
    """Whether there may be more."""
    key = list(rule.table.primary_key)
    chosen = select(*key).where(rule.condition).limit(BATCH)
    with casebook.writing() as connection:
        rows = [tuple(row) for row in connection.execute(chosen)]
        if rows:
            connection.execute(delete(rule.table).where(tuple_(*key).in_(rows)))
    return len(rows) == BATCH


def _delete_incidents(casebook: Casebook, ages: Ages) -> bool:
    """Some incidents with all that hangs on them, in one transaction: half of one would be read wrongly."""
    old = ages.old_incidents()
    if old is None:
        return False
    with casebook.writing() as connection:
        chosen = list(connection.scalars(select(incidents.c.id).where(old).limit(INCIDENT_BATCH)))
        for rule in hanging_on(chosen) if chosen else ():
            connection.execute(delete(rule.table).where(rule.condition))
    return len(chosen) == INCIDENT_BATCH
