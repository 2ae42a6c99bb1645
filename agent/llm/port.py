"""What the investigation asks of a language model, whatever serves it, and how its calls are booked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from ledger.errors import UnreachableError

Role = Literal["system", "user", "assistant", "tool"]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolCall(Frozen):
    """A call the model asks for, as it wrote it: nothing is checked yet."""

    id: str
    name: str
    arguments: str
    """JSON text, or what the model took for it."""


class Message(Frozen):
    """One turn of the conversation."""

    role: Role
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    """Of an assistant's turn."""
    tool_call_id: str | None = None
    """Of a tool's turn: which call it answers."""


class CallUsage(Frozen):
    """Tokens of one call by disjoint class."""

    input_tokens: int = Field(default=0, ge=0)
    """Uncached."""
    cache_read_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    reasoning_tokens: int = Field(default=0, ge=0)
    """A part of the output."""
    estimated: bool = False
    """The server did not say: counted from the text, rather too many than too few."""

    @property
    def total(self) -> int:
        return self.input_tokens + self.cache_read_tokens + self.output_tokens


class Completion(Frozen):
    """What the model answered."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: CallUsage = CallUsage()
    cut: bool = False
    """The answer ended at the limit of output tokens."""


class ModelError(UnreachableError):
    """The model gave no answer that can be used: refused, unreachable, late, or no chat completion."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model is told of it."""

    name: str
    description: str
    parameters: Mapping[str, JsonValue]
    """JSON Schema of the arguments."""


class ChatModel(Protocol):
    """A model that answers a conversation with text or tool calls."""

    @property
    def name(self) -> str:
        """The model id as its provider names it."""
        ...

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        *,
        max_output_tokens: int,
        seconds: float,
    ) -> Completion:
        """Answer within so many seconds, retries included; raises ModelError."""
        ...


class ModelCall(Frozen):
    """One call that was made, for the books."""

    id: str
    incident_id: str
    at: datetime
    model: str
    usage: CallUsage
    cost_pico: int | None
    """In 1e-12 USD; None where the price book does not know the model."""


class Meter(Protocol):
    """Prices calls, keeps their books, and knows what was spent today."""

    def cost_pico(self, model: str, usage: CallUsage, at: datetime) -> int | None:
        """What a call costs in 1e-12 USD; None where the price book does not know the model."""
        ...

    def book(self, call: ModelCall) -> None:
        """Keep the call at once: what was spent must survive a crash. The same id is kept once."""
        ...

    def spent_pico(self, since: datetime) -> int:
        """What all calls since then cost, of all processes; unpriced calls add nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Where an investigation stops asking the model, whatever the model wants."""

    model_calls: int = 12
    tool_calls: int = 24
    tokens: int = 200_000
    output_tokens_per_call: int = 4_000
    usd: float = 0.50
    """Per investigation."""
    usd_per_day: float = 10.0
    """Per UTC day, over all investigations."""
    seconds: float = 180.0


@dataclass(frozen=True, slots=True)
class Llm:
    """A model in force: who answers, who keeps the books, and how far it may go."""

    model: ChatModel
    meter: Meter
    clock: Callable[[], datetime]
    """Aware UTC, with fractions of a second."""
    limits: Limits = field(default_factory=Limits)
