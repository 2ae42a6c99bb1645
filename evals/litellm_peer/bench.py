"""Virtual keys made for a trial, calls with them through the proxy, and the gateway carrying out measures."""

from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex
from threading import Event

import httpx2
from pydantic import JsonValue

from agent.measures import Measure
from agent.target import Target
from ledger.scope import Scope
from tokensleuth.clock import seconds_since, stopwatch
from tokensleuth.gateways.http import JsonHttp
from tokensleuth.gateways.litellm import LiteLlm
from tokensleuth.gateways.port import Place, State, same_state

DEAR = "gpt-4o"


class WrongError(Exception):
    """What was seen is not what the action promises."""


@dataclass(frozen=True, slots=True)
class Called:
    """What a call through the proxy came to."""

    status: int
    kind: str = ""
    """The error's type."""
    group: str = ""
    """The model that answered, by its public name."""
    cost_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Holder:
    """A virtual key made for one action."""

    secret: str = field(repr=False)
    key_id: str
    team_id: str

    @property
    def target(self) -> Target:
        return Target(gateway="litellm", scope=Scope.parse([f"key_id={self.key_id}"]))

    @property
    def team_target(self) -> Target:
        return Target(gateway="litellm", scope=Scope.parse([f"team=alias of {self.team_id}"]))


@dataclass(frozen=True, slots=True)
class Act:
    """An action that was carried out."""

    place: Place
    before: State
    wanted: State


@dataclass(frozen=True, slots=True)
class Bench:
    """The gateway under test, and the proxy from both sides."""

    gateway: LiteLlm
    admin: JsonHttp
    client: httpx2.Client

    def holder(self, **fields: JsonValue) -> Holder:
        """A fresh key in a fresh team, so that no action sees another's counters."""
        team_id = f"e2e-{token_hex(6)}"
        self._post("/team/new", {"team_id": team_id, "team_alias": f"alias of {team_id}"})
        made = self._post("/key/generate", {"team_id": team_id, "models": [], **fields})
        if not isinstance(made, dict):
            raise WrongError("the proxy made no key")
        return Holder(str(made["key"]), str(made["token"]), team_id)

    def call(self, holder: Holder, model: str = DEAR) -> Called:
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
        headers = {"Authorization": f"Bearer {holder.secret}"}
        answer = self.client.post("/v1/chat/completions", json=body, headers=headers)
        error = answer.json().get("error", {})
        group, cost = (answer.headers.get(f"x-litellm-{n}") for n in ("model-group", "response-cost"))
        return Called(answer.status_code, error.get("type") or "", group or "", float(cost or 0))

    def carry_out(self, measure: Measure, target: Target) -> Act:
        """As the executor does: read, want, write, read back."""
        place = self.gateway.plan(measure, target).place
        before = self.gateway.read(place)
        if before is None:
            raise WrongError("the key or team is not there")
        act = Act(place, before, self.gateway.wanted(measure, before))
        self._write(act, act.wanted, act.before)
        return act

    def undo(self, act: Act) -> None:
        self._write(act, act.before, act.wanted)

    def spent_on(self, holder: Holder) -> set[str]:
        """The public names of the models in the key's spend log."""
        rows = self.admin.get("/spend/logs", {"api_key": holder.key_id, "summarize": "false"})
        listed = rows if isinstance(rows, list) else []
        return {str(row["model_group"]) for row in listed if isinstance(row, dict) and row.get("spend")}

    def _write(self, act: Act, state: State, present: State) -> None:
        """Twice, for a retry must do no harm."""
        for _ in range(2):
            self.gateway.write(act.place, state, before=present, idempotency_key=token_hex(8))
            observed = self.gateway.read(act.place)
            if not same_state(observed, state):
                raise WrongError(f"read back {observed}, wanted {state}")

    def _post(self, path: str, body: JsonValue) -> JsonValue:
        return self.admin.post(path, body, idempotency_key=token_hex(8))


def until(seconds: float, seen: Callable[[], bool], what: str) -> None:
    """Ask again until it holds; raises WrongError when the time is up."""
    started = stopwatch()
    while not seen():
        if seconds_since(started) > seconds:
            raise WrongError(f"{what}: not within {seconds:.0f} s")
        Event().wait(0.2)


def expect(called: Called, status: int, kind: str = "") -> None:
    if called.status != status or (kind and called.kind != kind):
        raise WrongError(f"expected {status} {kind}, got {called.status} {called.kind}")
