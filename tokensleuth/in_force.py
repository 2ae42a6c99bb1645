"""Which kept models the hourly path goes by, up to which hour, and whether they are late."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from detectors.profiles import AHEAD_DAYS
from detectors.settings import DetectorSettings
from ledger.errors import RefusedError
from ledger.kept.models import KeptModel
from ledger.kept.store import Kept
from ledger.window import HOUR, Window, floor_hour, short_text
from tokensleuth.kept_facts import LIVE_HOURS, judging, layout, settings_of

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class InForce:
    """The models that judge the last hours, oldest first."""

    models: Sequence[KeptModel]
    settings: DetectorSettings
    """By which they were made, and by which hours are judged until the next refit."""
    late_hours: int
    """How much older the newest model is than the last midnight."""
    reason: str | None
    """Why it is not the model it should be."""
    window: Window
    """The hours asked about."""

    @property
    def newest(self) -> KeptModel:
        return self.models[-1]


def complete_until(extent: Window, now: datetime) -> datetime:
    """The end of the last hour that is over: the hour of `now` is open."""
    return min(extent.end_at, floor_hour(now))


def models_in_force(kept: Kept, settings: DetectorSettings, end_at: datetime) -> InForce:
    """The models that the last 72 h before `end_at` are judged by.

    Raises RefusedError where none is kept, or none that this program can read, or the newest is too old.
    """
    every = kept.models.all()
    models = judging(every, end_at)
    if not models:
        raise RefusedError("no model is kept; make one: tokensleuth refit")
    if any(model.layout != layout() for model in models):
        raise RefusedError("the kept model is another version's; make a new one: tokensleuth refit")
    newest = models[-1]
    if end_at - newest.fitted_at > AHEAD_DAYS * _DAY:
        raise RefusedError(
            f"the model of {short_text(newest.fitted_at)} serves {AHEAD_DAYS} days and usage goes on to "
            f"{short_text(end_at)}; make a new one: tokensleuth refit"
        )
    since = end_at - LIVE_HOURS * HOUR
    made_by = DetectorSettings(**newest.settings)  # type: ignore[arg-type]
    due = (end_at - HOUR).replace(hour=0)
    # The model of `end_at` itself, where there is one, judges the hours to come: no refit is missing.
    late = int((due - newest.fitted_at) / HOUR) if every[-1] is newest else 0
    return InForce(
        models=models,
        settings=made_by,
        late_hours=late,
        reason=_reason(newest, due, settings, late),
        window=Window(max(since, models[0].fitted_at), end_at),
    )


def _reason(model: KeptModel, due: datetime, settings: DetectorSettings, late: int) -> str | None:
    if late:
        return f"the refit of {short_text(due)} did not run or failed; run: tokensleuth refit"
    kept, present = model.settings, settings_of(settings)
    changed = [f"{name} {kept[name]} -> {present[name]}" for name in present if kept[name] != present[name]]
    return (
        f"settings changed since ({', '.join(changed)}): they act from the next refit on" if changed else None
    )
