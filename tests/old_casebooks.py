"""Casebooks of random age: rows of every table, some closed and some open, told apart without the program."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from sqlalchemy import insert, select

from tokensleuth.casebook import Casebook
from tokensleuth.casebook.schema import metadata

NOW = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
DAY = timedelta(days=1)
Row = dict[str, object]
_STATES = (
    "pending",
    "approved",
    "rejected",
    "expired",
    "superseded",
    "executing",
    "done",
    "failed",
    "blocked",
)


@dataclass(slots=True)
class OldCasebook:
    """What was put in, by table, and which incidents are open by a reading of their own."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)

    def add(self, table: str, **row: object) -> Row:
        self.rows.setdefault(table, []).append(row)
        return row

    def save(self, casebook: Casebook) -> None:
        with casebook.writing() as connection:
            for table in metadata.sorted_tables:
                for row in self.rows.get(table.name, ()):
                    connection.execute(insert(table).values(row))


def old_casebook(seed: int, incidents: int = 25) -> OldCasebook:
    random, book = Random(seed), OldCasebook()  # noqa: S311 - made-up data
    for number in range(incidents):
        _incident(book, random, f"inc_{number}")
    for number in range(40):
        _without_incident(book, random, number)
    for duty in ("sync", "detect"):
        for slot in range(random.randint(1, 30)):
            at = NOW - slot * 7 * DAY - timedelta(hours=1)
            state = random.choice(("done", "done", "failed", "due", "running"))
            book.add(
                "runs", duty=duty, slot=at, state=state, tries=1, planned_at=at, next_at=at, started_at=at,
                finished_at=at if state in ("done", "failed") else None, seconds=random.choice((None, 3.5)),
            )  # fmt: skip
    return book


def _ago(random: Random) -> datetime:
    return NOW - random.uniform(0, 200) * DAY


def _incident(book: OldCasebook, random: Random, name: str) -> None:
    at = _ago(random)
    usd = {"expected_usd": "1", "actual_usd": "2", "delta_usd": "1"}
    book.add(
        "incidents", id=name, start_at=at - DAY, end_at=at, scope={}, verdict="confirmed", cause="volume",
        confidence=0.9, investigation_id=f"inv_{name}_0", first_saved_at=at, saved_at=at, **usd,
    )  # fmt: skip
    for number in range(random.randint(1, 3)):
        looked = f"inv_{name}_{number}"
        book.add(
            "investigations", id=looked, incident_id=name, analyst="rules", degraded=False, document={},
            saved_at=at,
        )  # fmt: skip
        book.add(
            "evidence", investigation_id=looked, id=f"ev_{number}", tool="t", arguments={}, status="ok",
            rows=[], facts={},
        )  # fmt: skip
    book.add("timelines", incident_id=name, document={}, saved_at=at)
    for number in range(random.randint(0, 2)):
        _proposal(book, random, name, f"prop_{name}_{number}", at)
    _letters(book, random, name, at)
    if random.random() < 0.3:
        until = random.choice((None, at + 3 * DAY, NOW + DAY))
        book.add(
            "feedback",
            incident_id=name,
            verdict="expected",
            scope={},
            until_at=until,
            given_by="a",
            given_at=at,
        )
        if until == NOW + DAY:
            book.open.add(name)
    if random.random() < 0.1:
        book.add(
            "tunings", id=f"tune_{name}", kind="planned", state="in_force", scope={}, from_at=at,
            until_at=NOW + DAY, document={}, incident_id=name, given_by="a", given_at=at,
        )  # fmt: skip
        book.open.add(name)


def _proposal(book: OldCasebook, random: Random, incident: str, name: str, at: datetime) -> None:
    state = random.choice(_STATES)
    if state in ("pending", "approved", "executing"):
        book.open.add(incident)
    book.add(
        "proposals", id=name, incident_id=incident, investigation_id=f"inv_{incident}_0", rank=1,
        action="set_rate_limit", state=state, expires_at=at + DAY, document={}, payload_hash="0" * 64,
        round=1, requested_by="x", proposed_at=at, saved_at=at,
    )  # fmt: skip
    book.add(
        "decisions", proposal_id=name, round=1, verdict="approve", decided_by="a", identity="web:a",
        payload_hash="0" * 64, decided_at=at,
    )  # fmt: skip
    if random.random() < 0.6:
        _execution(book, random, incident, name, at)


