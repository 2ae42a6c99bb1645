"""The finding as the model submits it, and how it is read from a tool call or from plain text."""

import json
from collections.abc import Iterable
from typing import Annotated, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agent.dialogue.schema import json_schema
from agent.llm.port import Message, ToolCall, ToolSpec
from ledger.scope import DIMENSIONS, Dimension, Scope
from playbooks import ActionName, Cause

SUBMIT = "submit_finding"
NOT_JSON = "not_json"
"""The one argument of a call whose arguments were no JSON object: what was written instead."""

Sentence = Annotated[str, Field(max_length=600)]
Name = Annotated[str, Field(min_length=1, max_length=500)]
MOST_TRIES = 200
"""Opening braces of a text at which a finding is looked for."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class _Pinned(_Frozen):
    scope: dict[Dimension, Name] = Field(default_factory=dict, max_length=len(DIMENSIONS))
    """Dimensions pinned to values, written as they stand in the data; empty: all of the incident."""

    def as_scope(self) -> Scope:
        return Scope.of(self.scope)


class SubmittedCulprit(_Pinned):
    """Who carries the change, and why."""

    cause: Cause


class RuledOut(_Frozen):
    """A cause that was considered and does not hold."""

    cause: Cause
    why: Sentence


class SubmittedAction(_Pinned):
    """A measure the model would take; its parameters are set by code."""

    action: ActionName


class Submission(_Frozen):
    """What the model concludes. Sentences may hold references such as {E3.delta_usd} or {E3.rows.0.usd}."""

    culprits: tuple[SubmittedCulprit, ...] = Field(min_length=1, max_length=6)
    """Largest first. Without a culprit give one with an empty scope and `normal_variation` or `unknown`."""
    summary: Sentence = Field(min_length=1)
    """What happened, for somebody who reads only this: one or two sentences."""
    reasons: tuple[Sentence, ...] = Field(min_length=1, max_length=8)
    """Why this cause: each with at least one reference to the evidence that shows it."""
    ruled_out: tuple[RuledOut, ...] = Field(default=(), max_length=6)
    """Competing causes, and the evidence against each."""
    open_questions: tuple[Sentence, ...] = Field(default=(), max_length=3)
    """What only the owner can answer."""
    actions: tuple[SubmittedAction, ...] = Field(default=(), max_length=6)
    """Measures in order of preference, from the closed list; people decide."""

    @field_validator("reasons", "open_questions", mode="before")
    @classmethod
    def _listed(cls, given: object) -> object:
        """One sentence in place of a list of one is what models often write."""
        return [given] if isinstance(given, str) else given


class UnreadableError(ValueError):
    """What the model wrote is no finding; the message says what would be right."""


SUBMIT_SPEC = ToolSpec(
    name=SUBMIT,
    description="Submit the finding. This ends the investigation.",
    parameters=json_schema(Submission),
)


def submitted(message: Message) -> ToolCall | None:
    """The call that submits, if there is one."""
    return next((call for call in message.tool_calls if call.name == SUBMIT), None)


def read_submission(message: Message) -> Submission:
    """The finding of a call, else of the JSON in the text; raises UnreadableError."""
    call = submitted(message)
    given = _object(call.arguments) if call else _object_in(message.content)
    try:
        return Submission.model_validate(_unwrapped(given))
    except ValidationError as error:
        raise UnreadableError(told(error)) from None


def told(error: ValidationError) -> str:
    """What is wrong, fault by fault, without the values."""
    return "; ".join(f"{_place(e['loc']) or 'finding'}: {e['msg']}" for e in error.errors()[:6])


def _place(loc: Iterable[int | str]) -> str:
    """Where a fault is; names the model invented may be long and odd."""
    return "".join(c if c.isprintable() else "?" for c in ".".join(map(str, loc))[:60])


def _object(text: str) -> dict[str, object]:
    try:
        given: object = json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableError("the finding is not valid JSON") from None
    if not isinstance(given, dict) or set(given) == {NOT_JSON}:
        raise UnreadableError("the finding is not valid JSON: send one whole object")
    return given


def _object_in(text: str) -> dict[str, object]:
    """The first object in a text that holds culprits: models wrap JSON in words and fences."""
    starts = [i for i, c in enumerate(text) if c == "{"][:MOST_TRIES]
    for start in starts:
        try:
            given, _ = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if "culprits" in _unwrapped(given):
            return cast("dict[str, object]", given)
    raise UnreadableError(f"no finding: call {SUBMIT}, or answer with its JSON object alone")


def _unwrapped(given: dict[str, object]) -> dict[str, object]:
    """Without the name of the tool, or `arguments`, around it."""
    (name, inner), *others = given.items() or [("", None)]
    wrapped = not others and name in (SUBMIT, "arguments", "finding") and isinstance(inner, dict)
    return cast("dict[str, object]", inner) if wrapped else given
