"""The port behind which measures are executed: read a place, say what is wanted there, write it.

A gateway never decides: whether it is called, how often and what an answer means is the executor's.

GatewayError
    CannotError        it has no such action or target: nothing was sent, another try gives the same
    RefusedCallError   the provider said no: nothing changed, another try gives the same
    NotSentError       it could not be reached: nothing changed, a later try may succeed
    UnsureError        it was sent and no answer came: it may have changed or not
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from pydantic import JsonValue

from agent.measures import Measure
from agent.target import Target

State: TypeAlias = Mapping[str, JsonValue]
"""The fields a measure touches, as the provider has them now or shall have them; never a secret."""


class GatewayError(Exception):
    """Base of what a gateway raises; the message is for people and holds no secret."""


class CannotError(GatewayError):
    """The gateway has no such action, or the target lacks what it needs."""


class RefusedCallError(GatewayError):
    """The provider refused: a 4xx that says the request is wrong or not allowed."""


class NotSentError(GatewayError):
    """Nothing reached the provider, or it said `later` (429): nothing changed."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnsureError(GatewayError):
    """Timeout, reset, half an answer or a 5xx after sending: only reading tells."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where at the provider the state lies; plain values, so that a later process finds it again."""

    kind: str
    """Such as `key` or `project_rate_limit`."""
    ids: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    """The names of the state's fields there that the measure touches: all that is read and written."""

    def as_json(self) -> dict[str, JsonValue]:
        return {"kind": self.kind, "ids": dict(self.ids), "fields": list(self.fields)}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a measure comes to at a provider."""

    place: Place
    told: str
    """One line for people: `set tpm_limit of key k1 to 40,000`."""
    slow: str | None = None
    """How long the provider takes to act on it, where that is more than seconds."""


class Gateway(Protocol):
    """One provider or proxy whose keys and limits can be changed."""

    @property
    def name(self) -> str:
        """As in a proposal's target."""
        ...

    def plan(self, measure: Measure, target: Target) -> Plan:
        """Where it would act and how; without a call to the provider. Raises CannotError."""
        ...

    def wanted(self, measure: Measure, before: State) -> State:
        """The state the measure asks for: the fields of the place, merged where the provider replaces."""
        ...

    def read(self, place: Place) -> State | None:
        """The present state of the fields of the place; None where it does not exist. Raises NotSentError,
        RefusedCallError."""
        ...

    def write(self, place: Place, state: State, *, before: State, idempotency_key: str) -> None:
        """Make it so; writing what is there already changes nothing. Raises GatewayError."""
        ...


def same_state(one: State | None, other: State | None) -> bool:
    """Whether two states mean the same: absent limits are None, empty maps count as absent, and numbers
    compare as numbers."""
    return _plain(one) == _plain(other)


def _plain(state: State | None) -> dict[str, JsonValue] | None:
    if state is None:
        return None
    return {name: value for name, value in state.items() if value not in (None, {}, [])}


GONE: State = {"exists": False}
"""The state of a place after a deletion, which no undo brings back."""
