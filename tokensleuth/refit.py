"""The nightly refit: learns the days before a midnight and keeps what it learnt in the ledger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from detectors.accepted import Baseline
from detectors.profiles import AHEAD_DAYS
from detectors.settings import DetectorSettings
from ledger.errors import RefusedError
from ledger.kept.models import KeptModel
from ledger.kept.store import Kept
from ledger.store import Ledger
from ledger.window import Window, instant_text
from tokensleuth.kept_facts import MEMORY_MB, layout, settings_of
from tokensleuth.kept_profiles import FOREST, SHAPES
from tokensleuth.night import Night, learn_night
from tokensleuth.ranges import usage_extent

DAY = timedelta(days=1)
KEPT_MIDNIGHTS = 4
"""Scores of the last 72 h begin in the day of the oldest."""
WARM_UP_FROM_DAYS = 14
"""History before the warm-up without which there is none; as in `detectors.causal.scoring_blocks`."""


@dataclass(frozen=True, slots=True)
class Refitted:
    """What a refit did."""

    model: KeptModel
    learnt: tuple[datetime, ...]
    """The midnights that were learnt, the last one being the model's."""
    kept: tuple[datetime, ...]
    """The midnights whose models are kept now."""


def refit(
    ledger: Ledger,
    settings: DetectorSettings,
    *,
    until: datetime,
    baselines: Sequence[Baseline] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Refitted:
    """Learn the usage before the last midnight at or before `until`, and the midnights missing on the way.

    All is written, or nothing. Run again it learns the same midnight anew. Raises RefusedError where there
    are too few whole days of usage.
    """
    extent = usage_extent(ledger.reader)
    midnight = last_midnight(min(until, extent.end_at))
    first = next_midnight(extent.start_at)
    if midnight - first < settings.min_days * DAY:
        raise RefusedError(
            f"{max((midnight - first) // DAY, 0)} whole days of usage before {instant_text(midnight)}; "
            f"{settings.min_days} are needed"
        )
    kept = ledger.kept
    ledger.limit_memory(MEMORY_MB)
    with kept.transaction():
        nights = _nights(_usable(kept, midnight, settings), midnight, first, settings)
        for night in nights:
            model = learn_night(ledger, night, settings, baselines, progress)
        return Refitted(model, tuple(night.midnight for night in nights), _pruned(kept))


def last_midnight(instant: datetime) -> datetime:
    """At or before the instant."""
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


def next_midnight(instant: datetime) -> datetime:
    """At or after the instant."""
    midnight = last_midnight(instant)
    return midnight if midnight == instant else midnight + DAY


def _usable(kept: Kept, midnight: datetime, settings: DetectorSettings) -> KeptModel | None:
    """The kept model that goes on, without those that are learnt anew; none where all begins afresh."""
    earlier = [model for model in kept.models.all() if model.fitted_at < midnight]
    last = earlier[-1] if earlier else None
    goes_on = (
        last is not None
        and last.layout == layout()
        and last.settings == settings_of(settings)
        and midnight - last.fitted_at <= AHEAD_DAYS * DAY
        and _next_midnight(last) <= midnight
    )
    if goes_on:
        kept.models.keep_only([model.fitted_at for model in earlier], _forests(earlier))
        return last
    kept.models.keep_only([])
    kept.hours.clear()
    return None


def _nights(
    last: KeptModel | None, midnight: datetime, first: datetime, settings: DetectorSettings
) -> list[Night]:
    """The midnights to learn, in turn, like `detectors.causal.score_range` refits on its way."""
    longest = settings.history_days * DAY

    def night(at: datetime, number: int) -> Night:
        return Night(Window(max(first, at - longest), at), number)

    if last is not None:
        number, after = int(str(last.facts["number"])), _next_midnight(last)
        return [night(after + i * DAY, number + 1 + i) for i in range((midnight - after) // DAY + 1)]
    start_at = max(first, midnight - longest)
    warm = midnight - settings.warmup_days * DAY
    if not settings.warmup_days or warm - start_at < WARM_UP_FROM_DAYS * DAY:
        return [night(midnight, 0)]
    return [Night(Window(start_at, warm), 0, warm_up_until=midnight), night(midnight, 1)]


def _next_midnight(model: KeptModel) -> datetime:
    warm_up = model.facts["warm_up_until"]
    return datetime.fromisoformat(str(warm_up)) if warm_up else model.fitted_at + DAY


def _pruned(kept: Kept) -> tuple[datetime, ...]:
    models = kept.models.all()[-KEPT_MIDNIGHTS:]
    kept.models.keep_only([model.fitted_at for model in models], _forests(models))
    # The last midnight may be learnt anew, from the shapes of the one before.
    kept.models.delete_arrays(models[-2:][0].fitted_at, SHAPES)
    return tuple(model.fitted_at for model in models)


def _forests(models: Sequence[KeptModel]) -> list[tuple[datetime, str]]:
    return [(datetime.fromisoformat(str(model.facts["forest_at"])), FOREST) for model in models]
