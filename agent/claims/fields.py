"""What a field of the evidence measures, told from its name: its unit, and whether it is a change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from agent.rendering import Format
from tools.split import EFFECTS

Kind = Literal["usd", "share", "points", "ratio", "count", "number", "flag", "text"]

FORMATS: Mapping[Kind, Format] = {
    "usd": "usd", "share": "percent", "points": "percent", "ratio": "times", "count": "count",
    "number": "number", "flag": "number", "text": "text",
}  # fmt: skip

FLAGS = frozenset({"new", "new_scope", "stranger", "whole_model", "version_changed", "matches"})
"""0 or 1: no number to show."""
SHARES = frozenset({"of_spend", "calendar_covers", "basis_moved"})
RATIOS = frozenset({"expected_low", "expected_high", "tokenizer_ratio_low"})
BESIDE_A_DRIVER = frozenset({"now", "before"})
"""Fields of a row whose name is in its `driver`."""
CHANGES = frozenset({"usd", "delta_usd", "change_usd", *(f"{effect}_usd" for effect in EFFECTS)})


@dataclass(frozen=True, slots=True)
class Measure:
    """What a number is of."""

    kind: Kind
    words: frozenset[str]
    """The parts of its name."""
    is_change: bool
    """Whether its sign says which way something moved."""
    rate: str = ""
    """`hour` of what is told per hour."""


def measure_of(name: str, row: Mapping[str, object]) -> Measure:
    """The measure of a numeric field; `row` is empty for a fact."""
    told = name
    if name in BESIDE_A_DRIVER and "driver" in row:
        told = f"{row['driver']}_before" if name == "before" else str(row["driver"])
    elif name == "usd" and "effect" in row:
        told = f"{row['effect']}_usd"
    elif name == "ratio" and "driver" in row:
        told = f"{row['driver']}_ratio"
    words = frozenset(told.split("_"))
    rate = f"_{told}".partition("_per_")[2].split("_")[0]
    return Measure(_kind(told, words), words, told in CHANGES or told.endswith("_rise"), rate)


def _kind(name: str, words: frozenset[str]) -> Kind:
    if name in FLAGS:
        return "flag"
    if words & {"ratio"} or name in RATIOS:
        return "ratio"
    if name.endswith("_rise"):
        return "points"
    if words & {"share"} or name in SHARES:
        return "share"
    return _amount(name, words)


def _amount(name: str, words: frozenset[str]) -> Kind:
    if "usd" in words:
        return "usd"
    if "per" in words and "characters" in words:
        return "number"
    return "number" if name in NUMBERS else "count"


NUMBERS = frozenset({"spreads", "spread", "shape", "evenness", "days", "now", "before"})
"""Neither dollars nor parts nor counts."""
