"""Sends letters of the outbox to Slack: in the order of their lane, and none twice after a lost answer.

A letter that was begun before is looked for in the channel first. While Slack is called, no transaction of
the casebook is open.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol, assert_never

from sqlalchemy import Connection

from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Entry, append_entry
from tokensleuth.casebook.queues import (
    LEASE,
    Queued,
    drop_from_outbox,
    finish_outbox,
    put_off,
    take_from_outbox,
)
from tokensleuth.casebook.schema_acts import outbox
from tokensleuth.casebook.telling import message_is_out
from tokensleuth.slackapp.limits import Rendered
from tokensleuth.slackapp.placing import Never, NotYet, Place, follow, place_of
from tokensleuth.slackapp.port import (
    BadAuthError,
    LostError,
    NotAcceptedError,
    Posted,
    RetryLaterError,
    SlackApi,
    SlackError,
)

log = logging.getLogger(__name__)

AUTH_WAIT: Final = timedelta(seconds=60)
LONGEST_WAIT_S: Final = 600
CLOCKS_DIFFER: Final = timedelta(hours=1)
"""How far Slack's clock and ours may be apart when a message is looked for."""
WAIT_FOR_ALERT: Final = timedelta(seconds=5)
MAX_PLAIN: Final = 3000
"""Characters of a message whose blocks Slack did not take."""

_LOOKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})


class Rendering(Protocol):
    """From a letter to a message, as the casebook is now; `slackapp.letters` does it."""

    def rendered(self, connection: Connection, letter: Queued, place: Place) -> Rendered | None:
        """None where there is nothing to say any more."""
        ...

    def chart(self, connection: Connection, letter: Queued) -> bytes | None:
        """The picture for a new message, where it has one."""
        ...


@dataclass(frozen=True, slots=True)
class _Message:
    place: Place
    versions: Sequence[Rendered]
    """The best first: with the chart, without, and plain text."""