def _execution(book: OldCasebook, random: Random, incident: str, proposal: str, at: datetime) -> None:
    state = random.choice(("executing", "done", "done", "unknown", "failed"))
    limited, undone = random.random() < 0.4, random.random() < 0.6
    usual: Row = {
        "proposal_id": proposal, "round": 1, "gateway": "litellm", "dry_run": False, "tries": 1,
        "requested_by": "a", "started_at": at, "attempt": 1, "next_at": at,
    }  # fmt: skip
    book.add(
        "executions",
        id=f"exec_{proposal}",
        kind="apply",
        state=state,
        undo_at=at + DAY if limited else None,
        **usual,
    )
    if undone:
        book.add("executions", id=f"undo_{proposal}", kind="undo", state="done", undo_at=None, **usual)
    watch = random.choice(("watching", "returned", "no_data"))
    book.add(
        "watches",
        execution_id=f"exec_{proposal}",
        state=watch,
        plan={},
        due_at=at,
        until_at=at,
        updated_at=at,
    )
    stands = limited and not undone and state in ("done", "unknown")
    if state == "executing" or watch == "watching" or stands:
        book.open.add(incident)


def _letters(book: OldCasebook, random: Random, incident: str, at: datetime) -> None:
    """An alert that is shown in a channel, and what came later in its thread."""
    if random.random() < 0.2:
        return
    for number in range(random.randint(1, 4)):
        state = "sent" if number == 0 else random.choice(("sent", "sent", "sent", "failed", "waiting"))
        sent_at = min(NOW, at + number * random.choice((0, 40)) * DAY) if state != "waiting" else None
        _letter(book, f"out_{incident}_{number}", state, at, sent_at, incident)
        if state == "waiting":
            book.open.add(incident)
    book.add(
        "messages", incident_id=incident, channel="C1", kind="alert", ts="1.2", outbox_id=f"out_{incident}_0",
        asked_at=at,
    )  # fmt: skip


def _letter(
    book: OldCasebook, name: str, state: str, at: datetime, sent_at: datetime | None, incident: str | None
) -> None:
    book.add(
        "outbox", id=name, lane="slack:C1", kind="alert", incident_id=incident, letter={}, state=state,
        tries=1, created_at=at, next_at=at, sent_at=sent_at,
    )  # fmt: skip


def _without_incident(book: OldCasebook, random: Random, number: int) -> None:
    at = _ago(random)
    handled = random.choice((at, at, None))
    book.add(
        "inbox", id=f"in_{number}", source="slack", body={}, state="done" if handled else "new", tries=1,
        received_at=at, next_at=at, handled_at=handled,
    )  # fmt: skip
    _letter(book, f"out_{number}", "sent" if handled else "waiting", at, handled, None)
    book.add(
        "notices", id=f"notice_{number}", kind=random.choice(("source_failing", "budget")), subject="openai",
        severity="low", document={}, opened_at=at, closed_at=handled, saved_at=at,
    )  # fmt: skip
    book.add(
        "digests", week=f"2026-W{number:02}", audience="organisation", document={}, markdown="", made_at=at
    )
    book.add(
        "model_calls", id=f"call_{number}", incident_id="inc_1", at=at, model="m", provider="p",
        input_tokens=1, cache_read_tokens=0, output_tokens=1, reasoning_tokens=0, estimated=False,
    )  # fmt: skip


def contents(casebook: Casebook) -> dict[str, set[tuple[object, ...]]]:
    """Keys of the rows of every table but the audit trail."""
    with casebook.reading() as connection:
        return {
            table.name: {tuple(row) for row in connection.execute(select(*table.primary_key))}
            for table in metadata.sorted_tables
            if table.name != "audit"
        }
