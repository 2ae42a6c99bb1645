"""The investigation's own calls to a language model in the casebook: rows are only added."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select
from sqlalchemy.dialects import postgresql, sqlite

from agent.llm.port import CallUsage, ModelCall
from tokensleuth.casebook.schema import model_calls

_OF_CALL = ("id", "incident_id", "at", "model", "cost_pico")
_OF_USAGE = tuple(CallUsage.model_fields)


@dataclass(frozen=True, slots=True)
class BookedCall:
    """A call and who was paid for it, by whose prices it was priced."""

    call: ModelCall
    provider: str


def insert_call(connection: Connection, booked: BookedCall) -> None:
    """Add the row unless the id is there already."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(model_calls).values(
        {name: getattr(booked.call, name) for name in _OF_CALL}
        | booked.call.usage.model_dump()
        | {"provider": booked.provider}
    )
    connection.execute(statement.on_conflict_do_nothing(index_elements=[model_calls.c.id]))


def read_calls(connection: Connection, since: datetime | None) -> list[BookedCall]:
    """Those at or after `since`, or all, earliest first."""
    statement = select(model_calls).order_by(model_calls.c.at, model_calls.c.id)
    if since is not None:
        statement = statement.where(model_calls.c.at >= since)
    return [_booked(row) for row in connection.execute(statement).mappings()]


def summed_pico(connection: Connection, since: datetime) -> int:
    """What the calls at or after `since` cost; unpriced ones add nothing."""
    statement = select(func.sum(model_calls.c.cost_pico)).where(model_calls.c.at >= since)
    return int(connection.scalar(statement) or 0)


def _booked(row: RowMapping) -> BookedCall:
    usage = CallUsage(**{name: row[name] for name in _OF_USAGE})
    return BookedCall(ModelCall(usage=usage, **{name: row[name] for name in _OF_CALL}), row["provider"])
