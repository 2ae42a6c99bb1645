"""What must hold when a trial has come to rest, read from the casebook and from the journals of the fakes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, RowMapping, select

from evals.chaos.clicks import Acknowledged
from evals.chaos.findings import Findings, Seen
from evals.chaos.incidents import Asked, Role
from evals.chaos.people import RULES, TEAM
from evals.fake_litellm_state import Row
from evals.fake_workspace import outbox_id_of
from tokensleuth.casebook.audit import Anchor, read_anchor, read_entries, verify_entries
from tokensleuth.casebook.decided import read_asked, words_of
from tokensleuth.casebook.executed import Execution, executions_of
from tokensleuth.casebook.schema_acts import inbox, outbox
from tokensleuth.people import Identity

EXPECTED: Mapping[Role, tuple[str, ...]] = {
    "limited": ("done",),
    "budgeted": ("done",),
    "downgraded": ("done",),
    "blocked": ("done",),
    "revoked": ("done",),
    "rejected": ("rejected",),
    "raced": ("done", "rejected"),
    "left": ("expired",),
}
UNDONE: frozenset[Role] = frozenset({"limited", "budgeted", "downgraded", "blocked"})
"""By a click or by their time."""
_LOUD = ("failed", "unknown", "blocked")
_POSTED = ("alert", "storm", "result", "notice", "decided", "executed", "undone", "watched", "refused")


def check_trial(seen: Seen, found: Findings) -> None:
    """Adds to the findings."""
    for click in seen.acknowledged:
        found.lost += [f"{click.click.told}: {why}" for why in _lost_click(seen, click)]
    for asked in seen.case.asked.values():
        _check_proposal(seen, asked, found)
    _check_letters(seen, found)


def check_audit(connection: Connection, key: bytes, anchors: list[Anchor], found: Findings) -> None:
    """Whole, and beyond every anchor that was ever kept; the present end is kept as another."""
    verified = verify_entries(connection, key, anchors)
    if not verified.whole:
        found.others.append(f"audit: {verified.why}")
    anchors.append(read_anchor(connection))


def _lost_click(seen: Seen, acknowledged: Acknowledged) -> Iterable[str]:
    """It was handled, and either its word stands or its refusal is on record."""
    row = _inbox_row(seen.connection, acknowledged.request_id)
    if row is None:
        yield "acknowledged and not in the inbox"
        return
    if row["state"] not in ("done", "refused"):
        yield f"acknowledged and still {row['state']}"
        return
    click = acknowledged.click
    person = RULES.people.person(Identity("slack", f"{TEAM}/{click.user}"))
    audited = {(e["actor"], e["what"]) for e in read_entries(seen.connection, subject=click.asked.id)}
    if row["state"] == "refused":
        if (person, "refused") not in audited:
            yield f"refused without an entry: {row['note']}"
    elif click.verb == "undo":
        if (person, "undo asked") not in audited:
            yield "done, and no undo was asked for"
    elif (person, click.verb) not in _words(seen, click.asked):
        yield f"done, and no word of it: {row['note']}"


def _words(seen: Seen, asked: Asked) -> list[tuple[str, str]]:
    return [(said.decided_by, str(said.verdict)) for said in words_of(seen.connection, asked.id, 1)]


def _check_proposal(seen: Seen, asked: Asked, found: Findings) -> None:
    stored = read_asked(seen.connection, asked.id)
    state = stored.state if stored else "missing"
    said, done = _words(seen, asked), executions_of(seen.connection, asked.id)
    found.decisions += len(said)
    found.doubled += [f"{asked.role} {asked.id}: {told}" for told in _doubled_words(said, asked.role)]
    found.others += [f"{asked.role} {asked.id}: {told}" for told in _mistold(seen, asked, said)]
    if state not in EXPECTED[asked.role] and state not in _LOUD:
        found.lost.append(f"{asked.role} {asked.id} is {state} after {said}")
    for execution in done:
        _check_execution(seen, asked, execution, found)
    if asked.role in UNDONE and state == "done":
        _check_undone(seen, asked, done, found)
    stray = [w for w in seen.writes if asked.key in str(w.body) and w.idempotency_key]
    known = {e.id for e in done}
    found.doubled += [
        f"{asked.id}: a write of {w.idempotency_key}" for w in stray if w.idempotency_key not in known
    ]


def _mistold(seen: Seen, asked: Asked, said: Sequence[tuple[str, str]]) -> Iterable[str]:
    """Of the clicks of who decided, the one that counted is not called refused."""
    for person, verdict in said:
        clicks = [row for row in seen.clicks if _is_of(row["body"], person, verdict, asked)]
        if not any(row["state"] == "done" for row in clicks):
            yield f"the {verdict} of {person} counts, and of their clicks all are refused"


def _is_of(body: Mapping[str, object], person: str, verdict: str, asked: Asked) -> bool:
    came = Identity("slack", f"{body.get('team')}/{body.get('user')}")
    return RULES.people.person(came) == person and f"{verdict}.{asked.id}." in str(body.get("value"))


def _doubled_words(said: Sequence[tuple[str, str]], role: Role) -> Iterable[str]:
    most = 2 if role == "revoked" else 1
    if len(said) > most or len(set(said)) < len(said):
        yield f"decided by {said}"


def _check_execution(seen: Seen, asked: Asked, execution: Execution, found: Findings) -> None:
    changed = [w.changed for w in seen.writes if w.idempotency_key == execution.id]
    name = f"{asked.role} {execution.kind} {execution.id}"
    found.effects += sum(changed)
    found.repeated_writes += len(changed) - sum(changed)
    if sum(changed) > 1:
        found.doubled.append(f"{name}: changed {sum(changed)} times")
    if execution.state == "executing":
        found.others.append(f"{name}: stuck in executing")
    elif execution.state == "done" and sum(changed) != 1:
        found.others.append(f"{name}: done with {sum(changed)} changes, {execution.reason}")
    elif execution.state in _LOUD:
        found.loud[f"{execution.state}: {execution.reason}"] += 1
        if not _is_told(seen.connection, execution.id):
            found.lost.append(f"{name}: {execution.state} and not told")
    if asked.role == "revoked" and execution.state == "done" and asked.key in seen.keys:
        found.others.append(f"{name}: done and the key is still there")


def _check_undone(seen: Seen, asked: Asked, done: Sequence[Execution], found: Findings) -> None:
    undo = next((e for e in done if e.kind == "undo"), None)
    if undo is None:
        found.lost.append(f"{asked.role} {asked.id}: no undo was begun")
    elif undo.state == "done" and (left := _changed_fields(seen.keys.get(asked.key, {}), asked)):
        found.others.append(f"{asked.role} {undo.id}: undone, and {left} is not as it was")


def _changed_fields(row: Row, asked: Asked) -> Row:
    before: Row = {"tpm_limit": 50_000, "key_alias": f"chaos-{asked.key[:8]}"}
    empty = ("rpm_limit", "max_budget", "budget_duration", "blocked", "aliases", "metadata")
    left = {name: row.get(name) for name in empty if row.get(name)}
    return left | {name: row.get(name) for name, value in before.items() if row.get(name) != value}


def _is_told(connection: Connection, execution_id: str) -> bool:
    rows = connection.execute(select(outbox.c.letter).where(outbox.c.kind == "refused")).scalars()
    return any(letter.get("execution_id") == execution_id for letter in rows)


def _check_letters(seen: Seen, found: Findings) -> None:
    """Each is out once, in the order of its lane; a whisper may be missing, never twice."""
    rows = _letters(seen)
    posts = [str(outbox_id_of(e)) for e in seen.effects if e["effect"] == "post"]
    found.messages += len(posts)
    found.duplicates += [f"{i} was posted {n} times" for i, n in Counter(posts).items() if n > 1]
    found.duplicates += [
        f"{i} was posted and is no letter" for i in posts if i not in {r["id"] for r in rows}
    ]
    for row in rows:
        missing = row["kind"] in _POSTED and row["id"] not in posts
        if missing or (row["state"] != "sent" and row["kind"] != "ephemeral"):
            found.lost.append(f"letter {row['kind']} {row['id']} is {row['state']}: {row['error']}")
    numbers = {row["id"]: row["number"] for row in rows}
    order = [numbers[i] for i in posts if i in numbers]
    if order != sorted(order):
        found.others.append(f"lane of {seen.case.channel}: out of order {order}")
    found.whispers_given_up += sum(r["kind"] == "ephemeral" and r["state"] == "failed" for r in rows)
    whispers = sum(e["effect"] == "whisper" for e in seen.effects)
    begun = sum(row["kind"] == "ephemeral" for row in rows)
    if whispers > begun:
        found.duplicates.append(f"{whispers} whispers of {begun} letters")


def _letters(seen: Seen) -> Sequence[RowMapping]:
    statement = select(outbox).where(outbox.c.incident_id == seen.case.incident_id).order_by(outbox.c.number)
    return seen.connection.execute(statement).mappings().all()


def _inbox_row(connection: Connection, request_id: str) -> RowMapping | None:
    return connection.execute(select(inbox).where(inbox.c.id == request_id)).mappings().first()
