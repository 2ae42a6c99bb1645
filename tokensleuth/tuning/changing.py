"""Tunings by hand: a threshold raised after it was simulated, and any tuning taken back."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from detectors.incidents import Direction
from ledger.errors import RefusedError
from ledger.scope import Scope
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.tunings import Tuning, TuningKind, append_tuning, refuse_unless_in_force
from tokensleuth.terminal.text import usd
from tokensleuth.tuning.price import Price, past_concerned
from tokensleuth.tuning.raising import LASTS
from tokensleuth.tuning.thresholding import Wanted, new_threshold


@dataclass(frozen=True, slots=True)
class ByHand:
    """A threshold that a person chose."""

    scope: Scope
    direction: Direction
    min_usd: Decimal
    lasts: timedelta
    reason: str | None
    by: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The threshold, and what it would have kept quiet in the last 28 days."""

    tuning: Tuning
    price: Price


def raise_by_hand(casebook: Casebook, asked: ByHand, now: datetime) -> Chosen:
    """Put it in the place of the scope's threshold; refuses what would have kept quiet something real."""
    if not timedelta(0) < asked.lasts <= LASTS:
        raise RefusedError(f"{asked.lasts.days} days: a threshold is raised for 1 to {LASTS.days} days")
    if not asked.min_usd.is_finite() or asked.min_usd <= 0:
        raise RefusedError(f"a threshold of {asked.min_usd} USD; give an amount above 0")
    with casebook.writing() as connection:
        past = past_concerned(connection, asked.scope, asked.direction, now)
        price = Price(tuple(p for p in past if abs(p.height.usd) < asked.min_usd))
        _refuse_over_real(price)
        wanted = Wanted(
            scope=asked.scope,
            direction=asked.direction,
            min_usd=asked.min_usd,
            first_usd=None,
            from_at=now,
            until_at=now + asked.lasts,
            reason=asked.reason,
        )
        tuning = new_threshold(wanted, asked.by, now)
        append_tuning(connection, tuning, "raised a threshold", casebook.key)
    return Chosen(tuning, price)


def undo_tuning(
    casebook: Casebook, tuning_id: str, by: str, now: datetime, *, kind: TuningKind | None, reason: str | None
) -> Tuning:
    """Take it back; raises RefusedError where there is none in force. Its rows stay."""
    with casebook.writing() as connection:
        found = refuse_unless_in_force(connection, tuning_id, kind, now)
        undone = replace(found, state="undone", reason=reason, given_by=by, given_at=now)
        append_tuning(connection, undone, "undid a tuning", casebook.key)
    return undone


def _refuse_over_real(price: Price) -> None:
    if price.real:
        least = min(price.real, key=lambda p: abs(p.height.usd))
        height = usd(abs(least.height.usd))
        raise RefusedError(
            f"it would have kept quiet {least.id} of {height}, which was said to be real; "
            f"raise it to {height} at most"
        )
