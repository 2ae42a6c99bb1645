"""The write side: one investigation into its tables, inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, Table, delete, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from tokensleuth.casebook.records import InvestigationRecord, JsonObject
from tokensleuth.casebook.schema import evidence, incidents, investigations, proposals

REOPENABLE = ("pending", "superseded")
"""States a new investigation may write over; all others are somebody's decision or its consequence."""


def save_investigation(connection: Connection, record: InvestigationRecord) -> None:
    """Upsert the incident first: its row lock makes concurrent saves of one incident queue."""
    _upsert(connection, incidents, [_incident_row(record)], keep=("first_saved_at",))
    _upsert(connection, investigations, [_investigation_row(record)])
    _replace_evidence(connection, record)
    proposed = _proposal_rows(record)
    _upsert(connection, proposals, proposed, keep=("proposed_at",), only_states=REOPENABLE)
    _supersede_others(connection, record, [str(row["id"]) for row in proposed])


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


def _proposal_rows(record: InvestigationRecord) -> list[JsonObject]:
    documents = cast(Sequence[Mapping[str, object]], record.incident["proposals"])
    return [
        {
            "id": document["id"],
            "incident_id": record.incident_id,
            "investigation_id": record.investigation_id,
            "rank": rank,
            "action": document["action"],
            "state": "pending",
            "expected_saving_usd_per_day": document["expected_saving_usd_per_day"],
            "expires_at": _instant(document["expires_at"]),
            "document": document,
            "proposed_at": record.saved_at,
            "saved_at": record.saved_at,
        }
        for rank, document in enumerate(documents)
    ]


def _supersede_others(connection: Connection, record: InvestigationRecord, proposed: Sequence[str]) -> None:
    connection.execute(
        update(proposals)
        .where(proposals.c.incident_id == record.incident_id)
        .where(proposals.c.state == "pending")
        .where(proposals.c.id.not_in(proposed))
        .values(state="superseded", saved_at=record.saved_at)
    )


def _upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, object]],
    *,
    keep: Sequence[str] = (),
    only_states: Sequence[str] = (),
) -> None:
    """Insert, or update the row of the same `id` if its state is in `only_states`; columns in `keep` stay."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    for row in rows:
        statement = dialect.insert(table).values(row)
        statement = statement.on_conflict_do_update(
            index_elements=[table.c.id],
            set_={name: statement.excluded[name] for name in row if name not in ("id", *keep)},
            where=table.c.state.in_(only_states) if only_states else None,
        )
        connection.execute(statement)


def _instant(text: object) -> datetime:
    return datetime.fromisoformat(str(text))
