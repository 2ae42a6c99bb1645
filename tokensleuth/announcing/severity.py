"""How urgent an incident is: by its money against an average day's spend, its pace and its cause."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import cast

from ledger.window import HOUR
from tokensleuth.casebook.records import JsonObject, is_whole_range
from tokensleuth.settings_acts import Severity

SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high")
"""Least urgent first."""

_HIGH_DAY = Decimal("0.25")
"""Of an average day: about 1 % of a month's bill is gone already."""
_MEDIUM_DAY = Decimal("0.05")
"""Of an average day: more than an ordinary day strays by."""
_HIGH_PACE = Decimal(1)
"""Of an average hour, in each hour: the whole bill doubles for as long as it lasts."""
_MEDIUM_PACE = Decimal("0.25")
"""Of an average hour, in each hour: left alone for a day, it reaches _HIGH_DAY."""
_UNSURE = 0.5
"""Below this confidence the cause is a guess: it takes twice the money to call somebody."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What incidents are measured by."""

    day_usd: Decimal
    """What the organisation spends on an average day; 0: nobody knows."""


def severity(incident: Mapping[str, object], usual: Usual) -> Severity:
    """A possible key leak is high whatever it cost; what is benign is low; else the money decides.

    What only corrects the books, and what was saved rather than spent, is medium at most: nothing is burning.
    """
    if is_leak(incident):
        return "high"
    if incident["verdict"] == "benign":
        return "low"
    by_money = _by_money(incident, usual)
    calm = incident["verdict"] == "accounting_artifact" or _usd(incident) < 0
    return "medium" if calm and by_money == "high" else by_money


def is_alerted(incident: JsonObject) -> bool:
    """Whether people are called at all; the digest and the lists show every incident.

    Nobody is for what is benign, nor for a range that somebody asked about: they get the answer.
    """
    if is_leak(incident):
        return True
    return incident["verdict"] != "benign" and not is_whole_range(incident)


def is_leak(incident: Mapping[str, object]) -> bool:
    """Whether the rules, not only a model, find a leaked key in it, be it in a part of it."""
    culprits = cast(Sequence[Mapping[str, object]], incident["culprits"])
    by_rules = (c["cause"] for c in culprits if c.get("decided_by") != "llm")
    return incident["cause"] == "key_leak" or "key_leak" in by_rules


def importance(incident: Mapping[str, object], urgency: Severity) -> tuple[int, Decimal, str]:
    """Sorts the most important first."""
    return (-SEVERITIES.index(urgency), -abs(_usd(incident)), str(incident["id"]))


def _by_money(incident: Mapping[str, object], usual: Usual) -> Severity:
    if usual.day_usd <= 0:
        return "medium"
    unsure = incident["verdict"] == "inconclusive" or float(str(incident["confidence"])) < _UNSURE
    of_day = abs(_usd(incident)) / usual.day_usd / (2 if unsure else 1)
    pace = of_day * 24 / _hours(incident)
    if of_day >= _HIGH_DAY or (pace >= _HIGH_PACE and of_day >= _MEDIUM_DAY):
        return "high"
    return "medium" if of_day >= _MEDIUM_DAY or pace >= _MEDIUM_PACE else "low"


def _usd(incident: Mapping[str, object]) -> Decimal:
    return Decimal(str(incident["delta_usd"]))


def _hours(incident: Mapping[str, object]) -> Decimal:
    start_at, end_at = (datetime.fromisoformat(str(incident[name])) for name in ("start_at", "end_at"))
    return max(Decimal(1), Decimal((end_at - start_at) / HOUR))
