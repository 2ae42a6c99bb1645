"""Works through what came in from Slack: each click or command counts once, or is refused with a reason."""

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, assert_never

from sqlalchemy import Connection

from ledger.errors import RefusedError, UnreachableError
from ledger.ids import fact_id
from ledger.window import parse_range
from tokensleuth.approvals import Answer, Request, decide
from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Entry, append_entry
from tokensleuth.casebook.feedback import FeedbackVerdict
from tokensleuth.casebook.queues import (
    Letter,
    Queued,
    finish_inbox,
    put_in_outbox,
    put_off,
    take_from_inbox,
)
from tokensleuth.casebook.schema_acts import inbox
from tokensleuth.people import Identity
from tokensleuth.slackapp.clicks import (
    Meant,
    Refused,
    TooEarly,
    hash_seen,
    identity_of,
    judged_already,
    meaning,
    said_already,
    stranger,
    undone_already,
)
from tokensleuth.slackapp.incoming import USUAL_RANGE, Click, Incoming, Odd, Slash, read_kept
from tokensleuth.tuning.judging import Judgement, judge

log = logging.getLogger(__name__)

SOON: Final = timedelta(seconds=2)
LONGEST_WAIT_S: Final = 300

Whisper = Mapping[str, object]
"""What only the person is told: `about` is click, counted, not-ours or details."""
Undo = Callable[[str, Identity], Answer]
"""From a proposal's id and a person to what became of it."""


