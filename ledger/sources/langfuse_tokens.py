"""Langfuse's usage types, which may be any text, as the token classes of the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

TokenClass = Literal["input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"]
TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why the types of one group cannot be taken."""

    usage_type: str
    tokens: int
    reason: str


def classed(tokens: Mapping[str, int]) -> dict[TokenClass, int] | Unfit:
    """Tokens by class; `output` holds reasoning too, as the ledger has it.

    Langfuse takes cached tokens out of `input`, and reasoning out of `output`, of what OpenAI's clients send;
    what was sent by hand may count them twice. Where `total` says so exactly, they are taken out here.
    """
    found: dict[TokenClass, int] = {}
    for usage_type, count in tokens.items():
        if usage_type.lower() == TOTAL:
            continue
        kind = class_of(usage_type)
        if kind is None:
            return Unfit(usage_type, count, "is no type of tokens that is known, such as input or output")
        found[kind] = found.get(kind, 0) + count
    total = next((count for name, count in tokens.items() if name.lower() == TOTAL), None)
    return _disjoint(found, sum(found.values()) if total is None else total)


def class_of(usage_type: str) -> TokenClass | None:
    """By the words in it, as Langfuse tells input from output; None for `seconds`, `images` and such."""
    text = usage_type.lower()
    if "output" in text or "completion" in text:
        return "reasoning" if "reasoning" in text else "output"
    if "cache" in text and ("creation" in text or "write" in text):
        return "cache_write_1h" if "1h" in text else "cache_write_5m"
    if "cached" in text or ("cache" in text and "read" in text):
        return "cache_read"
    return "input" if "input" in text or "prompt" in text else None


def _disjoint(found: dict[TokenClass, int], total: int) -> dict[TokenClass, int] | Unfit:
    cached = sum(count for kind, count in found.items() if kind.startswith("cache_"))
    reasoning = found.get("reasoning", 0)
    told_twice = sum(found.values()) - total
    of_input = cached if told_twice in (cached, cached + reasoning) else 0
    of_output = reasoning if told_twice in (reasoning, cached + reasoning) else 0
    if told_twice != of_input + of_output:
        parts = " + ".join(f"{kind} {count:,}" for kind, count in found.items()) or "nothing"
        return Unfit(
            TOTAL, total, f"is not {parts}, nor that with the cached part of the input counted twice"
        )
    uncached, output = found.get("input", 0) - of_input, found.get("output", 0) + reasoning - of_output
    if uncached < 0 or output < reasoning:
        return Unfit(TOTAL, total, "is less than the cached tokens or the reasoning that are part of it")
    return {**found, "input": uncached, "output": output}
