"""What strict servers ask of a chat request: known fields, roles in order, calls answered."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from pydantic import JsonValue

Fields = Mapping[str, JsonValue]
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""Of a function, by OpenAI's API reference."""
KNOWN = frozenset({"model", "messages", "tools", "max_completion_tokens"})
OF_ROLE: Mapping[str, frozenset[str]] = {
    "system": frozenset({"role", "content"}),
    "user": frozenset({"role", "content"}),
    "assistant": frozenset({"role", "content", "tool_calls"}),
    "tool": frozenset({"role", "content", "tool_call_id"}),
}
MAX_DESCRIPTION = 1024


def fault_of(document: Fields) -> str | None:
    """The first thing a strict server would refuse; None where there is nothing."""
    return next(_faults(document), None)


def _faults(document: Fields) -> Iterator[str]:
    if unknown := set(document) - KNOWN:
        yield f"unknown fields {sorted(unknown)}"
    if not isinstance(document.get("model"), str) or not document["model"]:
        yield "no model"
    most = document.get("max_completion_tokens")
    if not isinstance(most, int) or most < 1:
        yield "max_completion_tokens is no positive number"
    if "tools" in document:
        yield from _tool_faults(document["tools"])
    messages = document.get("messages")
    if not isinstance(messages, list) or not messages:
        yield "no messages"
    else:
        yield from _message_faults(cast("list[Fields]", messages))


def _tool_faults(tools: JsonValue) -> Iterator[str]:
    if not isinstance(tools, list) or not tools:
        yield "tools is empty or no list"
        return
    names: list[str] = []
    for tool in cast("list[Fields]", tools):
        function = cast("Fields", tool.get("function") or {})
        names.append(str(function.get("name")))
        if tool.get("type") != "function" or set(function) - {"name", "description", "parameters"}:
            yield f"{names[-1]} is no function"
        if not NAME.fullmatch(names[-1]):
            yield f"{names[-1]!r} cannot name a function"
        if not 0 < len(str(function.get("description") or "")) <= MAX_DESCRIPTION:
            yield f"the description of {names[-1]} is missing or too long"
        parameters = function.get("parameters")
        if not isinstance(parameters, dict) or parameters.get("type") != "object":
            yield f"the parameters of {names[-1]} are no object"
    if len(set(names)) < len(names):
        yield "two tools of one name"


def _message_faults(messages: Sequence[Fields]) -> Iterator[str]:
    open_ids: list[str] = []
    used: set[str] = set()
    for i, message in enumerate(messages):
        role = str(message.get("role"))
        yield from _field_faults(i, role, message)
        if role == "tool":
            if message.get("tool_call_id") not in open_ids:
                yield f"messages.{i} answers no open call"
                return
            open_ids.remove(str(message["tool_call_id"]))
            continue
        if open_ids:
            yield f"messages.{i}: the calls {open_ids} are not answered"
        open_ids = [_call_id(call) for call in _calls(message)]
        if used & set(open_ids) or len(set(open_ids)) < len(open_ids):
            yield f"messages.{i}: a call id is used twice"
        used |= set(open_ids)
    if open_ids:
        yield f"the calls {open_ids} are not answered"
    if messages[-1].get("role") not in ("user", "tool"):
        yield "there is nothing to answer"


def _field_faults(i: int, role: str, message: Fields) -> Iterator[str]:
    if role not in OF_ROLE or set(message) - OF_ROLE.get(role, frozenset()):
        yield f"messages.{i}: unknown role or field"
    if (role == "system") != (i == 0):
        yield f"messages.{i}: the system speaks first, and once"
    content, calls = message.get("content"), _calls(message)
    if "tool_calls" in message and not calls:
        yield f"messages.{i}: tool_calls is empty"
    if not (isinstance(content, str) and content) and not (content is None and calls):
        yield f"messages.{i}: no content"
    for call in calls:
        yield from (f"messages.{i}: {fault}" for fault in _call_faults(call))


def _call_faults(call: Fields) -> Iterator[str]:
    function = cast("Fields", call.get("function") or {})
    if set(call) != {"id", "type", "function"} or call["type"] != "function":
        yield "a call has other fields"
    if not 0 < len(_call_id(call)) <= 40:
        yield "a call has no short id"
    if set(function) != {"name", "arguments"} or not NAME.fullmatch(str(function.get("name"))):
        yield f"{function.get('name')!r} cannot name a function"
    try:
        arguments = json.loads(str(function.get("arguments")), parse_constant=_refused)
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        yield "the arguments of a call are no JSON object"


def _refused(constant: str) -> object:
    raise ValueError(constant)


def _calls(message: Fields) -> list[Fields]:
    return cast("list[Fields]", message.get("tool_calls") or [])


def _call_id(call: Fields) -> str:
    return str(call.get("id") or "")
