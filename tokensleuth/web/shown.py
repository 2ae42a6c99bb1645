"""A proposal in words for people: what it does, who may decide it, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from tokensleuth.approvals.rules import ApprovalRules, objection
from tokensleuth.casebook import ProposalState
from tokensleuth.casebook.decided import Asked
from tokensleuth.casebook.executed import Execution
from tokensleuth.casebook.views import IncidentView, ProposalView
from tokensleuth.casebook.watches import Watch
from tokensleuth.terminal.proposals import TELLING, measure_text
from tokensleuth.terminal.text import Document, counted, percent, printable, target_parts, usd
from tokensleuth.web.sessions import Session

Look = Literal["good", "bad", "warn", "plain"]

_VISITOR = "you look on as a visitor; log in with a token of your own to decide"
_LOOKS: dict[str, Look] = {
    "pending": "warn", "approved": "good", "executing": "warn", "done": "good", "rejected": "plain",
    "expired": "plain", "failed": "bad", "unknown": "bad", "blocked": "bad",
}  # fmt: skip
_WATCHED = {
    "watching": "watched",
    "returned": "spend is back where it was",
    "not_returned": "spend did not come back",
    "no_data": "no usage came in to judge it by",
    "undone": "no longer watched: it was undone",
}


@dataclass(frozen=True, slots=True)
class Card:
    """What a page shows of one proposal."""

    view: ProposalView
    what: str
    target: Sequence[str]
    saves: str | None
    refuses: str | None
    is_final: bool
    only_tells: bool
    message: str | None
    """What the owner would be told."""
    needed: int
    approved_by: Sequence[str]
    share: str | None
    expires_in: str
    why_not_approve: str | None
    """Why whoever looks cannot; None where they can."""
    why_not_reject: str | None
    look: Look

    @property
    def id(self) -> str:
        return self.view.id

    @property
    def state(self) -> str:
        """What was only rehearsed is not called done."""
        execution = self.view.execution
        is_rehearsed = self.view.state == "done" and execution is not None and execution.dry_run
        return "rehearsed" if is_rehearsed else self.view.state

    @property
    def is_open(self) -> bool:
        return self.view.state == "pending"


def _refuses(saving: object, refused: object) -> str | None:
    """None where it refuses none or does not apply; a source that counts no requests does not tell."""
    if refused is None and saving is not None:
        return "not known: the source counts no requests"
    return f"{counted(cast(int, refused), 'request')} a day" if refused else None


def card(view: ProposalView, rules: ApprovalRules, session: Session | None, now: datetime) -> Card:
    """The proposal as the person of this session sees it."""
    document, asked = view.document, asked_of(view.document)
    saving, refused = document["expected_saving_usd_per_day"], document["requests_refused_per_day"]
    message = cast(Document, document["parameters"]).get("message")
    return Card(
        view=view,
        what=measure_text(document),
        target=target_parts(document["target"]),
        saves=None if saving is None else usd(saving),
        refuses=_refuses(saving, refused),
        is_final=not asked.reversible,
        only_tells=asked.action in TELLING,
        message=None if message is None else printable(message),
        needed=rules.people_needed(asked),
        approved_by=[said.decided_by for said in view.words if said.verdict == "approve"],
        share=None if asked.spend_share is None else percent(asked.spend_share),
        expires_in=time_left(asked.expires_at - now),
        why_not_approve=_why_not(view, asked, "approve", rules, session, now),
        why_not_reject=_why_not(view, asked, "reject", rules, session, now),
        look=_LOOKS.get(view.state, "plain"),
    )


def cards(view: IncidentView, rules: ApprovalRules, session: Session | None, now: datetime) -> Sequence[Card]:
    return [card(proposal, rules, session, now) for proposal in view.proposals]


def asked_of(document: Document) -> Asked:
    """What the rules judge, from the document that a view holds; the owner is for the executor alone."""
    share = document["spend_share"]
    return Asked(
        id=str(document["id"]),
        incident_id=str(document["incident_id"]),
        action=str(document["action"]),
        state=cast(ProposalState, document["state"]),
        round=cast(int, document["round"]),
        payload_hash=str(document["payload_hash"]),
        requested_by=str(document["requested_by"]),
        spend_share=None if share is None else float(cast(float, share)),
        owner=None,
        expires_at=datetime.fromisoformat(str(document["expires_at"])),
        document=dict(document),
    )


def time_left(left: timedelta) -> str:
    """`3 h 20 min`, `12 min`, `2 d 4 h`."""
    minutes = int(left.total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def execution_told(execution: Execution) -> str:
    """What became of doing it, or of taking it back, in a sentence."""
    deed = "undone" if execution.kind == "undo" else "done"
    why = f": {execution.reason}" if execution.reason else ""
    match execution.state:
        case "executing":
            return "under way"
        case "done" if execution.dry_run:
            return f"rehearsed{why or ': nothing was changed'}"
        case "done" if execution.gateway == "none":
            return f"{deed}{why}"
        case "done":
            return f"{deed}, and read back from {execution.gateway}{why}"
        case "failed":
            return f"not {deed}{why}"
        case "blocked":
            return f"stopped before anything was changed{why}"
        case "unknown":
            return f"nobody knows whether it was {deed}: look at {execution.gateway} yourself{why}"


def watch_told(watch: Watch) -> str:
    return _WATCHED[watch.state]


def _why_not(
    view: ProposalView,
    asked: Asked,
    verdict: Literal["approve", "reject"],
    rules: ApprovalRules,
    session: Session | None,
    now: datetime,
) -> str | None:
    if session is None or session.identity is None:
        return _VISITOR
    return objection(asked, verdict, session.identity, asked.payload_hash, view.words, rules, now)
