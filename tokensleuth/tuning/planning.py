"""Planned events of the casebook: announced launches, batches and holidays, beside those of the settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger.errors import RefusedError
from ledger.ids import fact_id
from ledger.window import instant_text
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.tunings import Tuning, append_tuning, planned_in_force, tuning_of
from tools.calendar import CalendarEntry

LONGEST = timedelta(days=92)
"""What is different for longer than a quarter is no event; the level is learnt, or accepted."""
KNOWN_AFTER = timedelta(days=7)
"""So long its hours may still be investigated; then it is forgotten, unless the plan says otherwise."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An event somebody announces."""

    entry: CalendarEntry
    until_at: datetime | None
    """When it is forgotten; None: a week after its end."""
    reason: str | None
    by: str


def add_plan(casebook: Casebook, plan: Plan, now: datetime) -> Tuning:
    """Keep it; the same plan again changes nothing. Raises RefusedError for one that is over or too long."""
    tuning = _tuning(plan, now)
    with casebook.writing() as connection:
        known = tuning_of(connection, tuning.id)
        if known and known.is_in_force(now) and known.until_at == tuning.until_at:
            return known
        append_tuning(connection, tuning, "planned", casebook.key)
    return tuning


def calendar_in_force(
    casebook: Casebook, configured: Sequence[CalendarEntry], now: datetime
) -> tuple[CalendarEntry, ...]:
    """The settings' entries, then those of the casebook that are not over."""
    with casebook.reading() as connection:
        return (*configured, *planned_in_force(connection, now))


def _tuning(plan: Plan, now: datetime) -> Tuning:
    window = plan.entry.window
    until_at = plan.until_at or window.end_at + KNOWN_AFTER
    _refuse_wrong(plan.entry, until_at, now)
    document = plan.entry.model_dump(mode="json")
    return Tuning(
        id=fact_id("tune", "planned", document),
        kind="planned",
        state="in_force",
        scope=plan.entry.scope,
        from_at=window.start_at,
        until_at=until_at,
        document=document,
        incident_id=None,
        reason=plan.reason,
        given_by=plan.by,
        given_at=now,
    )


def _refuse_wrong(entry: CalendarEntry, until_at: datetime, now: datetime) -> None:
    window, until = entry.window, instant_text(until_at)
    if window.end_at - window.start_at > LONGEST:
        raise RefusedError(
            f"`{entry.what}` lasts {window.days:g} days; a plan lasts {LONGEST.days} at most, "
            "a new level is accepted with: tokensleuth accept-baseline"
        )
    if until_at < window.end_at:
        raise RefusedError(
            f"until {until} is before the end of `{entry.what}`, {instant_text(window.end_at)}"
        )
    if until_at > window.end_at + LONGEST:
        raise RefusedError(f"until {until} is more than {LONGEST.days} days after the end of `{entry.what}`")
    if until_at <= now:
        raise RefusedError(f"`{entry.what}` is over: it would be known until {until} only")
