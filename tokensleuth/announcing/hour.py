"""The hour around now as one write transaction sees it: its messages, and the storm that gathers the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from ledger.ids import fact_id
from tokensleuth.announcing.budget import HOUR, allowance, fits
from tokensleuth.casebook.queues import Letter, put_in_outbox
from tokensleuth.casebook.telling import Message, add_message, renew_message
from tokensleuth.casebook.told_hour import Storm, alerts_since, bring_forward, storms_since
from tokensleuth.settings_acts import Severity


@dataclass(slots=True)
class Hour:
    """Use it within the transaction that read it."""

    connection: Connection
    now: datetime
    limit: int
    alerts: list[datetime]
    storms: list[Storm]
    renewed: dict[str, Message] = field(default_factory=dict)
    """Storms that tell of something new, by outbox id."""

    @classmethod
    def read(cls, connection: Connection, limit: int, now: datetime) -> "Hour":
        since = now - HOUR
        alerts, storms = alerts_since(connection, since), storms_since(connection, since)
        return cls(connection, now, limit, alerts, storms)

    def has_room(self, messages: int, urgency: Severity, due_at: datetime) -> bool:
        """Whether an incident can be told of in so many messages of its own."""
        limit = allowance(self.limit, urgency, waits=due_at > self.now)
        return fits(due_at, messages, self.alerts, limit)

    def write(self, message: Message, body: dict[str, object]) -> None:
        """A new message with its letter; one that waits has a lane of its own, to hold up nothing else."""
        add_message(self.connection, message)
        waits = message.asked_at > self.now
        lane = f"slack:{message.channel}" + (f":quiet:{message.outbox_id}" if waits else "")
        about = {"channel": message.channel, "outbox_id": message.outbox_id}
        told_of = message.incident_id if message.kind == "alert" else None
        letter = Letter(message.outbox_id, lane, message.kind, told_of, about | body)
        put_in_outbox(self.connection, letter, self.now, not_before=message.asked_at)

    def alert(self, incident_id: str, channel: str, body: dict[str, object], due_at: datetime) -> None:
        """A message of its own."""
        outbox_id = fact_id("out", incident_id, channel, "alert")
        self.write(Message(incident_id, channel, "alert", None, outbox_id, due_at), body)
        self.alerts.append(due_at)

    def gather(self, incident_id: str, channel: str, due_at: datetime) -> None:
        """Into the storm of the hour; `channel` is where a new one would go."""
        storm = self._storm(due_at)
        if storm is None:
            outbox_id = fact_id("out", incident_id, channel, "storm")
            self.write(Message(incident_id, channel, "storm", None, outbox_id, due_at), {})
            self.storms.append(Storm(outbox_id, channel, None, due_at, waits=True))
            return
        message = Message(incident_id, storm.channel, "storm", storm.ts, storm.outbox_id, storm.asked_at)
        add_message(self.connection, message)
        self.renewed[storm.outbox_id] = message

    def hasten(self, told: Sequence[Message], urgency: Severity) -> None:
        """Send now what waits for the end of quiet hours and has become urgent, where there is room."""
        for message in told:
            if message.asked_at <= self.now or message.ts is not None:
                continue
            if message.kind == "storm":
                self._hasten_storm(message.outbox_id)
            elif self.has_room(1, urgency, self.now):
                bring_forward(self.connection, message.outbox_id, self.now)
                self.alerts.remove(message.asked_at)
                self.alerts.append(self.now)

    def _hasten_storm(self, outbox_id: str) -> None:
        near = any(abs(s.asked_at - self.now) < HOUR for s in self.storms if s.outbox_id != outbox_id)
        for storm in [s for s in self.storms if s.outbox_id == outbox_id and s.waits and not near]:
            self._brought_forward(storm)

    def renew_storms(self) -> None:
        """Once for all that was gathered in the transaction."""
        for message in self.renewed.values():
            renew_message(self.connection, message, self.now)

    def _storm(self, due_at: datetime) -> Storm | None:
        """The one of this hour; else the one around `due_at`, sent earlier where it would come too late."""
        near = [s for s in self.storms if abs(s.asked_at - self.now) < HOUR]
        out = [s for s in near if s.asked_at <= self.now or not s.waits]
        if out:
            return out[0]
        if due_at > self.now:
            return next((s for s in self.storms if abs(s.asked_at - due_at) < HOUR), None)
        return self._brought_forward(near[0]) if near else None

    def _brought_forward(self, storm: Storm) -> Storm:
        bring_forward(self.connection, storm.outbox_id, self.now)
        sooner = replace(storm, asked_at=self.now)
        self.storms[self.storms.index(storm)] = sooner
        return sooner
