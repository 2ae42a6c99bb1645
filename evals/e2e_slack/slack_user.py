"""A person in Slack: reads what was posted there and presses its buttons, as Slack would send it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import time
from typing import cast
from urllib.parse import urlencode

import httpx2
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from evals.e2e_slack.service import SIGNING_SECRET

Row = Mapping[str, object]


@dataclass(slots=True)
class SlackUser:
    """Reads through the emulator, and posts signed requests to the service."""

    client: WebClient
    channel: str
    team: str
    user: str
    service_url: str
    sent: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    """Every signed request, for replays."""

    def messages(self) -> list[Row]:
        """Those of the channel itself, oldest first."""
        found = self.client.conversations_history(channel=self.channel, include_all_metadata=True)
        return list(reversed(cast(list[Row], found["messages"])))

    def thread(self, message: Row) -> list[Row]:
        """The replies to a message."""
        found = self.client.conversations_replies(channel=self.channel, ts=str(message["ts"]))
        return cast(list[Row], found["messages"])[1:]

    def message_of(self, incident_id: str) -> Row:
        """The one that tells of the incident."""
        return next(m for m in self.messages() if incident_id in json.dumps(m) and list(buttons(m)))

    def press(self, message: Row, button: Row) -> int:
        """Click; the status that Slack is answered."""
        payload = {
            "type": "block_actions",
            "user": {"id": self.user, "username": "alice", "team_id": self.team},
            "team": {"id": self.team, "domain": "e2e"},
            "channel": {"id": self.channel, "name": "finops"},
            "container": {
                "type": "message",
                "message_ts": message["ts"],
                "channel_id": self.channel,
                "is_ephemeral": False,
            },
            "message": {"ts": message["ts"]},
            "actions": [{"type": "button", "action_ts": f"{time():.6f}", **button}],
            "trigger_id": "1.2.3",
            "api_app_id": "A1",
        }
        return self._post("/slack/actions", {"payload": json.dumps(payload)})

    def command(self, text: str) -> int:
        """`/investigate TEXT`."""
        fields = {
            "command": "/investigate",
            "text": text,
            "team_id": self.team,
            "channel_id": self.channel,
            "user_id": self.user,
            "user_name": "bob",
            "trigger_id": f"{time():.6f}",
        }
        return self._post("/slack/commands", fields)

    def replay(self) -> list[int]:
        """Send everything once more, byte for byte."""
        clicks = [(body, headers) for body, headers in self.sent if body.startswith(b"payload")]
        return [self._send(body, headers, "/slack/actions") for body, headers in clicks]

    def _post(self, path: str, fields: Mapping[str, str]) -> int:
        body, at = urlencode(fields).encode(), str(int(time()))
        signature = SignatureVerifier(SIGNING_SECRET).generate_signature(timestamp=at, body=body)
        headers = {
            "X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": str(signature),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self.sent.append((body, headers))
        return self._send(body, headers, path)

    def _send(self, body: bytes, headers: Mapping[str, str], path: str) -> int:
        return httpx2.post(f"{self.service_url}{path}", content=body, headers=dict(headers)).status_code


def buttons(message: Row) -> Iterator[Row]:
    """All buttons of a message, wherever they stand."""
    for block in cast(Sequence[Row], message.get("blocks") or []):
        elements = [
            *cast(Sequence[Row], block.get("elements") or []),
            cast(Row, block.get("accessory") or {}),
        ]
        yield from (e for e in elements if e.get("type") == "button")


def button_of(message: Row, verb: str, subject: str) -> Row:
    """The button that says this verb of this proposal or incident."""
    for button in buttons(message):
        value = str(button.get("value"))
        if subject in value and verb in f"{button.get('action_id')} {value}":
            return {name: button[name] for name in ("action_id", "value") if name in button}
    raise LookupError(f"no button {verb} for {subject}")
