"""An incident in a casebook, its message in Slack, and people who press the buttons that are on it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from sqlalchemy import RowMapping, select

from evals.fake_slack import fake_slack
from evals.fake_workspace import Answer, FakeWorkspace
from tests.slack_letters import HandClock, Office
from tokensleuth.approvals import Answer as Said
from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.casebook import Casebook, InvestigationRecord
from tokensleuth.casebook.audit import read_entries
from tokensleuth.casebook.queues import put_in_inbox
from tokensleuth.casebook.records import JsonObject, Touched
from tokensleuth.casebook.schema_acts import inbox
from tokensleuth.people import ActionClass, Approver, Identity, People
from tokensleuth.slackapp.handlers import InboxWorker
from tokensleuth.slackapp.incoming import Click, Incoming, Slash
from tokensleuth.slackapp.letters import LetterRendering

NOON = datetime(2026, 11, 22, 17, tzinfo=UTC)
KEY = b"the casebook key of the tests"
INCIDENT, LIMIT, BLOCK, DELETE = (
    "inc_188b030f6aaf", "prop_2d7f46e39645", "prop_5ee38ff18c88", "prop_83e66e6b070c",
)  # fmt: skip
EVERYTHING: tuple[ActionClass, ...] = ("limit", "block", "revoke", "tell")
PEOPLE = People(
    (Approver(name="ada", slack="UADA", may=EVERYTHING), Approver(name="bob", slack="UBOB", may=EVERYTHING)),
    "T1",
)
RULES = ApprovalRules(PEOPLE)


@dataclass(slots=True)
class Desk(Office):
    """An office with an inbox."""

    rules: ApprovalRules = RULES
    undone: list[tuple[str, str]] = field(default_factory=list)
    looked: list[tuple[str, str, str, str]] = field(default_factory=list)
    undo_answer: str = "approved"
    clicks: int = 0

    @property
    def worker(self) -> InboxWorker:
        return InboxWorker(self.casebook, self.rules, self.undo, self.investigate, "worker", self.clock)

    def undo(self, proposal_id: str, by: Identity) -> Said:
        self.undone.append((proposal_id, str(by)))
        outcome = "refused" if self.undo_answer == "refused" else "approved"
        return Said(outcome, f"it is {self.undo_answer}", proposal_id, INCIDENT)  # type: ignore[arg-type]

    def investigate(self, time_range: str, by: Identity, channel: str, *, request_id: str) -> None:
        self.looked.append((time_range, str(by), channel, request_id))

    def open_incident(self, *, channel: str = "C1") -> None:
        """Saved, and told of in a channel."""
        self.casebook.save(record())
        self.sender.render = LetterRendering(KEY, self.rules, self.clock)
        self.write("out_alert", channel=channel, incident_id=INCIDENT)
        self.send_all()

    def click(self, verb: str, subject: str, **changed: object) -> str:
        """Press the button of the alert; gives the id of the inbox item."""
        message = self.posted()[0]
        click = Click(
            team="T1", user_team="T1", user="UADA", channel="C1", message_ts=str(message["ts"]),
            value=value_of(message, verb, subject),
        )  # fmt: skip
        return self.bring(click.model_copy(update=changed))

    def slash(self, text: str, **changed: object) -> str:
        slash = Slash(team="T1", user="UADA", channel="C1", text=text)
        return self.bring(slash.model_copy(update=changed))

    def bring(self, sent: Incoming | Mapping[str, object]) -> str:
        body = sent if isinstance(sent, Mapping) else sent.model_dump(mode="json")
        self.clicks += 1
        item_id = f"slack_{self.clicks}"
        with self.casebook.writing() as connection:
            put_in_inbox(connection, item_id, "slack_http", body, self.clock())
        return item_id

    def handle_all(self) -> int:
        handled = 0
        while self.worker.handle_one(self.clock()):
            handled += 1
        return handled

    def item(self, item_id: str) -> RowMapping:
        with self.casebook.reading() as connection:
            return connection.execute(select(inbox).where(inbox.c.id == item_id)).mappings().one()

    def outcome(self, item_id: str) -> tuple[str, str]:
        self.handle_all()
        row = self.item(item_id)
        return row["state"], row["note"]

    def whispers(self) -> list[tuple[object, str]]:
        self.send_all()
        return [(w["user"], str(w["text"])) for w in self.slack.workspace.of("whisper")]

    def proposal(self, proposal_id: str) -> JsonObject:
        return next(p for p in self.casebook.proposals(now=self.clock()) if p["id"] == proposal_id)

    def audited(self, subject: str) -> list[object]:
        with self.casebook.reading() as connection:
            return [entry["what"] for entry in read_entries(connection, subject=subject)]


def record(**changed: object) -> InvestigationRecord:
    """The leaked key of the demo, every proposal on a small part of all spend."""
    golden = Path(__file__).parent / "golden" / "slack" / "incidents.json"
    stored = json.loads(golden.read_text("utf-8"))["key_leak"]
    proposals = [p | cast(dict[str, object], changed.get(p["id"], {})) for p in stored["proposals"]]
    touched = {p["id"]: Touched(0.01, "search") for p in proposals}
    incident = stored["incident"] | {"evidence": [], "proposals": proposals}
    return InvestigationRecord(incident, [], NOON, touched=touched)


def value_of(message: Answer, verb: str, subject: str) -> str:
    """What the button carries that the message shows."""
    found = [value for value in _values(message["blocks"]) if value.startswith(f"v1.{verb}.{subject}.")]
    return found[0]


def _values(shown: object) -> Iterator[str]:
    if isinstance(shown, list):
        for part in shown:
            yield from _values(part)
    elif isinstance(shown, dict):
        if shown.get("type") == "button":
            yield str(shown.get("value"))
        for part in shown.values():
            yield from _values(part)


@contextmanager
def desk_at(folder: Path, casebook: Casebook | None = None) -> Iterator[Desk]:
    """With a casebook of its own in the folder, where none is given."""
    clock = HandClock(NOON)
    workspace = FakeWorkspace(folder / "slack.jsonl", clock=clock)
    with ExitStack() as stack:
        if casebook is None:
            casebook = stack.enter_context(Casebook.open(f"sqlite:///{folder}/casebook.sqlite", key=KEY))
        slack = stack.enter_context(fake_slack(workspace.journal, workspace=workspace))
        desk = Desk(casebook, slack, clock)
        desk.open_incident()
        yield desk
