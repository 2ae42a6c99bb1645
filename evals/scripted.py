"""Models that follow a script: stand-ins for a language model in evals and tests."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from agent.dialogue.submission import SUBMIT
from agent.llm.port import CallUsage, Completion, Message, ModelError, ToolCall, ToolSpec

Turn = Completion | ModelError
Script = Callable[[Sequence[Message], Sequence[ToolSpec]], Turn]
"""From the conversation and the tools offered to the model's next turn."""


@dataclass(slots=True)
class ScriptedModel:
    """A model whose turns a function writes; it keeps what it was sent."""

    script: Script
    name: str = "scripted-1"
    seen: list[tuple[Message, ...]] = field(default_factory=list)
    offered: list[tuple[str, ...]] = field(default_factory=list)

    def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        *,
        max_output_tokens: int,
        seconds: float,
    ) -> Completion:
        if max_output_tokens <= 0 or seconds <= 0:
            raise ModelError("no room for an answer")
        self.seen.append(tuple(messages))
        self.offered.append(tuple(tool.name for tool in tools))
        turn = self.script(messages, tools)
        if isinstance(turn, ModelError):
            raise turn
        return turn


def in_turn(*turns: Turn) -> Script:
    """One turn after the other; the last one is repeated."""
    left: Iterator[Turn] = iter(turns)
    last = turns[-1]
    return lambda _messages, _tools: next(left, last)


def says(text: str, *calls: ToolCall) -> Completion:
    """A turn with some text and calls, and a usage as a server would count it."""
    size = len(text) + sum(len(c.arguments) for c in calls)
    return Completion(
        text=text, tool_calls=calls, usage=CallUsage(input_tokens=3_000, output_tokens=size // 4 + 1)
    )


def calls(*asked: tuple[str, Mapping[str, JsonValue]]) -> Completion:
    """A turn that calls tools by name and arguments."""
    return says(
        "", *(ToolCall(id=f"c{i}", name=n, arguments=json.dumps(a)) for i, (n, a) in enumerate(asked))
    )


def submits(**finding: JsonValue) -> Completion:
    """A turn that submits a finding."""
    return calls((SUBMIT, finding))
