"""Tokens without a price: no series of dollars shows them, so their own series are scored beside."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from detectors.accepted import Baseline
from detectors.baselines import lift
from detectors.detection import Detection, detect
from detectors.incidents import Spike
from detectors.settings import DetectorSettings
from ledger.hourly import HourlySeries
from ledger.reader import Reader
from ledger.scope import Dimension, Scope
from ledger.usage import Measures
from ledger.window import Window

MIN_TOKENS = 100_000
"""A spike must be as large; at the prices of 2026 about a dollar, like the gate on dollars."""
MAX_MODELS = 20
"""The models of most unpriced tokens; more than that is a missing price list, not a spike."""

_GROUPS: tuple[tuple[Dimension, ...], ...] = ((), ("team", "key_id"))


@dataclass(frozen=True, slots=True)
class Unpriced:
    """The tokens of a range that no amount of dollars includes."""

    tokens: int = 0
    models: tuple[str, ...] = ()
    """Those with most such tokens first."""
    detection: Detection | None = None
    """Of the series of models that mostly have no price."""
    spikes: tuple[Spike, ...] = ()
    """In tokens, each told once, at the finest scope."""


def unpriced_usage(reader: Reader, window: Window, where: Scope) -> Unpriced:
    """How much of the range has no price."""
    return _summed(reader.totals([window], by=["model"], where=where))


def unpriced_detection(
    reader: Reader,
    window: Window,
    history: Window,
    settings: DetectorSettings,
    where: Scope,
    baselines: Sequence[Baseline] = (),
) -> Unpriced:
    """The same with the spikes in tokens; `history` ends with the range.

    Of the accepted `baselines` those of teams, models and keys lift the tokens too.
    """
    totals = reader.totals([window], by=["model"], where=where)
    usage = _summed(totals)
    mostly = {s.as_dict()["model"] for s, m in totals.items() if 2 * m.unpriced_tokens > m.tokens.total}
    scopes = [where.with_value("model", model) for model in usage.models if model in mostly][:MAX_MODELS]
    if not scopes:
        return usage
    models, leaves = _token_series(reader, history, scopes)
    told = [b for b in baselines if set(b.scope.dimensions) <= set(leaves.scopes[0].dimensions)]
    (models, rows), leaves = lift([models, leaves], leaves, told, window.start_at)
    detection = detect([models, rows], leaves, window, settings)
    spikes = [s for s in detection.spikes if abs(s.excess) >= MIN_TOKENS]
    return replace(usage, detection=detection, spikes=tuple(_finest(spikes)))


def _summed(totals: Mapping[Scope, Measures]) -> Unpriced:
    found = {scope: m.unpriced_tokens for scope, m in totals.items() if m.unpriced_tokens}
    models = sorted(found, key=lambda scope: (-found[scope], scope))
    return Unpriced(sum(found.values()), tuple(scope.as_dict()["model"] for scope in models))


def _token_series(reader: Reader, history: Window, scopes: Sequence[Scope]) -> list[HourlySeries]:
    """The series of each scope as a whole, and of each team and key in it."""
    read = [reader.hourly_levels(history, _GROUPS, where=scope, metric="tokens") for scope in scopes]
    return [
        _stacked([(scope, levels[i]) for scope, levels in zip(scopes, read, strict=True)]) for i in (0, 1)
    ]


def _stacked(parts: Sequence[tuple[Scope, HourlySeries]]) -> HourlySeries:
    names = [where.narrowed_to(s) for where, part in parts for s in part.scopes]
    values = np.concatenate([part.values for _, part in parts])
    return replace(parts[0][1], scopes=tuple(names), values=values)


def _finest(spikes: Sequence[Spike]) -> Iterable[Spike]:
    """Without those of a whole model in which a team and key spiked at the same time."""
    for spike in spikes:
        if not any(_is_inside(other, spike) for other in spikes):
            yield spike


def _is_inside(fine: Spike, coarse: Spike) -> bool:
    narrower = fine.series.scope != coarse.series.scope and coarse.series.scope.contains(fine.series.scope)
    return narrower and fine.window.overlap(coarse.window) is not None
