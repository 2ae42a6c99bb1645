"""Six virtual keys of three teams at a real proxy: calls with them, and a history made of their rows."""

import math
import random
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

import httpx2
from pydantic import JsonValue

from evals.aimock_peer import Reply
from evals.e2e_slack.service import wait_for
from evals.litellm_peer.spend_rows import Copies, SpendRows
from tokensleuth.clock import utc_now
from tokensleuth.gateways.http import JsonHttp

HOUR = timedelta(hours=1)
MODELS = {"gpt-4o": 6, "gpt-4o-mini": 4}
"""With the calls of a key in an ordinary hour."""
TEAMS = ("search", "ads", "help")
AT_ONCE = 8
ASKED = "sort the ticket"
REPLIES = (Reply(ASKED, "It is about billing.", 20_000, 1_000),)
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class VirtualKey:
    """One that the proxy made."""

    alias: str
    secret: str = field(repr=False)
    key_id: str
    """The hash that the proxy logs."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy as callers and as its administrators see it."""

    calls: httpx2.Client
    admin: JsonHttp

    def called(self, key: VirtualKey, times: int, model: str = "gpt-4o") -> list[int]:
        """The statuses of so many calls with a key, some at once."""
        asked: JsonValue = {"role": "user", "content": f"{ASKED}: my invoice is wrong"}
        body = {"model": model, "messages": [asked]}
        headers = {"Authorization": f"Bearer {key.secret}"}

        def call(_: int) -> int:
            return self.calls.post("/v1/chat/completions", json=body, headers=headers).status_code

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(call, range(times)))

    def made(self) -> dict[str, VirtualKey]:
        """Two keys for each team, by alias."""
        keys = (self._made(team, number) for team in map(self._team, TEAMS) for number in (1, 2))
        return {key.alias: key for key in keys}

    def info(self, key: VirtualKey) -> Row:
        """What the proxy says of a key."""
        return cast(dict[str, Row], self.admin.get("/key/info", {"key": key.key_id}))["info"]

    def _team(self, alias: str) -> tuple[str, str]:
        made = cast(Row, self.admin.post("/team/new", {"team_alias": alias}, idempotency_key=alias))
        return alias, str(made["team_id"])

    def _made(self, team: tuple[str, str], number: int) -> VirtualKey:
        alias = f"{team[0]}-{number}"
        body: JsonValue = {"team_id": team[1], "key_alias": alias}
        made = cast(Row, self.admin.post("/key/generate", body, idempotency_key=alias))
        return VirtualKey(alias, str(made["key"]), str(made["token"]))


def make_history(proxy: Proxy, rows: SpendRows, keys: Collection[VirtualKey], days: int) -> int:
    """Call each model with each key, and copy what the proxy wrote of it into the past; how many copies.

    The open hour and the next are filled too: a slow run may come to them.
    """
    since = utc_now()
    for key in keys:
        for model in MODELS:
            proxy.called(key, 1, model)
    for key in keys:
        wait_for("rows of calls", lambda key=key: rows.count(key.key_id, since) == len(MODELS), 60)  # type: ignore[misc]
    first = since.replace(minute=0, second=0, microsecond=0) - days * 24 * HOUR
    hours = [first + number * HOUR for number in range(days * 24 + 2)]
    draw = random.Random(5)  # noqa: S311 - traffic
    return rows.copy([copies for hour in hours for key in keys for copies in _ordinary(draw, key, hour)])


def _ordinary(draw: random.Random, key: VirtualKey, hour: datetime) -> Iterator[Copies]:
    """More by day than by night, and never quite the same."""
    shape = 1 + 0.6 * math.sin((hour.hour - 9) / 24 * 2 * math.pi)
    for model, mean in MODELS.items():
        yield Copies(key.key_id, model, hour, max(round(mean * shape * draw.uniform(0.8, 1.2)), 1))


def proxy_settings(upstream: str) -> str:
    """Of a proxy whose models are all aimock's; else as the peer's own."""
    models = "".join(
        f"  - model_name: {model}\n"
        f'    litellm_params: {{model: openai/{model}, api_key: none, api_base: "{upstream}"}}\n'
        for model in MODELS
    )
    return (
        f"model_list:\n{models}general_settings:\n  master_key: os.environ/LITELLM_MASTER_KEY\n"
        "  database_url: os.environ/DATABASE_URL\n  proxy_batch_write_at: 2\n"
        "litellm_settings:\n  telemetry: false\n"
    )
