"""Ports that come to a point before and after each call; all else is the wrapped one's."""

from dataclasses import dataclass, field
from datetime import datetime

from agent.measures import Measure
from agent.target import Target
from evals.chaos.points import KillSwitch
from tokensleuth.gateways.port import Gateway, Place, Plan, State
from tokensleuth.slackapp.port import Blocks, Posted, SlackApi


@dataclass(slots=True)
class PointedGateway:
    """A read after a write of the same place is a reading back."""

    gateway: Gateway
    switch: KillSwitch
    written: list[Place] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.gateway.name

    def plan(self, measure: Measure, target: Target) -> Plan:
        return self.gateway.plan(measure, target)

    def wanted(self, measure: Measure, before: State) -> State:
        return self.gateway.wanted(measure, before)

    def read(self, place: Place) -> State | None:
        what = "gateway read back" if place in self.written else "gateway read"
        self.written.clear()
        self.switch.at(f"before {what}")
        found = self.gateway.read(place)
        self.switch.at(f"after {what}")
        return found

    def write(self, place: Place, state: State, *, before: State, idempotency_key: str) -> None:
        self.switch.at("before gateway write")
        self.gateway.write(place, state, before=before, idempotency_key=idempotency_key)
        self.written.append(place)
        self.switch.at("after gateway write")


@dataclass(frozen=True, slots=True)
class PointedSlack:
    """Looking a message up has no points: it changes nothing and always comes before a post."""

    api: SlackApi
    switch: KillSwitch

    def post(
        self, channel: str, text: str, blocks: Blocks, *, outbox_id: str, thread_ts: str | None = None
    ) -> Posted:
        self.switch.at("before post")
        posted = self.api.post(channel, text, blocks, outbox_id=outbox_id, thread_ts=thread_ts)
        self.switch.at("after post")
        return posted

    def update(self, channel: str, ts: str, text: str, blocks: Blocks, *, outbox_id: str) -> None:
        self.switch.at("before update")
        self.api.update(channel, ts, text, blocks, outbox_id=outbox_id)
        self.switch.at("after update")

    def whisper(self, channel: str, user: str, text: str, blocks: Blocks) -> str:
        self.switch.at("before whisper")
        ts = self.api.whisper(channel, user, text, blocks)
        self.switch.at("after whisper")
        return ts

    def upload(self, name: str, content: bytes, alt_text: str) -> str:
        return self.api.upload(name, content, alt_text)

    def find(
        self, channel: str, outbox_id: str, *, since: datetime, thread_ts: str | None = None
    ) -> Posted | None:
        return self.api.find(channel, outbox_id, since=since, thread_ts=thread_ts)
