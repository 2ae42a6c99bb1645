"""Which detected incidents go on with one of the casebook and keep its id: they are told of once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import cast

from sqlalchemy import RowMapping, select

from detectors.incidents import Direction
from ledger.scope import Dimension, Scope
from ledger.window import HOUR, Window
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.records import is_whole_range
from tokensleuth.casebook.schema import incidents

_HALF = 0.5
"""Of the shorter window: a part and its whole that share less are two things at two times."""


@dataclass(frozen=True, slots=True)
class Found:
    """What detection found now."""

    scope: Scope
    window: Window
    direction: Direction


@dataclass(frozen=True, slots=True)
class Known:
    """An incident of the casebook."""

    id: str
    scope: Scope
    window: Window
    direction: Direction


def known_incidents(casebook: Casebook, found: Sequence[Found]) -> Mapping[int, str]:
    """The casebook's id for each of `found`, by position, that goes on with an incident of the casebook."""
    if not found:
        return {}
    start_at = min(f.window.start_at for f in found) - HOUR
    end_at = max(f.window.end_at for f in found) + HOUR
    near = select(incidents).where(incidents.c.start_at < end_at, incidents.c.end_at > start_at)
    with casebook.reading() as connection:
        rows = connection.execute(near).mappings().all()
    return continued(found, [_known(row) for row in rows if _has_direction(row)])


def continued(found: Sequence[Found], known: Sequence[Known]) -> Mapping[int, str]:
    """By position in `found`; each known incident goes on in one at most, where they overlap most.

    The same scope comes first, then scopes of which one contains the other. The order of either list decides
    nothing, but between two of `found` that are the same.
    """
    matches: dict[int, str] = {}
    taken: set[str] = set()
    for match in sorted(_matches(found, known)):
        if match.position not in matches and match.known_id not in taken:
            matches[match.position] = match.known_id
            taken.add(match.known_id)
    return matches


@dataclass(frozen=True, slots=True, order=True)
class _Match:
    """Sorts the best first; the last fields make the order one."""

    is_part: bool
    not_shared: timedelta
    """The overlap, negative so that the longest comes first; above 0 it is the pause between them."""
    window: Window
    scope: Scope
    known_id: str
    position: int


def _matches(found: Sequence[Found], known: Sequence[Known]) -> Iterator[_Match]:
    for position, new in enumerate(found):
        for old in known:
            apart = _apart(new.window, old.window)
            if new.direction == old.direction and _goes_on(new, old, apart):
                yield _Match(new.scope != old.scope, apart, new.window, new.scope, old.id, position)


def _goes_on(new: Found, old: Known, apart: timedelta) -> bool:
    if new.scope == old.scope:
        return apart < HOUR
    shorter = min(w.end_at - w.start_at for w in (new.window, old.window))
    is_part = new.scope.contains(old.scope) or old.scope.contains(new.scope)
    return is_part and -apart >= _HALF * shorter


def _apart(one: Window, other: Window) -> timedelta:
    """The pause between them, or below 0 how long they overlap."""
    return max(one.start_at, other.start_at) - min(one.end_at, other.end_at)


def _has_direction(row: RowMapping) -> bool:
    """A range that was asked about is nothing that goes on, and no change goes neither up nor down."""
    return not is_whole_range(dict(row)) and Decimal(row["delta_usd"]) != 0


def _known(row: RowMapping) -> Known:
    scope = Scope.of(cast(dict[Dimension, str], row["scope"]))
    direction: Direction = "up" if Decimal(row["delta_usd"]) > 0 else "down"
    return Known(row["id"], scope, Window(row["start_at"], row["end_at"]), direction)
