"""What becomes of each incident of a batch, within the one write transaction that all of it commits in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from tokensleuth.announcing.hour import Hour
from tokensleuth.announcing.quieting import quiet_because
from tokensleuth.announcing.retelling import has_risen, last_told, news, told_facts
from tokensleuth.announcing.routing import Destination
from tokensleuth.casebook import JsonObject
from tokensleuth.casebook.audit import Entry, append_entry, read_entries
from tokensleuth.casebook.marks import Mark
from tokensleuth.casebook.telling import Message, messages_of, tell_incident
from tokensleuth.settings_acts import Severity
from tokensleuth.thresholds import Threshold

ACTOR = "service:announcing"

Outcome = Literal["own", "gathered", "kept_quiet", "renewed"]


@dataclass(frozen=True, slots=True)
class Alert:
    """An incident, and whom it concerns when."""

    incident: JsonObject
    urgency: Severity
    to: tuple[Destination, ...]
    default: str
    """The channel of storms."""
    worth_it: bool
    due_at: datetime
    """Now, or the end of the quiet hours."""

    @property
    def id(self) -> str:
        return str(self.incident["id"])


@dataclass(slots=True)
class Batch:
    """Use it within the transaction that `hour` was read in."""

    connection: Connection
    key: bytes = field(repr=False)
    hour: Hour
    marks: Sequence[Mark]
    thresholds: Sequence[Threshold] = ()

    def tell(self, alert: Alert) -> Outcome:
        """Put in the outbox what there is to say of an incident, and note it in the audit trail."""
        told = messages_of(self.connection, alert.id)
        noted = read_entries(self.connection, subject=alert.id)
        quiet = quiet_because(alert.incident, self.marks, self.thresholds)
        if told:
            self._retell(alert, told, noted, quiet=quiet is not None)
            return "renewed"
        if quiet is not None:
            self._note_once(alert, quiet, noted)
        if quiet is not None or not alert.worth_it:
            return "kept_quiet"
        if self._alerted(alert, alert.to):
            return "own"
        self.hour.gather(alert.id, alert.default, alert.due_at)
        self._audit(alert, "gathered", told_facts(alert.incident) | {"severity": alert.urgency})
        return "gathered"

    def _alerted(self, alert: Alert, to: Sequence[Destination]) -> bool:
        """Alert these channels, all or, where there is no room for all, none."""
        if not self.hour.has_room(len(to), alert.urgency, alert.due_at):
            return False
        for each in to:
            body: dict[str, object] = {"severity": alert.urgency, "mention": list(each.mention)}
            self.hour.alert(alert.id, each.channel, body, alert.due_at)
        channels = [each.channel for each in to]
        facts = told_facts(alert.incident) | {"severity": alert.urgency, "channels": channels}
        self._audit(alert, "alerted", facts)
        return True

    def _retell(
        self,
        alert: Alert,
        told: Sequence[Message],
        noted: Sequence[Mapping[str, object]],
        *,
        quiet: bool,
    ) -> None:
        """Bring what was told up to date; what has become more urgent also reaches whom it now concerns."""
        self._renew(alert, told, None if quiet else last_told(noted))
        if quiet:
            return
        if alert.due_at <= self.hour.now:
            self.hour.hasten(told, alert.urgency)
        channels = {message.channel for message in told}
        fresh = [to for to in alert.to if to.channel not in channels]
        if fresh and has_risen(noted, alert.urgency):
            self._alerted(alert, fresh)

    def _renew(self, alert: Alert, told: Sequence[Message], before: Mapping[str, object] | None) -> None:
        """The thread of an alert gets what is new since `before`; a storm, which tells of many, does not."""
        if not any(message.kind == "alert" for message in told):
            self.hour.renewed.update({message.outbox_id: message for message in told})
            return
        facts = told_facts(alert.incident)
        text = news(before, facts) if before else None
        if text is None:
            tell_incident(self.connection, alert.id, None, {}, self.hour.now)
            return
        tell_incident(self.connection, alert.id, "found", {"text": text}, self.hour.now)
        self._audit(alert, "told again", facts | {"text": text})

    def _note_once(
        self, alert: Alert, because: dict[str, object], noted: Sequence[Mapping[str, object]]
    ) -> None:
        """An incident that goes on under the same mark or threshold is noted when it is first seen."""
        if not any(e["what"] == "kept quiet" and e["document"] == because for e in noted):
            self._audit(alert, "kept quiet", because)

    def _audit(self, alert: Alert, what: str, document: dict[str, object]) -> None:
        entry = Entry(ACTOR, what, alert.id, document, self.hour.now)
        append_entry(self.connection, entry, self.key)
