"""Scripted models for the benchmark: one that knows the truth, and the ways in which models go wrong."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import JsonValue

from agent.llm.port import CallUsage, Completion, Message, ToolCall, ToolSpec
from evals.scenarios import Scenario, Truth
from evals.scripted import Script, ScriptedModel, Turn, calls, says, submits
from ledger.scope import Scope
from ledger.synthetic.inject import Injected
from ledger.window import Window, parse_instant

_INCIDENT = re.compile(r'<data id="incident">\n(.*?)\n</data>', re.DOTALL)
_HOURS = re.compile(r"lies between (\S+) (\S+) to (\S+) (\S+) UTC")
BACKED: Sequence[JsonValue] = ("Spend moved by {E1.delta_usd} against what was expected.",)
MADE_UP = (
    "The key burned $48,213.77 in 3 hours, 412% above Tuesday.",
    "Team Phoenix confirmed that 9 of 10 agents looped since 03:14.",
    "Latency doubled and the p99 reached 12.5 s, see https://status.example/incident/77.",
)


@dataclass(frozen=True, slots=True)
class Told:
    """What the first message says of the incident."""

    window: Window
    scope: Scope
    suspects: Sequence[Mapping[str, Any]]


def told(messages: Sequence[Message]) -> Told:
    """Read the first message of a conversation."""
    first = messages[1].content
    block, hours = _INCIDENT.search(first), _HOURS.search(first)
    if block is None or hours is None:
        raise ValueError("the first message tells of no incident")
    incident = json.loads(block[1])
    start_at, end_at = (parse_instant(f"{hours[i]}T{hours[i + 1]}Z") for i in (1, 3))
    return Told(Window(start_at, end_at), Scope.of(incident["scope"]), incident["suspects"])


def perfect(_scenario: Scenario, truth: Truth) -> ScriptedModel:
    """Knows what was injected; looks twice, then says so in sentences that evidence backs."""

    def script(messages: Sequence[Message], _tools: Sequence[ToolSpec]) -> Turn:
        if len(messages) == 2:
            return calls(("compare", {}), ("breakdown", {"by": ["team"]}))
        about = [one for one in truth.injected if _concerns(one, told(messages))]
        culprits = [_culprit(one) for one in about] or [{"scope": {}, "cause": "normal_variation"}]
        return _finding(culprits)

    return _model("perfect", script)


def lazy(_scenario: Scenario, _truth: Truth) -> ScriptedModel:
    """Asks nothing and agrees with whatever the rules say first."""
    return _model("lazy", lambda messages, _tools: _finding(_suspects(told(messages), 0)))


def contradicting(_scenario: Scenario, _truth: Truth) -> ScriptedModel:
    """Always prefers the second cause, and argues for the opposite of its finding."""

    def script(messages: Sequence[Message], _tools: Sequence[ToolSpec]) -> Turn:
        culprits = _suspects(told(messages), 1)
        reasons = [*BACKED, "Spend fell by {E1.delta_usd}.", "Nothing happened: it is normal variation."]
        return _finding(culprits, reasons=reasons)

    return _model("contradicting", script)


def rambling(_scenario: Scenario, _truth: Truth) -> ScriptedModel:
    """Talks before it answers, and mixes what is backed with what is made up."""

    def script(messages: Sequence[Message], _tools: Sequence[ToolSpec]) -> Turn:
        if len(messages) == 2:
            return says("Let me think about this. " * 200)
        reasons = [*BACKED, *MADE_UP]
        finding = {"culprits": _suspects(told(messages), 0), "summary": MADE_UP[0], "reasons": reasons}
        return says(f"So, in short:\n```json\n{json.dumps(finding)}\n```\nI hope this helps!")

    return _model("rambling", script)


def garbage(_scenario: Scenario, _truth: Truth) -> ScriptedModel:
    """Calls tools that are not there with arguments that are not JSON."""
    broken = ToolCall(id="x", name="submit_finding", arguments='{"culprits": [{"scope": {"team": "se')
    unknown = ToolCall(id="x", name="run_sql", arguments="drop table usage;")
    usage = CallUsage(input_tokens=3_000, output_tokens=40)

    def script(messages: Sequence[Message], _tools: Sequence[ToolSpec]) -> Turn:
        return Completion(tool_calls=(unknown, unknown) if len(messages) == 2 else (broken,), usage=usage)

    return _model("garbage", script)


def _model(name: str, script: Script) -> ScriptedModel:
    return ScriptedModel(script, name=f"scripted-{name}")


def _finding(culprits: Sequence[JsonValue], *, reasons: Sequence[JsonValue] = BACKED) -> Completion:
    summary = "Spend moved by {E1.delta_usd} against what was expected."
    return submits(culprits=list(culprits), summary=summary, reasons=list(reasons))


def _suspects(incident: Told, position: int) -> list[JsonValue]:
    """Each suspect with its cause at a place of the ranking."""
    return [
        {
            "scope": cast("dict[str, JsonValue]", dict(suspect["scope"])),
            "cause": suspect["causes"][min(position, len(suspect["causes"]) - 1)]["cause"],
        }
        for suspect in incident.suspects
    ]


def _concerns(one: Injected, incident: Told) -> bool:
    """Whether what was injected shows in these hours and this scope."""
    theirs = incident.scope.as_dict()
    apart = any(
        d in theirs and theirs[d] != value and theirs[d] not in one.accepted.get(d, ())
        for d, value in one.scope.items
    )
    return one.window.overlap(incident.window) is not None and not apart


def _culprit(one: Injected) -> JsonValue:
    return {"scope": {str(d): v for d, v in one.scope.items}, "cause": one.cause}
