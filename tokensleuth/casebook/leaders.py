"""Which replica leads: it alone owns the ledger and does what is scheduled, for as long as it says so."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select, update

from tokensleuth.casebook.schema_runs import leaders

LEADER = "ledger"
TERM = timedelta(seconds=30)
"""A leader that does not say so for longer is taken for dead."""


def take_lead(connection: Connection, owner: str, now: datetime) -> bool:
    """Lead, or go on leading, for a term; False where another does. In a write transaction."""
    row = connection.execute(select(leaders).where(leaders.c.name == LEADER)).mappings().first()
    if row is None:
        values = {"name": LEADER, "owner": owner, "since_at": now, "until_at": now + TERM}
        connection.execute(insert(leaders).values(values))
        return True
    if row["owner"] != owner and row["until_at"] > now:
        return False
    since = row["since_at"] if row["owner"] == owner else now
    connection.execute(
        update(leaders)
        .where(leaders.c.name == LEADER)
        .values(owner=owner, since_at=since, until_at=now + TERM)
    )
    return True


def give_up_lead(connection: Connection, owner: str, now: datetime) -> None:
    """Let another lead at once."""
    mine = (leaders.c.name == LEADER, leaders.c.owner == owner)
    connection.execute(update(leaders).where(*mine).values(until_at=now))


def database_time(connection: Connection, now: datetime) -> datetime:
    """The one clock that all replicas share; `now` where the casebook is a file of this host."""
    if connection.dialect.name != "postgresql":
        return now
    told = connection.scalar(select(func.clock_timestamp()))
    return told if isinstance(told, datetime) else now


def leader(connection: Connection, now: datetime) -> str | None:
    """Who leads now."""
    found = select(leaders.c.owner).where(leaders.c.name == LEADER, leaders.c.until_at > now)
    return connection.scalar(found)
