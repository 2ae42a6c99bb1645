"""Service tiers: the names sources use for them, and the words the price catalogue knows them by."""

from collections.abc import Mapping

from ledger.scope import UNALLOCATED

STANDARD = "standard"

_SAID_FOR_STANDARD = frozenset({"", UNALLOCATED.lower(), STANDARD, "default", "auto", "on_demand"})

TIER_CONTEXTS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "batch": ({"processing": "batch"},),
    "flex": ({"service_tier": "flex"},),
    "priority": ({"service_tier": "priority"},),
    "fast": ({"service_tier": "fast"}, {"speed": "fast"}),
}
"""Every tier but the standard one that the catalogue can price, with the request contexts that select it."""


def canonical_tier(name: str) -> str:
    """One name per tier; a name nobody knows comes back as it is, without case."""
    tier = name.strip().lower().replace("-", "_").replace(" ", "_")
    return STANDARD if tier in _SAID_FOR_STANDARD else tier
