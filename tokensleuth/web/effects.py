"""The waterfall of an incident as bars of a page: where each starts and how long it is, in parts of 100."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from agent.waterfall import Kind, effect_label, waterfall
from tokensleuth.casebook import JsonObject
from tokensleuth.terminal.text import parts


@dataclass(frozen=True, slots=True)
class Bar:
    """One step from what was expected to what was paid."""

    label: str
    kind: Kind
    usd: Decimal
    fact: str
    """The fact of the evidence that has the amount; empty where several are added up."""
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Bars:
    """All steps, and the evidence that has their amounts."""

    steps: Sequence[Bar]
    evidence_id: str | None
    zeros: int


def effect_bars(incident: JsonObject) -> Bars:
    """Of the contract's incident."""
    effects = {str(e["name"]): Decimal(str(e["usd"])) for e in parts(incident, "effects")}
    expected, actual = (Decimal(str(incident[name])) for name in ("expected_usd", "actual_usd"))
    drawn = waterfall(expected, actual, effects)
    facts = {effect_label(name, usd): f"{name}_usd" for name, usd in effects.items()}
    facts |= {"expected": "expected_usd", "actual": "actual_usd"}
    levels = [level for step in drawn.steps for level in (step.start_usd, step.end_usd)]
    floor = drawn.floor_usd
    shown = [max(level, floor) for level in levels]
    low, high = min(shown), max(shown)
    span = (high - low) or Decimal(1)
    steps = []
    for step in drawn.steps:
        ends = sorted(max(level, floor) for level in (step.start_usd, step.end_usd))
        left, width = (float(100 * part / span) for part in (ends[0] - low, ends[1] - ends[0]))
        steps.append(Bar(step.label, step.kind, step.usd, facts.get(step.label, ""), left, max(width, 0.4)))
    return Bars(steps, split_evidence(incident), drawn.zeros)


def split_evidence(incident: JsonObject) -> str | None:
    """The id of the evidence that splits the change."""
    listed = cast(Sequence[JsonObject], incident["evidence"])
    return next((str(e["id"]) for e in listed if e["tool"] == "effects"), None)
