"""People, proposals put up for decision, and clicks on them: short and valid, for tests of decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from ledger.scope import Scope
from tests.incident_documents import NOW, incident_document, proposal_document
from tokensleuth.approvals import Answer, Request, decide
from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.casebook import Casebook, EvidenceDocument, InvestigationRecord, JsonObject
from tokensleuth.casebook.audit import read_entries
from tokensleuth.casebook.decided import Asked, Verdict, read_asked
from tokensleuth.casebook.queues import Letter, put_in_outbox
from tokensleuth.casebook.records import Touched
from tokensleuth.casebook.schema import metadata
from tokensleuth.casebook.telling import Message, add_message
from tokensleuth.people import ActionClass, Approver, Identity, People, token_digest

TEAM = "T0HOME"
EVERYTHING: tuple[ActionClass, ...] = ("limit", "block", "revoke", "tell")
SMALL = Touched(0.01, "search", frozenset({"k1"}))
_EVIDENCE = EvidenceDocument("ev_1", "breakdown", {"by": "key_id"}, "ok", [{"key_id": "k1"}], {})
_PARAMETERS: Mapping[str, Mapping[str, object]] = {
    "set_rate_limit": {"tokens_per_minute": 40_000},
    "set_budget": {"max_usd": "50.00", "period": "day"},
    "downgrade_model": {"from_model": "gpt-4o", "to_model": "gpt-4o-mini"},
    "fix_price": {"model": "gpt-x", "reason": "it costs nothing in the book"},
    "mark_expected": {"until": "2026-11-05T00:00:00Z"},
    "notify_owner": {"owner": "search-oncall", "message": "Key k1 retries without a pause."},
}


def approver(name: str, *may: ActionClass) -> Approver:
    """Known in Slack, in the web inbox and to the operating system; may everything where nothing is said."""
    return Approver(
        name=name,
        slack=f"U0{name.upper()}",
        os_user=f"unix-{name}",
        web_token_sha256=token_digest(f"token of {name}"),
        may=may or EVERYTHING,
    )


def people(*approvers: Approver) -> People:
    """Alice, Bob, Carol and Dave, who may everything, unless others are given."""
    everybody = tuple(approver(name) for name in ("alice", "bob", "carol", "dave"))
    return People(approvers or everybody, TEAM)


def rules(*approvers: Approver, max_spend_share: float = 0.05) -> ApprovalRules:
    return ApprovalRules(people(*approvers), max_spend_share)


def slack(name: str, *, team: str = TEAM) -> Identity:
    return Identity("slack", f"{team}/U0{name.upper()}")


def web(name: str) -> Identity:
    return Identity("web", name)


def unix(name: str) -> Identity:
    return Identity("os", f"unix-{name}")


def asked_for(
    action: str = "set_rate_limit", /, *, gateway: object = "litellm", **changed: object
) -> JsonObject:
    """A proposal on key k1 of team search."""
    target = {"gateway": gateway, "team": "search", "key_id": "k1"}
    usual: dict[str, object] = {"target": target, "reversible": action != "revoke_key"}
    return proposal_document(action, _PARAMETERS.get(action, {})) | usual | changed


def propose(
    casebook: Casebook,
    *documents: JsonObject,
    incident_id: str = "inc_1",
    touched: Touched | None = SMALL,
    requested_by: str = "service:schedule",
    at: datetime = NOW,
) -> str:
    """Put them up for decision as one investigation; gives the first id."""
    proposed = documents or (asked_for(),)
    record = InvestigationRecord(
        incident=incident_document(incident_id, proposals=list(proposed)),
        evidence=[_EVIDENCE],
        saved_at=at,
        requested_by=requested_by,
        touched={str(d["id"]): touched for d in proposed} if touched else {},
    )
    casebook.save(record)
    return str(proposed[0]["id"])


def stored(casebook: Casebook, proposal_id: str) -> Asked:
    with casebook.reading() as connection:
        asked = read_asked(connection, proposal_id)
    assert asked is not None
    return asked


def click(
    casebook: Casebook,
    proposal_id: str,
    by: Identity,
    verdict: Verdict = "approve",
    *,
    seen: str | None = "as stored",
    by_rules: ApprovalRules | None = None,
    now: datetime = NOW,
    reason: str | None = None,
) -> Answer:
    """A word on what is stored now, unless another hash was seen."""
    shown = stored(casebook, proposal_id).payload_hash if seen == "as stored" else seen
    request = Request(proposal_id, verdict, by, shown, reason)
    return decide(casebook, request, by_rules or rules(), now)


def told_in_slack(casebook: Casebook, incident_id: str = "inc_1", channel: str = "C1") -> None:
    """A message of that channel tells of the incident, and is out."""
    with casebook.writing() as connection:
        letter = Letter(f"out_{incident_id}", f"slack:{channel}", "alert", incident_id, {"channel": channel})
        put_in_outbox(connection, letter, NOW)
        connection.exec_driver_sql("update outbox set state = 'sent', tries = 1")
        add_message(connection, Message(incident_id, channel, "alert", "1.1", letter.id, NOW))


@dataclass(frozen=True, slots=True)
class FixedSpend:
    """Says of every target that it touches the same."""

    fixed: Touched | None = SMALL

    def touched(self, _: Scope) -> Touched | None:
        return self.fixed


def audited(casebook: Casebook, subject: str | None = None) -> Sequence[str]:
    """What the trail says was done, earliest first."""
    with casebook.reading() as connection:
        return [str(entry["what"]) for entry in reversed(read_entries(connection, subject=subject))]


def rows_by_table(connection: Connection) -> dict[str, int]:
    """How many rows each table of the casebook has."""
    return {
        name: connection.scalar(select(func.count()).select_from(table)) or 0
        for name, table in metadata.tables.items()
    }
