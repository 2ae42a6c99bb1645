"""Makes the casebook's row of a raised threshold; one scope has one in each direction."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from detectors.incidents import Direction
from ledger.ids import fact_id
from ledger.scope import Scope
from tokensleuth.casebook.tunings import Tuning
from tokensleuth.thresholds import Height
from tokensleuth.tuning.raising import Standing


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a threshold shall be."""

    scope: Scope
    direction: Direction
    min_usd: Decimal | None
    first_usd: Decimal | None
    """The height from which its cap is counted; None where a person chose the threshold themselves."""
    from_at: datetime
    until_at: datetime
    min_score: float | None = None
    incident_id: str | None = None
    reason: str | None = None


def direction_of(height: Height) -> Direction:
    return "down" if height.usd < 0 else "up"


def threshold_id(scope: Scope, direction: Direction) -> str:
    """Raising it again is a new row of the same one, whoever does it."""
    return fact_id("tune", "threshold", scope.items, direction)


def new_threshold(wanted: Wanted, by: str, now: datetime) -> Tuning:
    """In force from now on."""
    return Tuning(
        id=threshold_id(wanted.scope, wanted.direction),
        kind="threshold",
        state="in_force",
        scope=wanted.scope,
        from_at=wanted.from_at,
        until_at=wanted.until_at,
        document={
            "direction": wanted.direction,
            "min_usd": _text(wanted.min_usd),
            "min_score": wanted.min_score,
            "first_usd": _text(wanted.first_usd),
        },
        incident_id=wanted.incident_id,
        reason=wanted.reason,
        given_by=by,
        given_at=now,
    )


def standing_of(tuning: Tuning | None) -> Standing | None:
    """What a word on an incident raises further; one without dollars is replaced."""
    threshold = tuning.threshold() if tuning else None
    if tuning is None or threshold is None or threshold.min_usd is None:
        return None
    first = tuning.document["first_usd"]
    return Standing(threshold.min_usd, threshold.min_usd if first is None else Decimal(str(first)))


def _text(usd: Decimal | None) -> str | None:
    return None if usd is None else str(usd)
