"""What is new about an incident since it was last told of; the audit trail keeps what was said."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import cast

from tokensleuth.announcing.severity import SEVERITIES
from tokensleuth.settings_acts import Severity

_TOLD = ("alerted", "gathered", "told again")
"""What the audit trail calls an alert, a place in a storm, and a later word in a thread."""

_MOVED = Decimal("0.1")
"""Of what was told: late data moves most sums by less, and nobody need read of it."""


def told_facts(incident: Mapping[str, object]) -> dict[str, object]:
    """What the audit trail keeps of what was told."""
    proposals = cast(Sequence[Mapping[str, object]], incident["proposals"])
    copied = ("verdict", "cause", "delta_usd")
    return {name: incident[name] for name in copied} | {"proposals": sorted(str(p["id"]) for p in proposals)}


def last_told(noted: Sequence[Mapping[str, object]]) -> Mapping[str, object] | None:
    """The facts that people know, from an incident's audit entries, latest first; None: never told."""
    found = next((entry for entry in noted if entry["what"] in _TOLD), None)
    return cast(Mapping[str, object], found["document"]) if found else None


def has_risen(noted: Sequence[Mapping[str, object]], urgency: Severity) -> bool:
    """Whether an incident is more urgent than any alert of it said: most begin small."""
    told = [cast(Mapping[str, object], e["document"]) for e in noted if e["what"] in ("alerted", "gathered")]
    said = [severity for severity in SEVERITIES if severity in [document["severity"] for document in told]]
    return bool(said) and SEVERITIES.index(urgency) > SEVERITIES.index(said[-1])


def news(told: Mapping[str, object], facts: Mapping[str, object]) -> str | None:
    """What has changed enough to be said, in one sentence; None where nothing has."""
    changes = [
        f"{name} is now {_plain(facts[name])}, was {_plain(told[name])}"
        for name in ("verdict", "cause")
        if facts[name] != told[name]
    ]
    before, after = Decimal(str(told["delta_usd"])), Decimal(str(facts["delta_usd"]))
    if abs(after - before) > _MOVED * abs(before):
        changes.append(f"the change is now {after:+,.2f} USD, was {before:+,.2f} USD")
    if facts["proposals"] != told["proposals"]:
        changes.append("what is proposed has changed")
    return f"Later data: {'; '.join(changes)}." if changes else None


def _plain(word: object) -> str:
    return str(word).replace("_", " ")
