"""Keeps the digest of a week and audience once, and writes its letters in the same transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ledger.ids import fact_id
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.digests import KeptDigest, keep_digest, note_channels, read_digest
from tokensleuth.casebook.queues import Letter, put_in_outbox
from tokensleuth.digest.audiences import Audience
from tokensleuth.digest.building import WeekBook
from tokensleuth.digest.charts import chart_of
from tokensleuth.digest.document import digest_document
from tokensleuth.digest.facts import Digest
from tokensleuth.digest.markdown import markdown
from tokensleuth.digest.page import Page
from tokensleuth.digest.words import page_of

Message = Callable[[Page, str], Mapping[str, object]]
"""From a page, and words on how to read all of it, to the `text` and `blocks` of a message."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of one digest."""

    week: str
    audience: str
    is_new: bool
    """Whether it was made now; else it stood in the casebook already."""
    channels: tuple[str, ...]
    """To which letters were written now."""

    def as_json(self) -> dict[str, object]:
        return {
            "week": self.week, "audience": self.audience, "new": self.is_new, "channels": list(self.channels),
        }  # fmt: skip


def post_audiences(
    casebook: Casebook, book: WeekBook, audiences: Sequence[Audience], message: Message, now: datetime
) -> list[Posted]:
    """One digest for each audience; what was told before is neither made nor told again."""
    return [_post(casebook, book, audience, message, now) for audience in audiences]


def letter_id(week: str, audience: str, channel: str) -> str:
    """One for each week, audience and channel, ever."""
    return fact_id("out", "digest", week, audience, channel)


def _post(casebook: Casebook, book: WeekBook, audience: Audience, message: Message, now: datetime) -> Posted:
    week = book.week.week.name
    with casebook.reading() as connection:
        kept = read_digest(connection, week, audience.name)
    if kept is not None and (kept.channels or not audience.channels):
        return Posted(week, audience.name, False, ())
    made = kept or kept_digest(book.digest(audience.team), audience, message, now)
    with casebook.writing() as connection:
        return _written(connection, made, audience, now)


def _written(connection: Connection, made: KeptDigest, audience: Audience, now: datetime) -> Posted:
    """Another may have come first; one that told nobody because no channel was set yet is told now."""
    is_new = keep_digest(connection, made)
    before = read_digest(connection, made.week, made.audience)
    if not is_new and (before is None or before.channels or not audience.channels):
        return Posted(made.week, made.audience, False, ())
    if not is_new and before is not None:
        note_channels(connection, before, list(audience.channels))
    told = tuple(c for c in audience.channels if _put_letter(connection, made, c, now))
    return Posted(made.week, made.audience, is_new, told)


def _put_letter(connection: Connection, made: KeptDigest, channel: str, now: datetime) -> bool:
    body = {"channel": channel, "week": made.week, "audience": made.audience}
    outbox_id = letter_id(made.week, made.audience, channel)
    return put_in_outbox(connection, Letter(outbox_id, f"slack:{channel}", "digest", None, body), now)


def kept_digest(digest: Digest, audience: Audience, message: Message, now: datetime) -> KeptDigest:
    """Ready to be kept: what was told stays as it was, whatever the ledger learns later."""
    page = page_of(digest)
    document: dict[str, object] = {
        "digest": digest_document(digest),
        "slack": dict(message(page, how_to_read(digest))),
        "chart": chart_of(digest, "spend") if digest.line else None,
        "channels": list(audience.channels),
    }
    return KeptDigest(digest.week.week.name, audience.name, document, markdown(page), now)


def how_to_read(digest: Digest) -> str:
    team = f" --team {digest.team}" if digest.team and digest.team.isascii() and digest.team.isalnum() else ""
    return f"All of it, with charts: tokensleuth digest --week {digest.week.week}{team} --format html -o FILE"
