"""Detection over the ledger: which series are looked at, and what was found in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from detectors.accepted import Baseline
from detectors.baselines import Lifted, lift
from detectors.detection import Detection, detect
from detectors.incidents import Incident, Spike
from detectors.settings import DetectorSettings
from ledger.errors import RefusedError
from ledger.reader import HourlySeries, Reader
from ledger.scope import DIMENSIONS, EVERYTHING, Dimension, Scope
from ledger.usage import Metric
from ledger.window import Window, floor_hour
from tokensleuth.ranges import covered_range, usage_extent
from tokensleuth.thresholds import Suppressed, Threshold, opened, suppressed
from tokensleuth.unpriced import Unpriced, unpriced_detection

LEVELS: tuple[tuple[Dimension, ...], ...] = (
    (),
    ("team",),
    ("model",),
    ("key_id",),
    ("team", "model"),
    ("team", "key_id"),
)
"""Total spend, each team, model and key, and their main pairs."""
LEAF: tuple[Dimension, ...] = ("team", "model", "key_id")
"""The finest scopes, from which the levels above are sums."""


@dataclass(frozen=True, slots=True)
class RangeDetection:
    """What was found, and in which part of the range there was usage to look at."""

    window: Window
    detection: Detection
    unpriced: Unpriced
    baselines: tuple[Baseline, ...] = ()
    """The accepted levels that the range was judged by."""
    baselines_to_come: tuple[Baseline, ...] = ()
    """Those that changed in the range or too shortly before it: later ranges are judged by them."""
    suppressed: tuple[Suppressed, ...] = ()
    """The incidents that stay below a threshold somebody raised."""

    @property
    def opened(self) -> tuple[Incident, ...]:
        """The incidents that do not."""
        return opened(self.detection.incidents, self.suppressed)

    @property
    def spikes(self) -> tuple[Spike, ...]:
        """Those in dollars, then those in tokens without a price."""
        return (*self.detection.spikes, *self.unpriced.spikes)


def detect_range(
    reader: Reader,
    window: Window,
    settings: DetectorSettings,
    *,
    where: Scope = EVERYTHING,
    baselines: Sequence[Baseline] = (),
    thresholds: Sequence[Threshold] = (),
    progress: Callable[[int, int], None] | None = None,
) -> RangeDetection:
    """Score every series of the scope in the covered part of `window`, each hour with the past only.

    Of the accepted `baselines` those act that were known for a day when the range starts; the others would
    judge hours by what came after them. Raised `thresholds` change nothing of what is found, only whether
    it opens.
    """
    covered = covered_range(reader, window, where)
    first = max(usage_extent(reader).start_at, covered.start_at - timedelta(days=settings.history_days))
    history = Window(floor_hour(first), covered.end_at)
    accepted = [b for b in baselines if b.scope.narrowed_to(where) == where.narrowed_to(b.scope)]
    acting = tuple(b for b in accepted if b.acts_on(history, covered.start_at))
    spend = _lifted(reader, history, covered, where, acting, "cost_usd")
    tokens = _lifted(reader, history, covered, where, acting, "tokens")
    unpriced = unpriced_detection(reader, covered, history, settings, where, acting)
    detection = detect(spend.series, spend.leaves, covered, settings, progress, tokens=tokens.series)
    to_come = tuple(b for b in accepted if b.from_at < covered.end_at and b.acts_from > covered.start_at)
    quiet = suppressed(detection.incidents, detection.spikes, thresholds)
    return RangeDetection(covered, detection, unpriced, acting, to_come, quiet)


def _lifted(
    reader: Reader, history: Window, covered: Window, where: Scope, acting: Sequence[Baseline], metric: Metric
) -> Lifted:
    """The series of all levels and their leaves, with the accepted baselines as their past."""
    read = reader.hourly_levels(history, [*LEVELS, finest(acting)], where=where, metric=metric)
    *levels, leaves = (_pinned(series, where) for series in read)
    if not leaves.scopes:
        raise RefusedError(f"no usage of {where} in {history}, from which the range would be judged")
    return lift(_distinct(levels), leaves, acting, covered.start_at)


def finest(baselines: Sequence[Baseline]) -> Sequence[Dimension]:
    """The leaves, told apart by whatever the baselines pin."""
    pinned = {dimension for baseline in baselines for dimension in baseline.scope.dimensions}
    return (*LEAF, *(d for d in DIMENSIONS if d in pinned - set(LEAF)))


def _pinned(series: HourlySeries, where: Scope) -> HourlySeries:
    """The series under their full names: what the whole question is narrowed to is a part of each scope."""
    return replace(series, scopes=tuple(where.narrowed_to(s) for s in series.scopes))


def _distinct(levels: Sequence[HourlySeries]) -> list[HourlySeries]:
    """Levels without the scopes that an earlier level has: narrowed to a team, the team is the total."""
    seen: set[Scope] = set()
    kept = []
    for level in levels:
        rows = [i for i, scope in enumerate(level.scopes) if scope not in seen]
        seen.update(level.scopes)
        if rows:
            scopes = tuple(level.scopes[i] for i in rows)
            kept.append(replace(level, scopes=scopes, values=level.values[rows]))
    return kept
