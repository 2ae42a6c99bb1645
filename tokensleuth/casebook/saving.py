"""The write side: one investigation into its tables, inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, Table, delete, insert
from sqlalchemy.dialects import postgresql, sqlite

from tokensleuth.casebook.proposing import save_proposals
from tokensleuth.casebook.records import InvestigationRecord, JsonObject
from tokensleuth.casebook.schema import evidence, incidents, investigations
from tokensleuth.casebook.schema_acts import timelines


def save_investigation(connection: Connection, record: InvestigationRecord, key: bytes) -> None:
    """Upsert the incident first: its row lock makes concurrent saves of one incident queue."""
    _upsert(connection, incidents, [_incident_row(record)], keep=("first_saved_at",))
    _upsert(connection, investigations, [_investigation_row(record)])
    _replace_evidence(connection, record)
    save_proposals(connection, record, key)
    if record.timeline is not None:
        row = {"incident_id": record.incident_id, "document": record.timeline, "saved_at": record.saved_at}
        _upsert(connection, timelines, [row], index="incident_id")


def _incident_row(record: InvestigationRecord) -> JsonObject:
    copied = ("id", "scope", "verdict", "cause", "confidence", "expected_usd", "actual_usd", "delta_usd")
    return {name: record.incident[name] for name in copied} | {
        "start_at": _instant(record.incident["start_at"]),
        "end_at": _instant(record.incident["end_at"]),
        "investigation_id": record.investigation_id,
        "first_saved_at": record.saved_at,
        "saved_at": record.saved_at,
    }


def _investigation_row(record: InvestigationRecord) -> JsonObject:
    return {
        "id": record.investigation_id,
        "incident_id": record.incident_id,
        "analyst": record.incident["analyst"],
        "degraded": record.incident["degraded"],
        "document": {name: value for name, value in record.incident.items() if name != "proposals"},
        "saved_at": record.saved_at,
    }


def _replace_evidence(connection: Connection, record: InvestigationRecord) -> None:
    investigation_id = record.investigation_id
    connection.execute(delete(evidence).where(evidence.c.investigation_id == investigation_id))
    rows = [
        {
            "investigation_id": investigation_id,
            "id": document.id,
            "tool": document.tool,
            "arguments": document.arguments,
            "status": document.status,
            "rows": document.rows,
            "facts": document.facts,
        }
        for document in {document.id: document for document in record.evidence}.values()
    ]
    if rows:
        connection.execute(insert(evidence), rows)


def _upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, object]],
    *,
    keep: Sequence[str] = (),
    index: str = "id",
) -> None:
    """Insert, or update the row of the same `index`; columns in `keep` stay."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    for row in rows:
        statement = dialect.insert(table).values(row)
        statement = statement.on_conflict_do_update(
            index_elements=[table.c[index]],
            set_={name: statement.excluded[name] for name in row if name not in (index, *keep)},
        )
        connection.execute(statement)


def _instant(text: object) -> datetime:
    return datetime.fromisoformat(str(text))
