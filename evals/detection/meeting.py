"""Meets alarms with labelled events and counts what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors.statistics import BoolArray, FloatArray, IntArray
from evals.detection.alarms import NO_ROW, Alarm, Alarms
from evals.detection.count import Count
from evals.detection.spend_set import SpendSet

GRACE_HOURS = 6
"""An alarm that begins this soon after an event's end still belongs to it."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """The alarms of a set beside its events: the raw material of every count."""

    spend: SpendSet
    alarms: Alarms
    event_row: IntArray
    counted: BoolArray
    """(events,)"""
    pair_alarm: NDArray[np.intp]
    """(pairs,): the alarm of each alarm and event that touch."""
    pair_event: NDArray[np.intp]
    true_alarm: BoolArray
    """(alarms,): touches a counted event."""
    false_alarm: BoolArray
    """(alarms,): touches no event at all; one that touches only uncounted events is neither."""
    delay: FloatArray
    """(events,): hours as in `Count.delays`; NaN where no alarm touches the event."""


def meet(alarms: Alarms | Sequence[Alarm], spend: SpendSet, *, grace_hours: int = GRACE_HOURS) -> Meeting:
    """Find which alarms overlap [start, end + grace) of which events of their series.

    An alarm that was open when an event began is taken to see the event in its first hour.
    """
    scored = (alarms if isinstance(alarms, Alarms) else Alarms.of(alarms)).scored(spend)
    row = np.array([event.row for event in spend.events], dtype=np.int64)
    start = np.array([event.start for event in spend.events], dtype=np.int64)
    end = np.array([event.end for event in spend.events], dtype=np.int64) + grace_hours
    counted = np.array([event.counts for event in spend.events], dtype=bool)
    alarm, event = _same_row(scored.row, row)
    touching = (scored.start[alarm] < end[event]) & (start[event] < scored.end[alarm])
    alarm, event = alarm[touching], event[touching]
    delay = np.full(len(row), np.inf)
    np.minimum.at(delay, event, np.maximum(scored.start[alarm] - start[event], 0))
    delay[np.isinf(delay)] = np.nan
    true_alarm, false_alarm = np.zeros(len(scored), dtype=bool), np.ones(len(scored), dtype=bool)
    true_alarm[alarm[counted[event]]] = True
    false_alarm[alarm] = False
    return Meeting(spend, scored, row, counted, alarm, event, true_alarm, false_alarm, delay)


def count(met: Meeting) -> Count:
    """The whole, each kind of event and each family of series."""
    kinds = np.array([event.kind for event in met.spend.events], dtype=np.str_)
    family = met.spend.family
    return replace(
        total(met),
        by_kind={str(kind): _of_kind(met, kinds == kind) for kind in np.unique(kinds[met.counted])},
        by_family={str(name): _of_series(met, family == name) for name in np.unique(family)},
    )


def total(met: Meeting) -> Count:
    """The whole alone, for sweeps."""
    everything = np.ones(len(met.alarms), dtype=bool)
    return _tally(
        met, everything, np.ones(len(met.event_row), dtype=bool), int(scored_hours(met.spend).sum())
    )


def scored_hours(spend: SpendSet) -> BoolArray:
    """(series, hours scored): hours in which the series exists."""
    hour = np.arange(spend.history_hours, spend.cost_usd.shape[1])
    return np.asarray(hour >= spend.first_hour[:, None])


def _of_series(met: Meeting, kept: BoolArray) -> Count:
    hours = int(scored_hours(met.spend)[kept].sum())
    alarms = (met.alarms.row != NO_ROW) & kept[met.alarms.row]
    return _tally(met, alarms, kept[met.event_row], hours)


def _of_kind(met: Meeting, of_kind: BoolArray) -> Count:
    alarms = np.zeros(len(met.alarms), dtype=bool)
    alarms[met.pair_alarm[(of_kind & met.counted)[met.pair_event]]] = True
    return _tally(met, alarms, of_kind, int(scored_hours(met.spend).sum()))


def _tally(met: Meeting, alarms: BoolArray, events: BoolArray, hours: int) -> Count:
    excess_usd = np.array([event.excess_usd for event in met.spend.events])
    hit = events & met.counted & ~np.isnan(met.delay)
    missed = events & met.counted & np.isnan(met.delay)
    return Count(
        true_alarms=int((alarms & met.true_alarm).sum()),
        false_alarms=int((alarms & met.false_alarm).sum()),
        hits=int(hit.sum()),
        misses=int(missed.sum()),
        delays=tuple(int(delay) for delay in met.delay[hit]),
        missed_usd=float(excess_usd[missed].sum()),
        series_weeks=hours / 168,
        alarm_hours=int((met.alarms.end - met.alarms.start)[alarms].sum()),
    )


def _same_row(alarm_row: IntArray, event_row: IntArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Every alarm and event of one series, as two columns of positions."""
    order = np.argsort(event_row, kind="stable")
    first = np.searchsorted(event_row[order], alarm_row, side="left")
    events = np.searchsorted(event_row[order], alarm_row, side="right") - first
    alarm = np.repeat(np.arange(len(alarm_row)), events)
    nth = np.arange(len(alarm)) - np.repeat(np.cumsum(events) - events, events)
    return alarm, order[first[alarm] + nth]
