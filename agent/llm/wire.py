"""The JSON of Chat Completions: what is sent, and what of an answer is believed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

from agent.llm.port import CallUsage, Completion, Message, ModelError, ToolCall, ToolSpec
from agent.llm.tokens import estimated_tokens

MAX_TOOL_CALLS = 16
"""Of one turn; what is beyond is not read."""
MAX_COUNT = 10**9
"""Tokens of one call that are believed; a larger count is a fault and estimated anew."""
MAX_NAME = 64
MAX_TEXT = 40_000
"""Characters of an answer that are kept; no finding is so long."""


class _Lenient(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Function(_Lenient):
    name: str
    arguments: str = ""

    @field_validator("arguments", mode="before")
    @classmethod
    def _as_text(cls, arguments: Any) -> Any:
        """Some servers send the object itself instead of its text."""
        return arguments if isinstance(arguments, str) else json.dumps(arguments or {})


class _Call(_Lenient):
    id: str | None = None
    function: _Function


class _Answer(_Lenient):
    content: str | None = None
    tool_calls: tuple[_Call, ...] | None = None

    @field_validator("content", mode="before")
    @classmethod
    def _joined(cls, content: Any) -> Any:
        """Some servers send a list of parts."""
        if isinstance(content, list):
            return "".join(str(p.get("text", "")) for p in content if isinstance(p, dict))
        return content


class _Choice(_Lenient):
    message: _Answer
    finish_reason: str | None = None


class _Cached(_Lenient):
    cached_tokens: int | None = Field(default=None, ge=0)


class _Reasoning(_Lenient):
    reasoning_tokens: int | None = Field(default=None, ge=0)


class _Usage(_Lenient):
    prompt_tokens: int = Field(ge=0, le=MAX_COUNT)
    completion_tokens: int = Field(ge=0, le=MAX_COUNT)
    prompt_tokens_details: _Cached | None = None
    completion_tokens_details: _Reasoning | None = None


class _Body(_Lenient):
    choices: tuple[_Choice, ...] = Field(min_length=1)


class _Counted(_Lenient):
    usage: _Usage


def sent_message(message: Message) -> dict[str, JsonValue]:
    """A message as Chat Completions takes it."""
    sent: dict[str, JsonValue] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        sent["content"] = message.content or None
        sent["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c in message.tool_calls
        ]
    if message.tool_call_id is not None:
        sent["tool_call_id"] = message.tool_call_id
    return sent


def sent_tool(tool: ToolSpec) -> dict[str, JsonValue]:
    """A tool as Chat Completions takes it."""
    function: dict[str, JsonValue] = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function}


def read_completion(body: bytes, content_type: str, prompt: Sequence[Mapping[str, JsonValue]]) -> Completion:
    """The answer; raises ModelError for what is no chat completion, a web page before all."""
    if "json" not in content_type.lower():
        told = content_type.split(";")[0].strip() or "nothing"
        raise ModelError(f"the server answered with {told[:80]!r}, which is no chat completion")
    document = _parsed(body)
    try:
        choice = _Body.model_validate(document).choices[0]
    except ValidationError as error:
        raise ModelError(f"the answer is no chat completion: {_first(error)}") from None
    calls = tuple(_tool_call(c, i) for i, c in enumerate((choice.message.tool_calls or ())[:MAX_TOOL_CALLS]))
    text = _whole_characters(choice.message.content or "", MAX_TEXT)
    return Completion(
        text=text,
        tool_calls=calls,
        usage=_usage(document, prompt, text, calls),
        cut=choice.finish_reason == "length",
    )


def _parsed(body: bytes) -> JsonValue:
    try:
        document: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        raise ModelError(f"the answer of {len(body):,} bytes is no complete JSON", retryable=True) from None
    return document


def _tool_call(call: _Call, position: int) -> ToolCall:
    return ToolCall(
        id=_whole_characters(call.id or f"call_{position}", MAX_NAME),
        name=_whole_characters(call.function.name, MAX_NAME),
        arguments=_whole_characters(call.function.arguments, MAX_TEXT),
    )


def _whole_characters(text: str, most: int) -> str:
    """The first of a text; halves of characters, which JSON can hold and UTF-8 cannot, become `?`."""
    return text[:most].encode(errors="replace").decode()


def _usage(
    document: JsonValue, prompt: Sequence[Mapping[str, JsonValue]], text: str, calls: Sequence[ToolCall]
) -> CallUsage:
    """What the server counted; where it counts nothing that makes sense, an estimate from the text."""
    try:
        told = _Counted.model_validate(document).usage
    except ValidationError:
        answered = text + "".join(c.name + c.arguments for c in calls)
        return CallUsage(
            input_tokens=estimated_tokens(json.dumps(list(prompt))),
            output_tokens=estimated_tokens(answered),
            estimated=True,
        )
    cached = (told.prompt_tokens_details and told.prompt_tokens_details.cached_tokens) or 0
    reasoning = (told.completion_tokens_details and told.completion_tokens_details.reasoning_tokens) or 0
    cached = min(cached, told.prompt_tokens)
    return CallUsage(
        input_tokens=told.prompt_tokens - cached,
        cache_read_tokens=cached,
        output_tokens=told.completion_tokens,
        reasoning_tokens=min(reasoning, told.completion_tokens),
    )


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'body'}: {first['msg']}"
