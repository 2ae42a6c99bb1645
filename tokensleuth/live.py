"""The hourly path: the last 72 h of usage, judged by the kept models."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from detectors.hierarchy import merge_incidents
from detectors.incidents import Incident, Spike
from detectors.scored import ScoredSeries
from detectors.settings import DetectorSettings
from detectors.spikes import extract_spikes
from ledger.scope import Scope
from ledger.store import Ledger
from ledger.window import Window, short_text
from tokensleuth.detection import LEAF, LEVELS
from tokensleuth.in_force import InForce, complete_until, models_in_force
from tokensleuth.live_hours import Flagged, LiveHours, flagged_rows, read_hours
from tokensleuth.live_series import scored_series
from tokensleuth.ranges import usage_extent

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

    @property
    def window(self) -> Window:
        return self.in_force.window


def detect_live(ledger: Ledger, settings: DetectorSettings, *, now: datetime) -> LiveDetection:
    """Find the spikes that touch the last 72 complete hours, each as a whole, and merge them.

    Raises RefusedError where there is no usage, or no kept model that serves.
    """
    extent = usage_extent(ledger.reader)
    in_force = models_in_force(ledger.kept, settings, complete_until(extent, now))
    hours = read_hours(ledger, in_force)
    found = flagged_rows(hours, in_force.settings)
    spikes: Sequence[Spike] = ()
    incidents: tuple[Incident, ...] = ()
    if len(found.rows):
        scored = scored_series(ledger.kept, hours, found, in_force.settings.history_days)
        all_spikes = extract_spikes(scored, in_force.settings)
        spikes = [s for s in all_spikes if s.window.overlap(in_force.window) is not None]
        incidents = _merged(ledger, spikes, scored, extent, in_force)
    return LiveDetection(
        in_force=in_force,
        spikes=tuple(spikes),
        incidents=incidents,
        series_scored=int(found.scored[hours.rows.position].sum()),
        not_scored=tuple(_not_scored(ledger, hours, found, in_force)),
    )


def _merged(
    ledger: Ledger, spikes: Sequence[Spike], scored: ScoredSeries, extent: Window, in_force: InForce
) -> tuple[Incident, ...]:
    if not spikes:
        return ()
    first = min(spike.window.start_at for spike in spikes) - _LEAF_HISTORY
    window = Window(max(first, extent.start_at), in_force.window.end_at)
    *levels, leaves = ledger.reader.hourly_levels(window, [*LEVELS, LEAF])
    scopes = [scope for level in levels for scope in level.scopes]
    return merge_incidents(spikes, leaves, in_force.settings, scored=scored, scopes=scopes)


def _not_scored(ledger: Ledger, hours: LiveHours, found: Flagged, in_force: InForce) -> Iterator[NotScored]:
    made_by, newest = in_force.settings, hours.chain.profiles[-1]
    new = [scope for number in range(len(LEVELS)) for scope in _unknown(ledger, hours, number)]
    if new:
        reason = f"not used before {short_text(newest.fitted_at)}, when the model was made"
        yield NotScored(reason, len(new), tuple(new[:MOST_NAMED]))
    young = hours.rows.series_ids[~found.scored[hours.rows.position]]
    if len(young):
        reason = f"less than {made_by.min_days} whole days since its first usage"
        names = ledger.kept.series.scopes(young[:MOST_NAMED].tolist())
        yield NotScored(reason, len(young), tuple(names))
    if left_out := len(newest.rows.left_out):
        yield NotScored(f"beyond the {made_by.max_series} series of most spend", left_out, ())


def _unknown(ledger: Ledger, hours: LiveHours, level: int) -> list[Scope]:
    """Series of a level with traffic that the newest model has never seen."""
    rows = hours.chain.profiles[-1].rows
    series = hours.members.of(hours.scope_ids)[level]
    known = np.isin(series, np.concatenate([rows.series_ids, rows.left_out]))
    unknown = hours.scope_ids[~known]
    return ledger.kept.series.scopes_without(LEVELS[level], unknown.tolist()) if len(unknown) else []