class Investigate(Protocol):
    """Queues a look into a range, whose result is posted to the channel: once for each request id."""

    def __call__(self, time_range: str, by: Identity, channel: str, *, request_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of an item, to be noted in one transaction."""

    state: Literal["done", "refused"]
    note: str
    incident_id: str | None = None
    whisper: Whisper | None = None
    """What only the person sees."""
    audited: bool = True
    """Whether the trail has it already."""


@dataclass(frozen=True, slots=True)
class InboxWorker:
    """Safe to kill at any time: what it began is done again, and counts once."""

    casebook: Casebook
    rules: ApprovalRules
    """Its people's `slack_team` is the home workspace."""
    undo: Undo
    investigate: Investigate
    owner: str
    clock: Callable[[], datetime]

    def handle_one(self, now: datetime) -> bool:
        """Take the earliest item that is due; False where there is none."""
        with self.casebook.writing() as connection:
            item = take_from_inbox(connection, self.owner, now)
        if item is None:
            return False
        try:
            self._settle(item, read_kept(item.body), now)
        except UnreachableError as error:
            wait = timedelta(seconds=min(2 ** min(item.tries + 1, 9), LONGEST_WAIT_S))
            with suppress(UnreachableError):  # then its lease runs out, and somebody takes it again
                self._put_off(item, wait, str(error))
        return True

    def _settle(self, item: Queued, sent: Incoming, now: datetime) -> None:
        outcome = self._outcome(item, sent, now)
        if outcome is None:
            self._put_off(item, SOON, "the message it is on may not be noted yet")
            return
        with self.casebook.writing() as connection:
            mine = finish_inbox(
                connection, item.number, self.owner, state=outcome.state, note=outcome.note, now=now
            )
            if mine:
                self._note(connection, item, sent, outcome, now)

    def _outcome(self, item: Queued, sent: Incoming, now: datetime) -> _Outcome | None:
        """None where it has to wait."""
        if isinstance(sent, Odd):
            return _refused(Refused(sent.why))
        strange = stranger(sent, self.rules.people.slack_team)
        if strange is not None:
            return _refused(strange)
        if isinstance(sent, Slash):
            return self._investigated(item, sent, now)
        with self.casebook.reading() as connection:
            meant = meaning(connection, sent, self.casebook.key, item.at, now)
            done = isinstance(meant, Meant) and self._was_done(connection, item, meant)
        match meant:
            case Refused():
                return _refused(meant)
            case TooEarly():
                return None
            case Meant():
                return _Outcome("done", "it was done before") if done else self._acted(meant, now)
            case _:
                assert_never(meant)

    def _was_done(self, connection: Connection, item: Queued, meant: Meant) -> bool:
        """Whether it was begun before and came through: killed before it was noted that this was it."""
        if not item.tries:
            return False
        person = self.rules.people.person(meant.by)
        match meant.button.verb:
            case "approve" | "reject":
                return said_already(connection, meant, person)
            case "undo":
                return undone_already(connection, meant, person)
            case "details":
                return False
            case _:
                return judged_already(connection, meant, person, item.at)

    def _acted(self, meant: Meant, now: datetime) -> _Outcome:
        match meant.button.verb:
            case "approve" | "reject" as verdict:
                return self._decided(meant, verdict, now)
            case "undo":
                return self._undone(meant)
            case "details":
                whisper: Whisper = {"about": "details", "proposal_id": meant.button.subject_id}
                return _Outcome("done", "shown", meant.incident_id, whisper)
            case "expected" | "not-an-issue" | "real" as verdict:
                return self._judged(meant, verdict, now)
            case _:
                assert_never(meant.button.verb)

    def _decided(self, meant: Meant, verdict: Literal["approve", "reject"], now: datetime) -> _Outcome:
        if meant.asked is None:
            return _gone(meant)
        request = Request(meant.asked.id, verdict, meant.by, hash_seen(meant.button, meant.asked))
        return _answered(decide(self.casebook, request, self.rules, now), meant)

    def _undone(self, meant: Meant) -> _Outcome:
        if meant.asked is None:
            return _gone(meant)
        if meant.button.round != meant.asked.round:
            why = "it was proposed anew since; use the buttons of the latest message"
            return _refused(Refused(why, tell=True, incident_id=meant.incident_id))
        try:
            return _answered(self.undo(meant.asked.id, meant.by), meant)
        except RefusedError as error:
            return _refused(Refused(str(error), tell=True, incident_id=meant.incident_id))

    def _judged(self, meant: Meant, verdict: FeedbackVerdict, now: datetime) -> _Outcome:
        """Anybody of the home workspace may; what it changed is told to them."""
        said = Judgement(meant.incident_id, verdict, meant.by)
        judged = judge(self.casebook, said, self.rules.people, now)
        whisper: Whisper | None = (
            {"about": "counted", "told": judged.told} if judged and judged.told else None
        )
        return _Outcome("done", verdict, meant.incident_id, whisper)

    def _investigated(self, item: Queued, slash: Slash, now: datetime) -> _Outcome:
        """What is no range was told so at once."""
        time_range = slash.text or USUAL_RANGE
        try:
            parse_range(time_range, now=now)
        except RefusedError as error:
            return _refused(Refused(str(error)))
        self.investigate(time_range, identity_of(slash), slash.channel, request_id=item.id)
        return _Outcome("done", "asked for", audited=False)

    def _note(
        self, connection: Connection, item: Queued, sent: Incoming, outcome: _Outcome, now: datetime
    ) -> None:
        if outcome.whisper is not None and not isinstance(sent, Odd):
            letter = _whisper(item, sent, outcome)
            put_in_outbox(connection, letter, now)
        if not outcome.audited:
            actor = "slack" if isinstance(sent, Odd) else self.rules.people.person(identity_of(sent))
            document = {"note": outcome.note, "source": item.kind, **sent.model_dump(mode="json")}
            what = f"slack-{sent.kind}" if outcome.state == "done" else "refused"
            append_entry(connection, Entry(actor, what, item.id, document, now), self.casebook.key)

    def _put_off(self, item: Queued, wait: timedelta, why: str) -> None:
        until = self.clock() + wait
        with self.casebook.writing() as connection:
            put_off(connection, inbox, item.number, self.owner, until=until, why=why)
        log.info("what Slack sent as %s waits until %s: %s", item.id, until, why)


def _refused(refused: Refused) -> _Outcome:
    told: Whisper = {"about": "not-ours"} if refused.not_ours else {"about": "click", "told": refused.why}
    whisper = told if refused.tell else None
    return _Outcome("refused", refused.why, refused.incident_id, whisper, audited=False)


def _gone(meant: Meant) -> _Outcome:
    why = f"there is no proposal {meant.button.subject_id}"
    return _refused(Refused(why, tell=True, incident_id=meant.incident_id))


def _answered(answer: Answer, meant: Meant) -> _Outcome:
    """The thread tells everybody of what was decided; of a refusal only the person is told."""
    if answer.outcome == "refused":
        return _Outcome("refused", answer.told, meant.incident_id, {"about": "click", "told": answer.told})
    return _Outcome("done", answer.told, meant.incident_id)


def _whisper(item: Queued, sent: Click | Slash, outcome: _Outcome) -> Letter:
    """In a lane of its own: it neither waits for other letters nor holds them up."""
    body = {"channel": sent.channel, "user": sent.user, **(outcome.whisper or {})}
    lane = f"slack:{sent.channel}:{sent.user}"
    return Letter(fact_id("out", "whisper", item.id), lane, "ephemeral", outcome.incident_id, body)
