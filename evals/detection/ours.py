"""Our detector as the product runs it: a set as the ledger would hold it, through `detectors.detection`."""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from detectors.detection import Detection, detect
from detectors.incidents import Incident, Spike
from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray
from evals.detection.alarms import NO_ROW, Alarm
from evals.detection.spend_set import SpendSet
from ledger.hourly import HourlySeries
from ledger.scope import Dimension, Scope
from ledger.usage import Metric
from ledger.window import HOUR, Window
from tokensleuth.detection import LEAF, LEVELS

NAME = "tokensleuth"
MODEL = "bench-model"
"""The one model of every series; the family is its team."""
_MICRO = 1e6


@dataclass(frozen=True, slots=True)
class Told:
    """What the product says of a set; hours of alarms are columns of the set."""

    scores: FloatArray
    """(series, hours scored), of the keys; NaN where one was not scored."""
    incidents: tuple[Alarm, ...]
    """From the first hour that fired to the incident's end; `NO_ROW` where it is told of several keys."""
    spikes: tuple[Alarm, ...]
    """Of the keys' own series."""


@dataclass(frozen=True, slots=True)
class Ours:
    """The detector with the settings that ship, or with others."""

    name: str = NAME
    settings: DetectorSettings = field(default_factory=DetectorSettings)

    def scores(self, spend: SpendSet) -> FloatArray:
        return self.tell(spend).scores

    def tell(self, spend: SpendSet) -> Told:
        """What the product says of the hours to score."""
        found = self.detect(spend)
        keys = [one for one in found.spikes if one.series.scope.dimensions == ("key_id",)]
        return Told(
            _key_scores(found, spend),
            tuple(_incident_alarm(one, found.spikes, spend) for one in found.incidents),
            tuple(_spike_alarm(one, spend) for one in keys),
        )

    def detect(self, spend: SpendSet) -> Detection:
        """Score the hours to score, each with the past only, and find their incidents."""
        history = known_window(spend, self.settings.history_days)
        window = scored_window(spend, history)
        cost_usd = np.round(spend.cost_usd * _MICRO) / _MICRO
        *levels, leaves = (grouped(by, spend, cost_usd, "cost_usd", history) for by in (*LEVELS, LEAF))
        tokens: list[HourlySeries] = []
        if spend.tokens is not None:
            counts = np.round(spend.tokens)
            tokens = [grouped(by, spend, counts, "tokens", history) for by in LEVELS]
        return detect(levels, leaves, window, self.settings, tokens=tokens)


def leaf_scope(spend: SpendSet, row: int) -> Scope:
    return Scope.of([("team", str(spend.family[row])), ("model", MODEL), ("key_id", spend.names[row])])


def grouped(
    by: tuple[Dimension, ...], spend: SpendSet, values: FloatArray, metric: Metric, window: Window
) -> HourlySeries:
    """Sums of (series, hours) by some dimensions, scopes in the order of the ledger's reader."""
    first = int((window.start_at - spend.start_at) / HOUR)
    hours = values[:, first : first + window.hours]
    leaves = [leaf_scope(spend, row).as_dict() for row in range(len(values))]
    scopes = [Scope.of([(d, leaf[d]) for d in by]) for leaf in leaves]
    named = sorted(set(scopes), key=lambda scope: [scope.as_dict()[d] for d in by])
    place = {scope: position for position, scope in enumerate(named)}
    sums = np.zeros((len(named), hours.shape[1]))
    np.add.at(sums, [place[scope] for scope in scopes], hours)
    return HourlySeries(window, metric, tuple(named), sums)


def known_window(spend: SpendSet, history_days: int) -> Window:
    """From the first usage, at most `history_days` before the first hour to score, to the last usage."""
    used = np.flatnonzero((spend.cost_usd != 0).any(axis=0))
    first = max(int(used[0]), spend.history_hours - history_days * 24)
    return Window(spend.start_at + first * HOUR, spend.start_at + (int(used[-1]) + 1) * HOUR)


def scored_window(spend: SpendSet, known: Window) -> Window:
    """The hours to score, up to the last usage."""
    return Window(spend.start_at + spend.history_hours * HOUR, known.end_at)


def _key_scores(found: Detection, spend: SpendSet) -> FloatArray:
    scores = np.full((len(spend.names), spend.hours_scored), np.nan)
    place = {Scope.of([("key_id", name)]): row for row, name in enumerate(spend.names)}
    for series, values in zip(found.scores.series, found.scores.values, strict=True):
        if series.scope in place:
            scores[place[series.scope], : len(values)] = values
    return scores


def _incident_alarm(incident: Incident, spikes: tuple[Spike, ...], spend: SpendSet) -> Alarm:
    own = [spikes[position] for position in incident.spikes]
    fired_at = min(spike.detected_at for spike in own) - HOUR
    return Alarm(
        _row_of(incident.scope, spend),
        _column(fired_at - spend.start_at),
        max(_column(incident.window.end_at - spend.start_at), _column(fired_at - spend.start_at) + 1),
        max(spike.score for spike in own),
    )


def _spike_alarm(spike: Spike, spend: SpendSet) -> Alarm:
    start = _column(spike.detected_at - HOUR - spend.start_at)
    end = _column(spike.window.end_at - spend.start_at)
    return Alarm(_row_of(spike.series.scope, spend), start, max(end, start + 1), spike.score)


def _row_of(scope: Scope, spend: SpendSet) -> int:
    key = scope.as_dict().get("key_id")
    return NO_ROW if key is None else spend.names.index(key)


def _column(since_start: timedelta) -> int:
    return int(since_start / HOUR)