@dataclass(slots=True)
class OutboxSender:
    """One at a time is enough; several on one casebook do not send a letter twice."""

    casebook: Casebook
    api: SlackApi
    render: Rendering
    owner: str
    clock: Callable[[], datetime]
    problem: str | None = None
    """Why nothing can be sent until a person does something; health shows it."""
    waits_until: datetime | None = None
    held_until: datetime | None = None
    """After that nothing is posted: another may take the letter for one whose sender died."""

    def send_one(self, now: datetime) -> bool:
        """Take a letter whose turn it is and bring it on its way; False where there is none."""
        if self.waits_until is not None and now < self.waits_until:
            return False
        with self.casebook.writing() as connection:
            letter = take_from_outbox(connection, self.owner, now)
        if letter is None:
            return False
        self.held_until = now + LEASE / 2
        try:
            self._deliver(letter)
        except SlackError as error:
            self._failed(letter, error)
        else:
            self.problem = self.waits_until = None
        return True

    def _deliver(self, letter: Queued) -> None:
        prepared = self._prepared(letter)
        match prepared:
            case Never():
                self._drop(letter, prepared.why)
            case NotYet():
                self._wait_behind(letter, prepared)
            case _Message():
                self._send(letter, prepared)
            case _:
                assert_never(prepared)

    def _prepared(self, letter: Queued) -> _Message | Never | NotYet:
        with self.casebook.reading() as connection:
            place = place_of(connection, letter)
            if not isinstance(place, Place):
                return place
            versions = self._versions(connection, letter, place)
        return _Message(place, versions) if versions else Never("there is nothing to say any more")

    def _versions(self, connection: Connection, letter: Queued, place: Place) -> list[Rendered]:
        bare = self.render.rendered(connection, letter, replace(place, chart_file=None))
        if bare is None:
            return []
        charted = self.render.rendered(connection, letter, place) if place.chart_file else None
        plain = Rendered(bare.text[:MAX_PLAIN], [])
        return [version for version in (charted, bare, plain) if version]

    def _send(self, letter: Queued, message: _Message) -> None:
        match message.place.way:
            case "update":
                self._update(letter, message)
            case "whisper":
                self._whisper(letter, message)
            case "post" | "reply":
                self._post_once(letter, message)
            case _:
                assert_never(message.place.way)

    def _post_once(self, letter: Queued, message: _Message) -> None:
        """A letter that was begun before may be out already."""
        place = message.place
        if letter.tries:
            since = letter.at - CLOCKS_DIFFER
            found = self.api.find(place.channel, letter.id, since=since, thread_ts=place.thread_ts)
            if found is not None:
                self._done(letter, found, None)
                return
        charted = self._with_chart(letter, message)
        self._done(letter, self._posted(letter, charted), charted.place.chart_file)

    def _with_chart(self, letter: Queued, message: _Message) -> _Message:
        """A chart is good to have: what goes wrong with it keeps nothing back."""
        with self.casebook.reading() as connection:
            picture = self.render.chart(connection, letter)
        if picture is None:
            return message
        try:
            file_id = self.api.upload(*_picture(letter.kind, picture))
        except SlackError as error:
            log.warning("letter %s goes without its chart: %s", letter.id, error)
            return message
        place = replace(message.place, chart_file=file_id)
        with self.casebook.reading() as connection:
            return _Message(place, self._versions(connection, letter, place) or message.versions)

    def _posted(self, letter: Queued, message: _Message) -> Posted:
        place = message.place
        if self.held_until is not None and self.clock() > self.held_until:
            raise RetryLaterError("it took too long to prepare", 1)
        return _first_taken(
            message.versions,
            lambda shown: self.api.post(
                place.channel, shown.text, shown.blocks, outbox_id=letter.id, thread_ts=place.thread_ts
            ),
        )

    def _update(self, letter: Queued, message: _Message) -> None:
        place, ts = message.place, message.place.ts or ""

        def update(shown: Rendered) -> Posted:
            self.api.update(place.channel, ts, shown.text, shown.blocks, outbox_id=place.outbox_id)
            return Posted(place.channel, ts)

        self._done(letter, _first_taken(message.versions, update), place.chart_file)

    def _whisper(self, letter: Queued, message: _Message) -> None:
        """Cannot be looked for afterwards, so it is tried once: at most one reaches the person."""
        if letter.tries:
            self._drop(letter, "nobody knows whether the answer to the click went out; it is not sent twice")
            return
        place = message.place

        def whisper(shown: Rendered) -> Posted:
            ts = self.api.whisper(place.channel, place.user or "", shown.text, shown.blocks)
            return Posted(place.channel, ts)

        self._done(letter, _first_taken(message.versions, whisper), None)

    def _done(self, letter: Queued, posted: Posted, chart_file: str | None) -> None:
        reply = {"channel": posted.channel, "ts": posted.ts, "chart_file": chart_file}
        now = self.clock()
        with self.casebook.writing() as connection:
            mine = finish_outbox(connection, letter.number, self.owner, reply=reply, now=now)
            if mine and letter.kind in ("alert", "storm"):
                message_is_out(connection, letter.id, posted.ts)

    def _failed(self, letter: Queued, error: SlackError) -> None:
        match error:
            case NotAcceptedError():
                self._drop(letter, str(error))
            case RetryLaterError():
                self._put_off(letter, timedelta(seconds=error.after_s), str(error), sent=False)
            case BadAuthError():
                self.problem, self.waits_until = str(error), self.clock() + AUTH_WAIT
                self._put_off(letter, AUTH_WAIT, str(error), sent=False)
            case LostError():
                self._put_off(letter, _backoff(letter.tries), str(error), sent=True)
            case _:
                raise error

    def _put_off(self, letter: Queued, wait: timedelta, why: str, *, sent: bool) -> None:
        """`sent` says that it may have gone out; once it may have, it stays so."""
        until = self.clock() + wait
        with self.casebook.writing() as connection:
            put_off(connection, outbox, letter.number, self.owner, until=until, why=why, sent=sent)
        log.info("letter %s waits until %s: %s", letter.id, until, why)

    def _wait_behind(self, letter: Queued, behind: NotYet) -> None:
        if behind.lane == letter.lane:
            self._put_off(letter, WAIT_FOR_ALERT, behind.why, sent=False)
            return
        with self.casebook.writing() as connection:
            follow(connection, letter, self.owner, behind.lane)

    def _drop(self, letter: Queued, why: str) -> None:
        now = self.clock()
        document = {"kind": letter.kind, "lane": letter.lane, "incident_id": letter.incident_id, "why": why}
        with self.casebook.writing() as connection:
            if drop_from_outbox(connection, letter.number, self.owner, error=why, now=now):
                entry = Entry("service:sender", "not-sent", letter.id, document, now)
                append_entry(connection, entry, self.casebook.key)
        log.warning("letter %s (%s) is not sent: %s", letter.id, letter.kind, why)


def _picture(kind: str, picture: bytes) -> tuple[str, bytes, str]:
    """Its name, the picture, and what it shows."""
    if kind == "digest":
        return "week.png", picture, "Spend per hour of the week"
    return "incident.png", picture, "Spend per hour around the incident"


def _first_taken(versions: Sequence[Rendered], send: Callable[[Rendered], Posted]) -> Posted:
    """What is refused for its looks is sent plainer: better said badly than not at all."""
    *better, last = versions
    for shown in better:
        try:
            return send(shown)
        except NotAcceptedError as error:
            if error.reason not in _LOOKS:
                raise
            log.warning("Slack does not take how a message looks, so it goes plainer: %s", error)
    return send(last)


def _backoff(tries: int) -> timedelta:
    return timedelta(seconds=min(2 ** min(tries + 1, 10), LONGEST_WAIT_S))
