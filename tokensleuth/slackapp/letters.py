"""From a letter of the outbox to the message it becomes, with the casebook as it is when it is sent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import Connection, select

from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.casebook.digests import KeptDigest, read_digest
from tokensleuth.casebook.notices import notice_of
from tokensleuth.casebook.queues import Queued
from tokensleuth.casebook.schema import incidents
from tokensleuth.casebook.schema_acts import messages
from tokensleuth.casebook.views import IncidentView, read_view
from tokensleuth.slackapp.alert import alert
from tokensleuth.slackapp.answers import counted_as, failed, found, not_counted, not_ours, owner_notice
from tokensleuth.slackapp.blocks import image
from tokensleuth.slackapp.bulletin import bulletin
from tokensleuth.slackapp.limits import MOST_BLOCKS, Block, Rendered
from tokensleuth.slackapp.look import Look
from tokensleuth.slackapp.placing import Place
from tokensleuth.slackapp.storm import storm
from tokensleuth.slackapp.thread import ThreadKind, details, thread_letter

if TYPE_CHECKING:
    from tokensleuth.charts import Spec

CHART_AT: Final = 2
"""Among the blocks of a digest: below its header and first sentences."""
MOST_VIEWS: Final = 50
"""Incidents of a storm, or of an answer, that are looked at one by one: the largest."""
THREAD: Final[frozenset[str]] = frozenset(
    {"decided", "executed", "undone", "watched", "refused", "feedback", "found"}
)


@dataclass(frozen=True, slots=True)
class LetterRendering:
    """What letters need beside the casebook."""

    key: bytes = field(repr=False)
    """Signs the buttons."""
    rules: ApprovalRules
    clock: Callable[[], datetime]
    link_base: str | None = None
    dry_run: bool = True
    limit_hours: int = 0

    def rendered(self, connection: Connection, letter: Queued, place: Place) -> Rendered | None:
        """None where what it is about is not there any more."""
        look = self._look(place)
        match letter.kind:
            case "digest":
                return _digest(connection, letter, place.chart_file)
            case "result":
                return self._result(connection, letter, look)
            case "bulletin":
                kept = notice_of(connection, str(letter.body.get("notice")))
                return bulletin(kept, str(letter.body.get("what")), look) if kept else None
            case "storm":
                return self._storm(connection, place.outbox_id, look)
            case "renew" if place.message_kind == "storm":
                return self._storm(connection, place.outbox_id, look)
        view = self._view(connection, letter.incident_id)
        if letter.kind == "ephemeral":
            return _whisper(letter.body, view, look)
        return _of_incident(letter, view, look) if view else None

    def chart(self, connection: Connection, letter: Queued) -> bytes | None:
        """The hours around the incident of a new alert, or of the week of a digest, where they were kept."""
        if letter.kind == "digest":
            return _digest_png(connection, letter)
        if letter.kind != "alert":
            return None
        view = self._view(connection, letter.incident_id)
        if view is None:
            return None
        # Imported here: the renderer loads an engine that most letters need not pay for.
        from tokensleuth.incident_chart import message_png

        return message_png(view)

    def _look(self, place: Place) -> Look:
        return Look(
            key=self.key,
            rules=self.rules,
            now=self.clock(),
            link_base=self.link_base,
            mention=place.mention,
            chart_file=place.chart_file,
            dry_run=self.dry_run,
            asked_at=place.asked_at,
            sent_at=place.sent_at,
            limit_hours=self.limit_hours,
        )

    def _view(self, connection: Connection, incident_id: str | None) -> IncidentView | None:
        return read_view(connection, incident_id, now=self.clock()) if incident_id else None

    def _views(self, connection: Connection, ids: Sequence[str]) -> list[IncidentView]:
        found_views = (self._view(connection, incident_id) for incident_id in ids[:MOST_VIEWS])
        return [view for view in found_views if view]

    def _result(self, connection: Connection, letter: Queued, look: Look) -> Rendered:
        time_range, error = str(letter.body.get("range")), letter.body.get("error")
        if error:
            return failed(time_range, str(error))
        ids = cast(Sequence[str], letter.body.get("incidents") or [])
        views = self._views(connection, ids)
        return found(time_range, views, look, of=len(views) + max(len(ids) - MOST_VIEWS, 0))

    def _storm(self, connection: Connection, outbox_id: str, look: Look) -> Rendered | None:
        told_of = select(messages.c.incident_id).where(messages.c.outbox_id == outbox_id)
        columns = (incidents.c.id, incidents.c.delta_usd, incidents.c.cause)
        rows = connection.execute(select(*columns).where(incidents.c.id.in_(told_of))).all()
        amounts = {row.id: Decimal(row.delta_usd) for row in rows}
        leaks = {row.id for row in rows if row.cause == "key_leak"}
        if not amounts:
            return None
        largest = sorted(amounts, key=lambda i: (i not in leaks, -abs(amounts[i]), i))
        views = self._views(connection, largest)
        return storm(views, len(amounts), sum(amounts.values(), Decimal()), look)


def _digest(connection: Connection, letter: Queued, chart_file: str | None) -> Rendered | None:
    """As it was kept, with the chart below the first sentences."""
    kept = _kept_digest(connection, letter)
    if kept is None:
        return None
    message = cast(Mapping[str, object], kept.document["slack"])
    blocks = [dict(block) for block in cast(Sequence[Block], message["blocks"])]
    if chart_file is not None and len(blocks) < MOST_BLOCKS:
        told = "Dollars per hour of the week, actual against expected."
        blocks.insert(CHART_AT, image(chart_file, told))
    return Rendered(str(message["text"]), blocks)


def _digest_png(connection: Connection, letter: Queued) -> bytes | None:
    kept = _kept_digest(connection, letter)
    spec = cast("Spec | None", kept.document["chart"]) if kept else None
    if spec is None:
        return None
    # Imported here: the renderer loads an engine that most letters need not pay for.
    from tokensleuth.drawing import png_apart

    return png_apart(spec)


def _kept_digest(connection: Connection, letter: Queued) -> KeptDigest | None:
    return read_digest(connection, str(letter.body.get("week")), str(letter.body.get("audience")))


def _of_incident(letter: Queued, view: IncidentView, look: Look) -> Rendered | None:
    if letter.kind in ("alert", "renew"):
        return alert(view, look)
    if letter.kind == "notice":
        owner, message = str(letter.body.get("owner")), str(letter.body.get("message"))
        return owner_notice(owner, message, view.id, look)
    if letter.kind in THREAD:
        return thread_letter(cast(ThreadKind, letter.kind), letter.body, view, look)
    return None


def _whisper(body: Mapping[str, object], view: IncidentView | None, look: Look) -> Rendered | None:
    if body.get("about") == "not-ours":
        return not_ours()
    if body.get("about") == "click":
        return not_counted(str(body.get("told")))
    if body.get("about") == "counted":
        return counted_as(str(body.get("told")))
    asked = [p for p in view.proposals if p.id == body.get("proposal_id")] if view else []
    if view is None or not asked:
        return not_counted("that proposal is superseded: a later investigation found something else")
    return details(asked[0], view, look)
