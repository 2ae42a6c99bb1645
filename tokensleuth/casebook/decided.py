"""Decisions in the casebook: who said what in which round, and the one transition a round takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from ledger.window import instant_text
from tokensleuth.casebook.records import JsonObject, ProposalState
from tokensleuth.casebook.schema import proposals
from tokensleuth.casebook.schema_acts import decisions
from tokensleuth.casebook.storable import storable

Verdict = Literal["approve", "reject"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A proposal as it stands in the casebook, locked for the transaction."""

    id: str
    incident_id: str
    action: str
    state: ProposalState
    round: int
    payload_hash: str
    requested_by: str
    spend_share: float | None
    owner: str | None
    expires_at: datetime
    document: JsonObject

    @property
    def reversible(self) -> bool:
        return self.document["reversible"] is True


@dataclass(frozen=True, slots=True)
class Said:
    """One person's word in a round."""

    verdict: Verdict
    decided_by: str
    """The person's name."""
    identity: str
    reason: str | None
    decided_at: datetime

    def as_json(self) -> dict[str, object]:
        return {
            "verdict": self.verdict,
            "decided_by": self.decided_by,
            "identity": self.identity,
            "reason": self.reason,
            "decided_at": instant_text(self.decided_at),
        }


def read_asked(connection: Connection, proposal_id: str) -> Asked | None:
    """The proposal, kept from others until the transaction ends."""
    statement = select(proposals).where(proposals.c.id == storable(proposal_id)).with_for_update()
    row = connection.execute(statement).mappings().first()
    return _asked(row) if row else None


def lapsed(connection: Connection, now: datetime) -> Sequence[Asked]:
    """Those that wait past their expiry and are not marked expired yet."""
    statement = select(proposals).where(proposals.c.state == "pending", proposals.c.expires_at <= now)
    return [_asked(row) for row in connection.execute(statement).mappings()]


def move(connection: Connection, asked: Asked, *, to: ProposalState, now: datetime) -> bool:
    """Compare-and-set from the state, round and payload that were read; False where another came first."""
    statement = (
        update(proposals)
        .where(
            proposals.c.id == asked.id,
            proposals.c.state == asked.state,
            proposals.c.round == asked.round,
            proposals.c.payload_hash == asked.payload_hash,
        )
        .values(state=to, saved_at=now)
    )
    return connection.execute(statement).rowcount == 1


def add_word(connection: Connection, asked: Asked, said: Said) -> None:
    """Keep what a person said in this round; their last word counts, and the audit trail has both."""
    theirs = (decisions.c.proposal_id == asked.id, decisions.c.round == asked.round)
    connection.execute(delete(decisions).where(*theirs, decisions.c.decided_by == said.decided_by))
    connection.execute(
        insert(decisions).values(
            proposal_id=asked.id,
            round=asked.round,
            verdict=said.verdict,
            decided_by=said.decided_by,
            identity=said.identity,
            payload_hash=asked.payload_hash,
            reason=None if said.reason is None else storable(said.reason),
            decided_at=said.decided_at,
        )
    )


def words_of(connection: Connection, proposal_id: str, round_number: int) -> Sequence[Said]:
    """What was said in a round, earliest first."""
    statement = (
        select(decisions)
        .where(decisions.c.proposal_id == proposal_id, decisions.c.round == round_number)
        .order_by(decisions.c.number)
    )
    return [_said(row) for row in connection.execute(statement).mappings()]


def _said(row: RowMapping) -> Said:
    return Said(
        verdict=row["verdict"],
        decided_by=row["decided_by"],
        identity=row["identity"],
        reason=row["reason"],
        decided_at=row["decided_at"],
    )


def _asked(row: RowMapping) -> Asked:
    return Asked(
        id=row["id"],
        incident_id=row["incident_id"],
        action=row["action"],
        state=row["state"],
        round=row["round"],
        payload_hash=row["payload_hash"],
        requested_by=row["requested_by"],
        spend_share=row["spend_share"],
        owner=row["owner"],
        expires_at=row["expires_at"],
        document=cast(JsonObject, row["document"]),
    )
