"""A receiver of our webhook on loopback, written from docs/webhook.md: it verifies, keeps states, answers."""

import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import cast

from pydantic import JsonValue

from evals.fake_openai import Reply, json_reply
from evals.loopback import Loopback, Request, serving

SECRET = "a-shared-secret-of-the-webhook"  # noqa: S105  # of tests only
REPLAY_WINDOW_S = 300
FIELDS = frozenset(
    {"action", "at", "before", "fields", "id", "idempotency_key", "state", "target", "verb"}
)  # fmt: skip
Row = dict[str, JsonValue]


@dataclass(slots=True)
class FakeWebhook:
    """States by action and target; a key that is unknown is not found."""

    now: Callable[[], float]
    states: dict[str, Row] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    """Key ids."""
    ids: set[str] = field(default_factory=set)
    done: dict[str, Row] = field(default_factory=dict)
    """What was answered, by idempotency key."""
    changes: int = 0
    faults: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        if wrong := self._wrong(request):
            self.faults.append(wrong)
            return json_reply({"error": {"message": wrong}}, status=401)
        body: Row = json.loads(request.body)
        if set(body) != FIELDS:
            self.faults.append(f"fields {sorted(body)}")
            return json_reply({"error": {"message": "unknown fields"}}, status=400)
        target = cast("Mapping[str, str]", body["target"])
        if target.get("key_id", "") in self.deleted:
            return json_reply({"error": {"message": "no such key"}}, status=404)
        state = self._written(body) if body["verb"] == "write" else self._present(body)
        return json_reply({"state": state})

    def _wrong(self, request: Request) -> str | None:
        """In the order of the page: signature, age, replay."""
        timestamp = request.headers.get("x-tokensleuth-timestamp", "")
        signed = hmac.new(SECRET.encode(), timestamp.encode() + b"." + request.body, sha256).hexdigest()
        if not hmac.compare_digest(f"v1={signed}", request.headers.get("x-tokensleuth-signature", "")):
            return "the signature is wrong"
        if not timestamp.isdecimal() or abs(self.now() - int(timestamp)) > REPLAY_WINDOW_S:
            return "the request is too old"
        name = str(json.loads(request.body)["id"])
        if name in self.ids:
            return "the request was seen before"
        self.ids.add(name)
        return None

    def _place(self, body: Row) -> str:
        return json.dumps([body["action"], body["target"]], sort_keys=True)

    def _present(self, body: Row) -> Row:
        if body["action"] == "revoke_key":
            return {"exists": True}
        held = self.states.get(self._place(body), {})
        return {name: held.get(name) for name in cast("list[str]", body["fields"])}

    def _written(self, body: Row) -> Row:
        """Once per idempotency key."""
        key, state = str(body["idempotency_key"]), cast("Row", body["state"])
        if key not in self.done:
            self.changes += 1
            if state == {"exists": False}:
                self.deleted.add(cast("Mapping[str, str]", body["target"])["key_id"])
            else:
                self.states[self._place(body)] = state
            self.done[key] = state
        return self.done[key]


@contextmanager
def fake_webhook(now: Callable[[], float]) -> Iterator[tuple[FakeWebhook, Loopback]]:
    """Serve on a free port until the block ends."""
    fake = FakeWebhook(now)
    with serving(fake.answer) as served:
        yield fake, served
