"""What an investigation proposes, opened for decision: each opening is a round with a hash of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, RowMapping, insert, select, update

from tokensleuth.casebook.audit import Entry, append_entry
from tokensleuth.casebook.decided import words_of
from tokensleuth.casebook.payload import payload_hash
from tokensleuth.casebook.records import InvestigationRecord, JsonObject
from tokensleuth.casebook.schema import proposals
from tokensleuth.casebook.schema_acts import executions

ENDED_BY_ITSELF = "service:expiry"
"""Who asks for the undo of a limit whose time is over."""
REOPENABLE = ("pending", "superseded", "expired")
"""States a new investigation may write over; all others are somebody's decision or its consequence."""


def save_proposals(connection: Connection, record: InvestigationRecord, key: bytes) -> None:
    """Open what is new or void, renew what waits unchanged, leave what is decided, supersede the rest."""
    documents = cast(Sequence[Mapping[str, object]], record.incident["proposals"])
    for rank, document in enumerate(documents):
        known = _row_of(connection, str(document["id"]))
        if known is None:
            row = _row(record, document, rank, round_number=1)
            connection.execute(insert(proposals).values(row | {"proposed_at": record.saved_at}))
            _audited(connection, record, row, "proposed", key)
        elif known["state"] in REOPENABLE or _may_be_asked_again(connection, record, known):
            _renew(connection, record, document, rank, known, key)
    _supersede_others(connection, record, [str(document["id"]) for document in documents], key)


def _renew(
    connection: Connection,
    record: InvestigationRecord,
    document: Mapping[str, object],
    rank: int,
    known: RowMapping,
    key: bytes,
) -> None:
    """The same thing asked again keeps its round and what was decided in it; anything else is a new round."""
    row = _row(record, document, rank, round_number=known["round"])
    waits = known["state"] == "pending" and known["expires_at"] > record.saved_at
    if waits and row["payload_hash"] == known["payload_hash"]:
        row = row | {"requested_by": known["requested_by"]} | _deadline(connection, row, known)
    else:
        row = _row(record, document, rank, round_number=known["round"] + 1)
        _audited(connection, record, row, "proposed", key)
    connection.execute(update(proposals).where(proposals.c.id == known["id"]).values(row))


def _deadline(connection: Connection, row: JsonObject, known: RowMapping) -> JsonObject:
    """What somebody approved is not kept waiting for a second person by being proposed again and again."""
    if not words_of(connection, known["id"], known["round"]):
        return {}
    document, before = cast(JsonObject, row["document"]), cast(JsonObject, known["document"])
    expiry = {"expires_at": before["expires_at"]}
    return {"expires_at": known["expires_at"], "document": {**document, **expiry}}


def _row(
    record: InvestigationRecord, document: Mapping[str, object], rank: int, *, round_number: int
) -> JsonObject:
    touched = record.touched.get(str(document["id"]))
    return {
        "id": document["id"],
        "incident_id": record.incident_id,
        "investigation_id": record.investigation_id,
        "rank": rank,
        "action": document["action"],
        "state": "pending",
        "expected_saving_usd_per_day": document["expected_saving_usd_per_day"],
        "expires_at": datetime.fromisoformat(str(document["expires_at"])),
        "document": document,
        "payload_hash": payload_hash(document, record.incident_id, round_number),
        "round": round_number,
        "requested_by": record.requested_by,
        "spend_share": touched.spend_share if touched else None,
        "owner": touched.owner if touched else None,
        "saved_at": record.saved_at,
    }


def _row_of(connection: Connection, proposal_id: str) -> RowMapping | None:
    statement = select(proposals).where(proposals.c.id == proposal_id).with_for_update()
    return connection.execute(statement).mappings().first()


def _may_be_asked_again(connection: Connection, record: InvestigationRecord, known: RowMapping) -> bool:
    """Whether what was decided left nothing behind, and may come out differently now.

    It failed or was blocked at a gateway, was only rehearsed, or was a limit that ended by itself.
    """
    if known["state"] in ("failed", "blocked"):
        return bool(known["document"]["target"]["gateway"] != "none")
    of_round = (executions.c.proposal_id == known["id"], executions.c.round == known["round"])
    rows = connection.execute(select(executions).where(*of_round)).mappings().all()
    rehearsed = any(row["kind"] == "apply" and row["dry_run"] for row in rows)
    ended = any(row["kind"] == "undo" and row["requested_by"] == ENDED_BY_ITSELF for row in rows)
    back = any(row["kind"] == "undo" and row["state"] == "done" for row in rows)
    return known["state"] == "done" and ((rehearsed and record.reopen_rehearsed) or (ended and back))


def _supersede_others(
    connection: Connection, record: InvestigationRecord, proposed: Sequence[str], key: bytes
) -> None:
    gone = (
        proposals.c.incident_id == record.incident_id,
        proposals.c.state == "pending",
        proposals.c.id.not_in(proposed),
    )
    rows = connection.execute(select(proposals).where(*gone).with_for_update()).mappings().all()
    for row in rows:
        values = {"state": "superseded", "saved_at": record.saved_at}
        connection.execute(update(proposals).where(proposals.c.id == row["id"]).values(values))
        _audited(connection, record, dict(row), "superseded", key)


def _audited(
    connection: Connection, record: InvestigationRecord, row: Mapping[str, object], what: str, key: bytes
) -> None:
    document = {name: row[name] for name in ("incident_id", "action", "round", "payload_hash")}
    entry = Entry(record.requested_by, what, str(row["id"]), document, record.saved_at)
    append_entry(connection, entry, key)
