"""The duties of the service: their names, how often, and what matters most when several are due."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokensleuth.schedule.cadence import Cadence, Daily, Every, Weekly
from tokensleuth.settings import Settings

SYNC = "sync"
DETECT = "detect"
REJUDGE = "rejudge"
REFIT = "refit"
RECONCILE = "reconcile"
BUDGETS = "budgets"
DIGEST = "digest"
RETENTION = "retention"

ORDER: Sequence[str] = (DETECT, REJUDGE, SYNC, BUDGETS, DIGEST, REFIT, RECONCILE, RETENTION)
"""An hour that came in is judged before anything else: somebody may be burning money in it."""

HOURLY = 60


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that is done by itself."""

    name: str
    cadence: Cadence | None
    """None: planned by `sync`: `detect` for each complete hour, `rejudge` where usage came late."""
    again: bool = True
    """Whether a slot that failed is tried again; else the next slot makes up for it."""


def duties_of(settings: Settings) -> tuple[Duty, ...]:
    """Those that the settings ask for."""
    schedule, digest = settings.schedule, settings.digest
    every = (
        Duty(SYNC, Every(schedule.sync_minutes), again=False),
        Duty(DETECT, None),
        Duty(REJUDGE, None),
        Duty(BUDGETS, Every(HOURLY), again=False),
        Duty(REFIT, Daily(schedule.refit_at)),
        Duty(RECONCILE, Daily(schedule.reconcile_at)),
        Duty(RETENTION, Daily(schedule.retention_at)),
        Duty(DIGEST, Weekly(digest)),
    )
    off = set() if digest.enabled else {DIGEST}
    return tuple(duty for duty in every if duty.name not in off) if schedule.enabled else ()
