"""What a target spent lately, and who: read from the ledger for the guard rails."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from ledger.errors import TokensleuthError
from ledger.scope import UNALLOCATED, Scope
from ledger.window import Window
from tokensleuth.casebook.records import Touched

if TYPE_CHECKING:  # DuckDB takes half a second to load, which who is handed a Spend need not pay
    from ledger.reader import Reader
    from ledger.store import Ledger

LATELY = timedelta(hours=24)


class Spend(Protocol):
    """Tells what a measure on a scope would touch."""

    def touched(self, scope: Scope) -> Touched | None:
        """By the last 24 h of usage; None where nobody can tell."""
        ...


def touched_by(reader: "Reader", scope: Scope) -> Touched | None:
    """The scope's part of all spend, and its owner; None in a ledger without spend."""
    extent = reader.extent()
    if extent is None:
        return None
    lately = [Window(extent.end_at - LATELY, extent.end_at)]
    total = sum(measures.cost_pico for measures in reader.totals(lately).values())
    if total <= 0:
        return None
    by_team = {
        str(team.as_dict().get("team", UNALLOCATED)): measures.cost_pico
        for team, measures in reader.totals(lately, by=["team"], where=scope).items()
    }
    owner = max(by_team, key=lambda team: (by_team[team], team), default=None)
    keys = frozenset(reader.first_seen("key_id", where=scope))
    return Touched(sum(by_team.values()) / total, owner, keys - {UNALLOCATED})


@dataclass(frozen=True, slots=True)
class LedgerSpend:
    """Opens the ledger for each question: nobody else is kept from it meanwhile."""

    ledger: "Callable[[], AbstractContextManager[Ledger]]"

    def touched(self, scope: Scope) -> Touched | None:
        try:
            with self.ledger() as ledger:
                return touched_by(ledger.reader, scope)
        except TokensleuthError:
            return None
