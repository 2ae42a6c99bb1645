"""A measure at a gateway as the executor takes it: read, write, read back, and back again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pytest

from agent.measures import Gateway as GatewayName
from agent.measures import Measure
from agent.target import Target
from evals.fake_openai import Reply
from ledger.scope import Scope
from tokensleuth.gateways.port import (
    Gateway,
    GatewayError,
    NotSentError,
    Place,
    RefusedCallError,
    State,
    UnsureError,
    same_state,
)

_Error = TypeVar("_Error", bound=GatewayError)

WRONG: dict[str, tuple[Reply, type[GatewayError], type[GatewayError]]] = {
    "401": (Reply(b'{"error":{"message":"bad key"}}', 401), RefusedCallError, RefusedCallError),
    "409": (Reply(b'{"error":{"message":"busy"}}', 409), RefusedCallError, RefusedCallError),
    "302": (Reply(b"", 302, None, (("Location", "/"),)), RefusedCallError, RefusedCallError),
    "429": (Reply(b"{}", 429, headers=(("Retry-After", "7"),)), NotSentError, NotSentError),
    "503": (Reply(b"later", 503, "text/plain"), UnsureError, NotSentError),
    "500": (Reply(b"{}", 500), UnsureError, NotSentError),
    "502 page": (Reply(b"<html>bad gateway</html>", 502, "text/html"), UnsureError, NotSentError),
    "200 page": (Reply(b"<html>log in</html>", 200, "text/html"), UnsureError, NotSentError),
    "200 list": (Reply(b"[]"), UnsureError, NotSentError),
    "200 null": (Reply(b"null"), UnsureError, NotSentError),
    "200 empty object": (Reply(b"{}"), UnsureError, NotSentError),
    "half an answer": (Reply(b'{"id": "x"}', cut_after=40), UnsureError, NotSentError),
    "no answer": (Reply(cut_after=0), UnsureError, NotSentError),
    "too slow": (Reply(b"{}", delay_s=2.0), UnsureError, NotSentError),
}
"""Answers, and what they come to after a write and after a read."""


def target(gateway: GatewayName, *filters: str) -> Target:
    return Target(gateway=gateway, scope=Scope.parse(filters))


@dataclass(frozen=True, slots=True)
class Trip:
    """One measure that was carried out."""

    gateway: Gateway
    place: Place
    before: State
    wanted: State

    def state(self) -> State | None:
        return self.gateway.read(self.place)

    def undo(self) -> None:
        """As the executor does: only where nobody changed it since, and it is as before afterwards."""
        assert same_state(self.state(), self.wanted)
        self.gateway.write(self.place, self.before, before=self.wanted, idempotency_key="undo-1")
        assert same_state(self.state(), self.before)


def carry_out(gateway: Gateway, measure: Measure, where: Target) -> Trip:
    """The state read back is the wanted one, and a second write leaves it so."""
    place = gateway.plan(measure, where).place
    before = gateway.read(place)
    assert before is not None
    assert set(before) == set(place.fields)
    wanted = gateway.wanted(measure, before)
    for _ in range(2):
        gateway.write(place, wanted, before=before, idempotency_key="exec-1")
        assert same_state(gateway.read(place), wanted)
    return Trip(gateway, place, before, wanted)


def raised(kind: type[_Error], call: Callable[[], object], *secrets: str) -> str:
    """The message, which holds no secret and is one printable line; of exactly that branch of the tree."""
    with pytest.raises(kind) as failed:
        call()
    told = str(failed.value)
    assert told.isprintable()
    assert failed.value.__cause__ is None
    assert not [secret for secret in secrets if secret in told or secret in repr(failed.value)]
    return told
