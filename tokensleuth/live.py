"""The hourly path: the last 72 h of usage, judged by the kept models."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from detectors.hierarchy import merge_incidents
from detectors.incidents import Incident, Spike
from detectors.scored import ScoredSeries
from detectors.settings import DetectorSettings
from detectors.spikes import extract_spikes
from detectors.statistics import IntArray
from ledger.kept.store import Kept
from ledger.scope import Scope
from ledger.store import Ledger
from ledger.window import Window, short_text
from tokensleuth.detection import LEVELS
from tokensleuth.fitted_rows import FittedRows
from tokensleuth.in_force import InForce, complete_until, models_in_force
from tokensleuth.kept_facts import MEMORY_MB
from tokensleuth.live_hours import LiveHours, flagged_rows, read_hours
from tokensleuth.live_leaves import live_leaves
from tokensleuth.live_series import scored_series, with_others
from tokensleuth.ranges import usage_extent
from tokensleuth.thresholds import Suppressed, Threshold, opened, suppressed

_LEAF_HISTORY = timedelta(weeks=4)
"""What a spike's leaves are compared with: 3 weeks before it began, or a little more."""
MOST_NAMED = 100
"""Series without a score that are named, for each reason."""


@dataclass(frozen=True, slots=True)
class NotScored:
    """Series that are not scored, for one reason."""

    reason: str
    series: int
    scopes: tuple[Scope, ...]
    """The names of the first of them; none where the series are those of least spend."""


@dataclass(frozen=True, slots=True)
class LiveDetection:
    """What was found in the last hours."""

    in_force: InForce
    spikes: tuple[Spike, ...]
    incidents: tuple[Incident, ...]
    series_scored: int
    not_scored: tuple[NotScored, ...]
    scored: ScoredSeries | None = None
    """The series of the spikes, from days before; None where nothing was flagged."""
    suppressed: tuple[Suppressed, ...] = ()
    """The incidents that stay below a threshold somebody raised."""

    @property
    def opened(self) -> tuple[Incident, ...]:
        """The incidents that do not."""
        return opened(self.incidents, self.suppressed)

    @property
    def window(self) -> Window:
        return self.in_force.window


def detect_live(
    ledger: Ledger,
    settings: DetectorSettings,
    *,
    now: datetime,
    thresholds: Sequence[Threshold] = (),
    done: Callable[[str], None] = lambda _: None,
) -> LiveDetection:
    """Find the spikes that touch the last 72 complete hours, each as a whole, and merge them.

    Raised `thresholds` change nothing of what is found, only whether it opens. `done` is told each stage when
    it is over. Raises RefusedError where there is no usage, or no kept model that serves.
    """
    ledger.limit_memory(MEMORY_MB)
    extent = usage_extent(ledger.reader)
    in_force = models_in_force(ledger.kept, settings, complete_until(extent, now))
    hours = read_hours(ledger, in_force)
    new = [scope for number in range(len(LEVELS)) for scope in _unknown(ledger, hours, number)]
    done("fetch")
    found = flagged_rows(hours, in_force.settings)
    done("scores")
    spikes: Sequence[Spike] = ()
    incidents: tuple[Incident, ...] = ()
    scored = None
    if len(found.rows):
        scored = scored_series(ledger.kept, hours, found, in_force.settings.history_days)
        spikes = extract_spikes(scored, in_force.settings)
        done("spikes")
        flagged_ids = hours.rows.series_of(found.rows).series_ids
        leaves = live_leaves(ledger, hours.members, flagged_ids, _leaf_window(spikes, extent, in_force))
        accounts = with_others(ledger.kept, hours, scored, leaves.series_ids)
        places = [*(key.scope for key in accounts.series), *new]
        merged = merge_incidents(spikes, leaves.leaves, in_force.settings, scored=accounts, scopes=places)
        spikes, incidents = _told(spikes, merged, in_force)
    known = found.scored[hours.rows.position]
    return LiveDetection(
        in_force=in_force,
        spikes=tuple(spikes),
        incidents=incidents,
        series_scored=int(known.sum()),
        not_scored=tuple(_not_scored(ledger.kept, hours.rows, new, hours.rows.series_ids[~known], in_force)),
        scored=scored,
        suppressed=suppressed(incidents, spikes, thresholds),
    )


def _told(
    spikes: Sequence[Spike], incidents: Sequence[Incident], in_force: InForce
) -> tuple[Sequence[Spike], tuple[Incident, ...]]:
    """Those of the last hours, with the earlier spikes of their incidents."""
    touching = [i for i in incidents if i.window.overlap(in_force.window) is not None]
    belonging = {n for incident in touching for n in incident.spikes}
    recent = {n for n, spike in enumerate(spikes) if spike.window.overlap(in_force.window) is not None}
    kept = sorted(recent | belonging)
    number = {old: new for new, old in enumerate(kept)}
    told = [replace(i, spikes=tuple(number[n] for n in i.spikes)) for i in touching]
    return [spikes[n] for n in kept], tuple(told)


def _leaf_window(spikes: Sequence[Spike], extent: Window, in_force: InForce) -> Window:
    first = min(spike.window.start_at for spike in spikes) - _LEAF_HISTORY
    return Window(max(first, extent.start_at), in_force.window.end_at)


def _not_scored(
    kept: Kept, rows: FittedRows, new: Sequence[Scope], young: IntArray, in_force: InForce
) -> Iterator[NotScored]:
    if new:
        reason = f"not used before {short_text(in_force.newest.fitted_at)}, when the model was made"
        yield NotScored(reason, len(new), tuple(new[:MOST_NAMED]))
    if len(young):
        reason = f"less than {in_force.settings.min_days} whole days since its first usage"
        names = kept.series.scopes(young[:MOST_NAMED].tolist())
        yield NotScored(reason, len(young), tuple(names))
    if left_out := len(rows.left_out):
        yield NotScored(f"beyond the {in_force.settings.max_series} series of most spend", left_out, ())


def _unknown(ledger: Ledger, hours: LiveHours, level: int) -> list[Scope]:
    """Series of a level with traffic that the newest model has never seen."""
    rows = hours.chain.profiles[-1].rows
    series = hours.members.of(hours.scope_ids)[level]
    known = np.isin(series, np.concatenate([rows.series_ids, rows.left_out]))
    unknown = hours.scope_ids[~known]
    return ledger.kept.series.scopes_without(LEVELS[level], unknown.tolist()) if len(unknown) else []
