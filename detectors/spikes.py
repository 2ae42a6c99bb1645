"""Runs of flagged hours become spikes: when they began, when they ended, what they cost."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from detectors.incidents import Direction, Spike
from detectors.scored import ScoredSeries
from detectors.scoring import PRICE
from detectors.settings import DetectorSettings
from detectors.statistics import BoolArray, FloatArray
from ledger.window import HOUR, Window

_ONSET_HOURS = 6
"""The windows that flag an hour soon look back so far; a spike began at most so much earlier."""
_ECHO_HOURS = 24
"""The longest window goes on flagging for so long after an incident has ended."""
_OWN_SIGMAS = 2.0
_OWN_DROP = 0.5
_OWN_PRICE = 3.0
_OWN_SHARE_OF_PEAK = 0.1


class Run(NamedTuple):
    """Flagged hours of one row, half-open, as columns."""

    row: int
    start: int
    end: int
    sign: int


def extract_spikes(scored: ScoredSeries, settings: DetectorSettings) -> tuple[Spike, ...]:
    """All spikes of all series, by start, then largest first."""
    spikes = []
    floor = 0
    previous = -1
    for run in find_runs(scored.flagged, settings.rejoin_hours):
        floor = floor if run.row == previous else 0
        spike = describe_spike(scored, run, floor, settings)
        floor, previous = run.end, run.row
        spikes.append(spike)
    return tuple(sorted(spikes, key=lambda s: (s.window.start_at, -abs(s.excess), s.series.scope)))


def find_runs(flagged: FloatArray, rejoin_hours: int) -> Sequence[Run]:
    """Runs of the same sign, pauses up to `rejoin_hours` included, by row and time."""
    rows, hours = np.nonzero(flagged)
    if not len(rows):
        return []
    signs = flagged[rows, hours]
    new = (np.diff(rows) != 0) | (np.diff(signs) != 0) | (np.diff(hours) > rejoin_hours)
    starts = np.concatenate([[0], np.flatnonzero(new) + 1])
    ends = np.concatenate([starts[1:], [len(rows)]]) - 1
    return [
        Run(int(rows[a]), int(hours[a]), int(hours[b]) + 1, int(signs[a]))
        for a, b in zip(starts, ends, strict=True)
    ]


def describe_spike(scored: ScoredSeries, run: Run, floor: int, settings: DetectorSettings) -> Spike:
    """Date the run by its own hours, not before column `floor`, and add up what it cost."""
    strays = own_hours(scored, run)
    start = _onset(strays, run.start, max(floor, run.start - _ONSET_HOURS))
    still_open = scored.window.hours - run.end < settings.quiet_hours
    end = run.end if still_open else _last_own(strays, run)
    hours = slice(run.start, run.end)
    peak = run.start + int(np.nanargmax(scored.values[run.row, hours]))
    window = Window(scored.window.start_at + start * HOUR, scored.window.start_at + end * HOUR)
    amounts = scored.amounts(run.row, window)
    direction: Direction = "up" if run.sign > 0 else "down"
    return Spike(
        series=scored.series[run.row],
        window=window,
        direction=direction,
        score=float(scored.values[run.row, peak]),
        expected=amounts.expected,
        actual=amounts.actual,
        detected_at=scored.window.start_at + (run.start + 1) * HOUR,
        terms={name: float(values[run.row, peak]) for name, values in scored.terms.items()},
    )


def own_hours(scored: ScoredSeries, run: Run) -> BoolArray:
    """Hours of the row that stray by themselves, in amount or in price, in the direction of the run."""
    deviation = (scored.actual[run.row] - scored.expected[run.row]) * run.sign
    least = scored.scale[run.row] * _OWN_SIGMAS if run.sign > 0 else scored.expected[run.row] * _OWN_DROP
    peak = deviation[run.start : run.end].max()
    strays = (deviation >= least) & (deviation > _OWN_SHARE_OF_PEAK * peak)
    if PRICE in scored.terms:
        strays |= scored.terms[PRICE][run.row] * run.sign >= _OWN_PRICE
    return np.asarray(strays)


def _onset(strays: BoolArray, start: int, earliest: int) -> int:
    """The first of the straying hours that lead without a gap to `start`."""
    while start > earliest and strays[start - 1]:
        start -= 1
    return start


def _last_own(strays: BoolArray, run: Run) -> int:
    """The run's end without the hours at its end that only a trailing window flagged."""
    earliest = max(run.start, run.end - _ECHO_HOURS)
    own = np.flatnonzero(strays[earliest : run.end])
    return earliest + int(own[-1]) + 1 if len(own) else run.end
