"""What a scope spends at the level somebody is about to accept, and what it spent before."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from detectors.accepted import Baseline
from detectors.levels import level_shift
from ledger.errors import RefusedError
from ledger.reader import Reader
from ledger.scope import Scope
from ledger.window import HOUR, Window, instant_text

_LOOK_BACK = timedelta(weeks=6)


@dataclass(frozen=True, slots=True)
class MeasuredBaseline:
    """A baseline with what it means in dollars."""

    baseline: Baseline
    usual_usd_per_day: float
    level_usd_per_day: float


def measured_baseline(reader: Reader, scope: Scope, from_at: datetime, extent: Window) -> MeasuredBaseline:
    """The level since `from_at`, a whole hour, as far as there is usage, against the same hours before.

    Raises RefusedError where there is nothing before or nothing since.
    """
    if not extent.start_at < from_at < extent.end_at:
        raise RefusedError(
            f"{instant_text(from_at)} does not lie between the first and the last hour of usage; "
            f"the ledger has {extent}"
        )
    baseline = Baseline.known_until(scope, from_at, extent.end_at)
    read = Window(max(extent.start_at, from_at - _LOOK_BACK), extent.end_at)
    level = baseline.level(extent.end_at)
    first, start = (int((at - read.start_at) / HOUR) for at in (from_at, level.start_at))
    spend = reader.hourly(read, where=scope).values
    shift = level_shift(spend, first, slice(start, start + level.hours))
    days = level.days
    return MeasuredBaseline(baseline, float(shift.usual[0]) / days, float(shift.since[0]) / days)
