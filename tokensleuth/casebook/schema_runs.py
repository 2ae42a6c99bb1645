"""The tables of what the service does by itself: scheduled runs, notices, digests, tunings."""

from sqlalchemy import Column, Float, Index, Integer, String, Table, Text

from tokensleuth.casebook.schema import Instant, Json, metadata

runs = Table(
    "runs",
    metadata,
    Column("duty", String(32), primary_key=True),
    Column("slot", Instant, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("note", Text),
    Column("document", Json),
    Column("planned_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("seconds", Float),
    Column("owner", String(64)),
    Column("lease_until", Instant),
    Index("runs_state", "state", "next_at"),
)
"""One row per duty and slot, the instant it is for: it is done once, however often the clock comes by.

`state` is due, running, done or failed (given up); `tries` counts those begun.
"""

leaders = Table(
    "leaders",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("since_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False),
)
"""Which of several replicas owns the ledger, until when unless it says so again."""

notices = Table(
    "notices",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("document", Json, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("saved_at", Instant, nullable=False),
    Index("notices_kind", "kind", "closed_at"),
)
"""What people are told of that is no change of spend: budgets, data that stopped. Open until it is over."""

digests = Table(
    "digests",
    metadata,
    Column("week", String(8), primary_key=True),
    Column("audience", String(255), primary_key=True),
    Column("document", Json, nullable=False),
    Column("markdown", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
)
"""The digest of an ISO week, such as 2026-W46, as told to an audience: `organisation` or `team:NAME`."""

tunings = Table(
    "tunings",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("scope", Json, nullable=False),
    Column("from_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False),
    Column("document", Json, nullable=False),
    Column("incident_id", String(64)),
    Column("reason", Text),
    Column("given_by", String(255), nullable=False),
    Column("given_at", Instant, nullable=False),
    Index("tunings_id", "id"),
    Index("tunings_until_at", "until_at"),
)
"""What people changed for a scope until a day: planned events and thresholds. Rows are only added.

The last row of an id counts; `state` is in_force or undone.
"""
