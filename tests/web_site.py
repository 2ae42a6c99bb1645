"""A web inbox over a casebook in a temporary folder, and people who use it as browsers do."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from starlette.testclient import TestClient

from ledger.errors import UnreachableError
from ledger.store import Ledger
from tests.incident_documents import NOW, incident_document, proposal_document, save_incidents
from tokensleuth.approvals import Answer
from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.casebook import Casebook, JsonObject
from tokensleuth.casebook.decided import move, read_asked
from tokensleuth.casebook.executed import begin, change
from tokensleuth.people import Approver, Identity, People, token_digest
from tokensleuth.settings_acts import Actions, Web
from tokensleuth.web import WebParts, create_app

HOME = "http://127.0.0.1"
GUEST = "guest-token"
INCIDENT = "inc_1"
LIMIT, REVOKE, NOTIFY = "prop_limit", "prop_revoke", "prop_notify"


def approver(name: str, *may: str, digest_of: str | None = None) -> Approver:
    classes = may or ("limit", "block", "revoke", "tell")
    digest = token_digest(digest_of or f"{name}-token")
    return Approver.model_validate({"name": name, "web_token_sha256": digest, "may": classes})


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **amount: float) -> None:
        self.now += timedelta(**amount)


@dataclass
class Undoer:
    """Takes down who asked for which undo."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, proposal_id: str, by: Identity) -> Answer:
        self.asked.append((proposal_id, str(by)))
        return Answer("approved", f"{by.name} takes it back", proposal_id, INCIDENT)


def no_ledger() -> AbstractContextManager[Ledger]:
    raise UnreachableError("the ledger is in use by another process")


def parts_over(casebook: Casebook, *people: Approver, **changed: object) -> WebParts:
    """Alice and Bob may decide on everything; the ledger is not to be had."""
    listed = people or (approver("alice"), approver("bob"))
    parts = WebParts(
        casebook=casebook,
        rules=ApprovalRules(People(listed)),
        web=Web(),
        actions=Actions(),
        clock=Clock(),
        ledger=no_ledger,
        undo=Undoer(),
        health=lambda: {"ok": True},
        guest_token=GUEST,
    )
    return replace(parts, **changed)  # type: ignore[arg-type]


def browser(parts: WebParts, person: str | None = None, *, at: str = HOME) -> TestClient:
    """A browser of its own; logged in where a person or the guest is named."""
    client = TestClient(create_app(parts), base_url=at, follow_redirects=False, raise_server_exceptions=False)
    if person is not None:
        token = GUEST if person == "guest" else f"{person}-token"
        assert client.post("/login", data={"token": token}).status_code == 303
    return client


@contextmanager
def casebook_in(folder: Path) -> Iterator[Casebook]:
    with Casebook.open(f"sqlite:///{folder}/casebook.sqlite", key=b"the casebook key of the tests") as opened:
        yield opened


def proposals() -> list[JsonObject]:
    """A limit, a message that one person may send, and something final."""
    on = {"gateway": "litellm", "team": "search", "key_id": "k1"}
    limit = {"tokens_per_minute": 40000}
    return [
        proposal_document("set_rate_limit", limit, proposal_id=LIMIT, target=on),
        proposal_document(proposal_id=NOTIFY),
        proposal_document("revoke_key", {}, proposal_id=REVOKE, target=on, reversible=False),
    ]


def with_incident(casebook: Casebook, **changed: object) -> None:
    """One incident with three proposals."""
    save_incidents(casebook, incident_document(INCIDENT, **({"proposals": proposals()} | changed)))


def carried_out(parts: WebParts, proposal_id: str, *, dry_run: bool = False) -> None:
    """As the executor leaves what it did."""
    now = parts.clock()
    with parts.casebook.writing() as connection:
        asked = read_asked(connection, proposal_id)
        assert asked is not None
        execution = begin(
            connection,
            asked,
            "apply",
            gateway="litellm",
            dry_run=dry_run,
            requested_by="alice",
            owner="w",
            now=now,
        )
        change(connection, execution.id, "w", state="done", finished_at=now)
        move(connection, asked, to="done", now=now)


def form_on(client: TestClient, page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that posts to `action`."""
    html = client.get(page).text
    form = re.search(rf'<form[^>]*action="{re.escape(action)}">(.*?)</form>', html, re.DOTALL)
    assert form is not None, f"{page} has no form to {action}"
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[1]))


def press(
    client: TestClient, action: str, *, page: str = f"/incidents/{INCIDENT}", **typed: str
) -> Sequence[str]:
    """Post the form as the page has it; the text of what the next page tells."""
    answer = client.post(action, data=form_on(client, page, action) | typed)
    assert answer.status_code == 303, answer.text
    return told_on(client, answer.headers["location"])


def told_on(client: TestClient, page: str) -> list[str]:
    return re.findall(r'role="status">(.*?)</p>', client.get(page.partition("#")[0]).text)


def bearer(person: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {person}-token"}
