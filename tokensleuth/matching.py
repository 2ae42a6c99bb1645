"""Which incidents of two runs are the same, and which of them a label tells of. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from detectors.incidents import Incident
from ledger.scope import Scope
from ledger.window import HOUR, Window


@dataclass(frozen=True, slots=True)
class SharedSpend:
    """Tells whether two scopes have usage in common."""

    leaves: tuple[Scope, ...]
    """The finest scopes with usage; they pin every dimension that is asked about."""

    def of(self, first: Scope, second: Scope) -> bool:
        """One contains the other, or there is usage that lies in both."""
        if first.contains(second) or second.contains(first):
            return True
        return any(first.contains(leaf) and second.contains(leaf) for leaf in self.leaves)


class Kept(NamedTuple):
    """The same incident as it was found before and after."""

    before: Incident
    after: Incident


@dataclass(frozen=True, slots=True)
class Matching:
    """Every incident of both runs, once."""

    kept: tuple[Kept, ...]
    lost: tuple[Incident, ...]
    gained: tuple[Incident, ...]


def match_incidents(before: Sequence[Incident], after: Sequence[Incident], shared: SharedSpend) -> Matching:
    """Pair incidents of one direction that overlap in time and share spend, each at most once.

    Where several could be paired, the same scope goes first, then the larger part of their hours in common.
    """
    pairs = [Kept(a, b) for a in before for b in after if _is_same(a, b, shared)]
    kept: list[Kept] = []
    for pair in sorted(pairs, key=_unlikeness):
        if not any(pair.before is other.before or pair.after is other.after for other in kept):
            kept.append(pair)
    found_before = {pair.before.id for pair in kept}
    found_after = {pair.after.id for pair in kept}
    return Matching(
        kept=tuple(sorted(kept, key=lambda pair: pair.before.window)),
        lost=tuple(incident for incident in before if incident.id not in found_before),
        gained=tuple(incident for incident in after if incident.id not in found_after),
    )


def _is_same(first: Incident, second: Incident, shared: SharedSpend) -> bool:
    overlaps = first.window.overlap(second.window) is not None
    return first.direction == second.direction and overlaps and shared.of(first.scope, second.scope)


def _unlikeness(pair: Kept) -> tuple[bool, float, str, str]:
    in_common = share_in_common(pair.before.window, pair.after.window)
    return pair.before.scope != pair.after.scope, -in_common, pair.before.id, pair.after.id


def share_in_common(first: Window, second: Window) -> float:
    """Hours in both windows by hours in either."""
    both = first.overlap(second)
    if both is None:
        return 0.0
    common = (both.end_at - both.start_at) / HOUR
    return common / (_length(first) + _length(second) - common)


def _length(window: Window) -> float:
    return (window.end_at - window.start_at) / HOUR
