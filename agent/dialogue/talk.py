"""The state of the conversation: what was said, shown and spent; a value a checkpoint can hold."""

import json
import re
from collections.abc import Mapping, Sequence

from agent.dialogue.channel import label
from agent.dialogue.submission import NOT_JSON, Submission
from agent.llm.allowance import Spent
from agent.llm.port import Completion, Frozen, Message, ToolCall

SILENT = "(no answer)"
"""In place of a turn without words and calls."""
_ODD = re.compile(r"[^a-zA-Z0-9_-]")
"""What no function's name may have, by OpenAI's API reference."""


class Talk(Frozen):
    """One conversation on its way."""

    model: str
    messages: tuple[Message, ...]
    shown: tuple[str, ...]
    """Ids of the evidence that has a label, in the order of the labels."""
    answered: tuple[str, ...] = ()
    """Ids of the evidence that was given as the answer of a call."""
    spent: Spent = Spent()
    cut: bool = False
    """Whether the last turn ended at the limit of its length."""
    corrected: bool = False
    """Whether the one correction was asked for."""
    submission: Submission | None = None
    """The finding, when it was taken."""
    failure: str | None = None
    """Why there is none."""
    unsupported: int = 0
    """Sentences of the last finding that no evidence backs."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Id of evidence to its short name."""
        return {evidence_id: label(i) for i, evidence_id in enumerate(self.shown)}

    @property
    def is_over(self) -> bool:
        return self.submission is not None or self.failure is not None

    def saying(self, *messages: Message) -> "Talk":
        return self.model_copy(update={"messages": (*self.messages, *messages)})

    def failed(self, why: str) -> "Talk":
        return self.model_copy(update={"failure": why})


def said(completion: Completion, turn: int) -> Message:
    """The model's turn as it goes into the conversation: ids unique, arguments JSON.

    Servers refuse a conversation with an id twice, a name with odd letters, arguments that are no JSON, or
    a turn that says nothing, whoever wrote them.
    """
    calls = [
        ToolCall(
            id=f"call_{turn}_{i}",
            name=_ODD.sub("_", call.name) or "unnamed",
            arguments=_json_or_empty(call.arguments),
        )
        for i, call in enumerate(completion.tool_calls)
    ]
    text = completion.text if calls or completion.text.strip() else SILENT
    return Message(role="assistant", content=text, tool_calls=tuple(calls))


def answers(calls: Sequence[ToolCall], texts: Sequence[str]) -> tuple[Message, ...]:
    """A tool's message for every call of a turn."""
    return tuple(
        Message(role="tool", content=text, tool_call_id=call.id)
        for call, text in zip(calls, texts, strict=True)
    )


def _json_or_empty(text: str) -> str:
    """The arguments where they are a JSON object; what is none stays visible as a text inside one."""
    try:
        if isinstance(json.loads(text or "{}", parse_constant=_no_json), dict):
            return text or "{}"
    except (ValueError, RecursionError):
        pass
    return json.dumps({NOT_JSON: text[:200]})


def _no_json(constant: str) -> object:
    """Python reads NaN and Infinity; JSON has neither."""
    raise ValueError(constant)
