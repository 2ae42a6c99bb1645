"""Whether the model may be asked once more, and whether that has to be the last time."""

from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from agent.llm.port import CallUsage, Frozen, Limits
from ledger.money import PICO_PER_USD, exact_usd_text

Step = Literal["open", "last"]
"""`last`: no tools are offered, so that an answer comes."""

RESERVED_CALLS = 2
"""Of the calls: one for the answer, one to correct it."""
LATE = 0.6
"""After this part of the time an answer is asked for."""


class Spent(Frozen):
    """What an investigation has used of its limits."""

    model_calls: int = 0
    tool_calls: int = 0
    input_tokens: int = 0
    """Cached ones included."""
    output_tokens: int = 0
    cost_pico: int = 0
    """Of priced calls, in 1e-12 USD."""
    unpriced_calls: int = 0
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def as_json(self) -> dict[str, JsonValue]:
        """The `cost` of the contract; calls of a model without a price are counted, their dollars unknown."""
        return {
            "llm_calls": self.model_calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "usd": exact_usd_text(self.cost_pico),
            "unpriced_calls": self.unpriced_calls,
            "tool_calls": self.tool_calls,
        }

    def with_call(self, usage: CallUsage, cost_pico: int | None, seconds: float) -> "Spent":
        """After one more call."""
        return self.model_copy(
            update={
                "model_calls": self.model_calls + 1,
                "input_tokens": self.input_tokens + usage.input_tokens + usage.cache_read_tokens,
                "output_tokens": self.output_tokens + usage.output_tokens,
                "cost_pico": self.cost_pico + (cost_pico or 0),
                "unpriced_calls": self.unpriced_calls + (cost_pico is None),
                "seconds": self.seconds + seconds,
            }
        )


@dataclass(frozen=True, slots=True)
class NextCall:
    """What one more call would take at most."""

    tokens: int
    cost_pico: int
    """0 where the price book does not know the model: then only the other limits hold."""
    spent_today_pico: int
    """Over all investigations, this one included."""


class LimitError(Exception):
    """The model may not be asked again; the message says which limit was reached."""


def next_step(spent: Spent, limits: Limits, call: NextCall) -> Step:
    """Whether one more call is allowed; raises LimitError where it is not."""
    if spent.model_calls >= limits.model_calls:
        raise LimitError(f"{limits.model_calls} model calls are made")
    if spent.seconds >= limits.seconds:
        raise LimitError(f"{limits.seconds:g} seconds are over")
    if spent.tokens + call.tokens > limits.tokens:
        raise LimitError(f"another call could go beyond {limits.tokens:,} tokens")
    if spent.cost_pico + call.cost_pico > limits.usd * PICO_PER_USD:
        raise LimitError(f"another call could cost more than ${limits.usd:.2f} in all")
    if call.spent_today_pico + call.cost_pico > limits.usd_per_day * PICO_PER_USD:
        raise LimitError(f"another call could go beyond today's ${limits.usd_per_day:.2f}")
    return "last" if _is_late(spent, limits, call) else "open"


def _is_late(spent: Spent, limits: Limits, call: NextCall) -> bool:
    """Whether after this call there would be no room for an answer and its correction."""
    return (
        limits.model_calls - spent.model_calls <= RESERVED_CALLS
        or spent.tool_calls >= limits.tool_calls
        or spent.seconds >= LATE * limits.seconds
        or spent.tokens + RESERVED_CALLS * call.tokens > limits.tokens
        or spent.cost_pico + RESERVED_CALLS * call.cost_pico > limits.usd * PICO_PER_USD
        or call.spent_today_pico + RESERVED_CALLS * call.cost_pico > limits.usd_per_day * PICO_PER_USD
    )
