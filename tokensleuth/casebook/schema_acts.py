"""The tables of what people decide and the service does: decisions, executions, queues, feedback, audit."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from tokensleuth.casebook.schema import Instant, Json, metadata

decisions = Table(
    "decisions",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("proposal_id", String(64), ForeignKey("proposals.id"), nullable=False),
    Column("round", Integer, nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("decided_by", String(255), nullable=False),
    Column("identity", String(255), nullable=False),
    Column("payload_hash", String(64), nullable=False),
    Column("reason", Text),
    Column("decided_at", Instant, nullable=False),
    UniqueConstraint("proposal_id", "round", "decided_by", name="decisions_once_per_person"),
)
"""One row per person and round of a proposal; `identity` is how they came in, as `slack:T1/U1`."""

executions = Table(
    "executions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("proposal_id", String(64), ForeignKey("proposals.id"), nullable=False),
    Column("round", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("gateway", String(32), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("place", Json),
    Column("before", Json),
    Column("wanted", Json),
    Column("observed", Json),
    Column("reason", Text),
    Column("tries", Integer, nullable=False),
    Column("requested_by", String(255), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("undo_at", Instant),
    Column("attempt", Integer, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("owner", String(64)),
    Column("lease_until", Instant),
    UniqueConstraint("proposal_id", "round", "kind", name="executions_once"),
    Index("executions_state", "state", "next_at"),
)
"""`kind` is apply or undo. `wanted` is set just before the gateway is called: without it nothing was sent.

`before` is what an undo restores; `undo_at` is when a temporary limit ends.
"""

watches = Table(
    "watches",
    metadata,
    Column("execution_id", String(64), ForeignKey("executions.id"), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("plan", Json, nullable=False),
    Column("result", Json),
    Column("due_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("watches_due", "state", "due_at"),
)
"""What is looked at after an execution, until `until_at`; `result` is the last look."""

inbox = Table(
    "inbox",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("source", String(32), nullable=False),
    Column("body", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("note", Text),
    Column("received_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("handled_at", Instant),
    Column("owner", String(64)),
    Column("lease_until", Instant),
    Index("inbox_state", "state", "number"),
)
"""What came in from outside, stored before it is answered; `id` is made from what cannot come twice."""

outbox = Table(
    "outbox",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("lane", String(255), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("incident_id", String(64)),
    Column("letter", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("reply", Json),
    Column("error", Text),
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("owner", String(64)),
    Column("lease_until", Instant),
    Index("outbox_state", "state", "lane", "number"),
)
"""Letters to be sent in order within a lane; `tries` counts those begun, so above 0 a copy may be out."""

messages = Table(
    "messages",
    metadata,
    Column("incident_id", String(64), primary_key=True),
    Column("channel", String(255), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("ts", String(64)),
    Column("outbox_id", String(64), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Index("messages_ts", "channel", "ts"),
)
"""Which message of a channel tells of an incident; `ts` is null until it is out. A storm has one for many."""

feedback = Table(
    "feedback",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("incident_id", String(64), nullable=False),
    Column("verdict", String(32), nullable=False),
    Column("scope", Json, nullable=False),
    Column("until_at", Instant),
    Column("given_by", String(255), nullable=False),
    Column("given_at", Instant, nullable=False),
    Index("feedback_incident_id", "incident_id"),
)
"""Rows are only added; the last of an incident counts. `until_at` ends what `expected` keeps quiet."""

timelines = Table(
    "timelines",
    metadata,
    Column("incident_id", String(64), primary_key=True),
    Column("document", Json, nullable=False),
    Column("saved_at", Instant, nullable=False),
)
"""The hours around an incident as they were charted when it was last investigated."""

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(255), nullable=False),
    Column("what", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("document", Json, nullable=False),
    Column("mac", String(64), nullable=False),
    Index("audit_subject", "subject"),
)
"""Rows are only added, numbered from 1 without a gap; `mac` covers the row and the one before it."""
