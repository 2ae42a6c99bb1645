"""Detection from hourly series to incidents: what the shell calls."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.causal import Progress, RangeScores, score_range
from detectors.hierarchy import merge_incidents
from detectors.incidents import Incident, SeriesKey, Spike
from detectors.scored import ScoredSeries
from detectors.seasonal import DAY_HOURS
from detectors.settings import DetectorSettings
from detectors.spikes import extract_spikes
from detectors.statistics import BoolArray, FloatArray, IntArray
from ledger.errors import RefusedError
from ledger.reader import HourlySeries
from ledger.window import HOUR, Window, instant_text


@dataclass(frozen=True, slots=True)
class Unscored:
    """A series that was not scored in any hour of the range, and why."""

    series: SeriesKey
    reason: str


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found in a range."""

    spikes: tuple[Spike, ...]
    incidents: tuple[Incident, ...]
    scores: ScoredSeries
    """The hours of the range, for every series that was scored in some of them."""
    unscored: tuple[Unscored, ...]

    @property
    def series_scored(self) -> int:
        return len(self.scores.series)


def detect(
    series: Sequence[HourlySeries],
    leaves: HourlySeries,
    window: Window,
    settings: DetectorSettings,
    progress: Progress | None = None,
    *,
    tokens: Sequence[HourlySeries] = (),
) -> Detection:
    """Find the spikes and incidents of `window` in hourly series that start up to 60 days before it.

    All series have one metric and one window, which reaches to the end of the range at least. `leaves` are
    the finest scopes over the same window: they pin every dimension the series do. With the `tokens` of the
    same scopes, the price per token is watched too. A spike that began before the range and lasts into it is
    returned whole. Raises RefusedError on values that are not finite numbers.
    """
    matrix = _stack(series, leaves, window)
    chosen = _largest(matrix.values, settings.max_series)
    first_hour = int((window.start_at - matrix.window.start_at) / HOUR)
    history_days = max(first_hour // DAY_HOURS, 0)
    if history_days < settings.min_days:
        reason = f"{history_days} days of history before the range; {settings.min_days} are needed"
        return _nothing(matrix, window, reason)
    kept, position = _distinct(matrix.values[chosen])
    result = score_range(
        matrix.values[chosen[kept]],
        first_hour,
        settings,
        progress,
        first_weekday=matrix.window.start_at.weekday(),
        floor=settings.min_usd if matrix.metric == "cost_usd" else 0.0,
        tokens=_tokens_of(matrix, chosen[kept], tokens, window) if tokens else None,
    )
    scored = _expand(result, position, matrix, chosen)
    spikes = [s for s in extract_spikes(scored, settings) if s.window.overlap(window) is not None]
    incidents = merge_incidents(spikes, leaves, settings, scored=scored, scopes=matrix.scopes)
    in_range = scored.since(window)
    known = np.asarray(np.isfinite(in_range.values).any(axis=1))
    return Detection(
        spikes=tuple(spikes),
        incidents=incidents if matrix.metric == "cost_usd" else (),
        scores=in_range.rows(np.flatnonzero(known)),
        unscored=_unscored(matrix, chosen, known, settings),
    )


def _stack(series: Sequence[HourlySeries], leaves: HourlySeries, window: Window) -> HourlySeries:
    """All series in one matrix, from the first midnight to the end of the range."""
    if not series:
        raise RefusedError("no series to detect in; give at least one")
    first = series[0]
    for other in (*series, leaves):
        if (other.window, other.metric) != (first.window, first.metric):
            raise RefusedError(
                f"series of {other.metric} over {other.window} among {first.metric} over {first.window}"
            )
    if first.window.end_at < window.end_at:
        raise RefusedError(
            f"the series end at {instant_text(first.window.end_at)}, before the range {window}"
        )
    skipped = -first.window.start_at.hour % DAY_HOURS
    start_at = first.window.start_at + skipped * HOUR
    end = int((window.end_at - first.window.start_at) / HOUR)
    values = np.concatenate([part.values[:, skipped:end] for part in series])
    scopes = tuple(scope for part in series for scope in part.scopes)
    stacked = HourlySeries(Window(start_at, window.end_at), first.metric, scopes, values)
    _check_finite(stacked)
    return stacked


def _check_finite(matrix: HourlySeries) -> None:
    broken = np.argwhere(~np.isfinite(matrix.values))
    if len(broken):
        row, hour = broken[0]
        at = instant_text(matrix.window.start_at + int(hour) * HOUR)
        raise RefusedError(
            f"`{matrix.scopes[row]}` holds {matrix.values[row, hour]} at {at}; only finite numbers are scored"
        )


def _largest(values: FloatArray, most: int) -> IntArray:
    """Rows of the largest sums, in their own order."""
    order = np.argsort(-values.sum(axis=1), kind="stable")
    return np.sort(order[:most])


def _tokens_of(
    matrix: HourlySeries, rows: IntArray, tokens: Sequence[HourlySeries], window: Window
) -> FloatArray:
    """Tokens of the scopes of `rows`, hour by hour as in the matrix."""
    first = int((matrix.window.start_at - tokens[0].window.start_at) / HOUR)
    end = first + matrix.values.shape[1]
    known = {scope: (part, i) for part in tokens for i, scope in enumerate(part.scopes)}
    missing = [str(matrix.scopes[row]) for row in rows if matrix.scopes[row] not in known]
    if missing:
        raise RefusedError(f"no tokens given for `{missing[0]}`, whose cost is in {window}")
    found = [known[matrix.scopes[row]] for row in rows]
    return np.stack([part.values[i, first:end] for part, i in found])


def _distinct(values: FloatArray) -> tuple[IntArray, IntArray]:
    """The rows that differ, and which of them each row is: a key of one team is two scopes but one series."""
    digests = [row.tobytes() for row in values]
    first = {digest: row for row, digest in reversed(list(enumerate(digests)))}
    kept = np.sort(np.fromiter(first.values(), dtype=np.int64, count=len(first)))
    return kept, np.searchsorted(kept, [first[digest] for digest in digests])


def _expand(result: RangeScores, position: IntArray, matrix: HourlySeries, chosen: IntArray) -> ScoredSeries:
    scores = result.scores
    return ScoredSeries(
        series=tuple(SeriesKey(matrix.metric, matrix.scopes[row]) for row in chosen),
        window=Window(matrix.window.start_at + result.first_hour * HOUR, matrix.window.end_at),
        actual=matrix.values[chosen, result.first_hour :],
        expected=scores.expected[position],
        scale=scores.scale[position],
        values=scores.values[position],
        flagged=result.flagged[position],
        terms={name: values[position] for name, values in scores.terms.items()},
    )


def _unscored(
    matrix: HourlySeries, chosen: IntArray, known: BoolArray, settings: DetectorSettings
) -> tuple[Unscored, ...]:
    reasons = dict.fromkeys(
        range(len(matrix.scopes)), f"beyond the {settings.max_series} series of most spend"
    )
    for row, scored in zip(chosen, known, strict=True):
        reasons[int(row)] = (
            "" if scored else f"less than {settings.min_days} whole days since its first usage"
        )
    return tuple(
        Unscored(SeriesKey(matrix.metric, matrix.scopes[row]), reason)
        for row, reason in reasons.items()
        if reason
    )


def _nothing(matrix: HourlySeries, window: Window, reason: str) -> Detection:
    none = np.zeros((0, window.hours))
    keys = [SeriesKey(matrix.metric, scope) for scope in matrix.scopes]
    scores = ScoredSeries((), window, none, none, none, none, none, {})
    return Detection((), (), scores, tuple(Unscored(key, reason) for key in keys))
