"""Who is new, who is gone, and who only changed its name: set differences against the whole history."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ledger.reader import Reader
from ledger.scope import Dimension, Scope
from ledger.usage import Measures
from ledger.window import Window
from tools.comparison import Comparison
from tools.leaves import Leaves

ENTITY: tuple[Dimension, ...] = ("team", "project", "key_id", "feature")
ROTATION = (0.5, 2.0)
"""A new key that does between half and twice the work of a key that fell silent replaces it."""


@dataclass(frozen=True, slots=True)
class Entities:
    """Values of each dimension that appeared after the baseline, or fell silent before the window."""

    new: Mapping[Dimension, frozenset[str]]
    gone: Mapping[Dimension, frozenset[str]]
    renamed: Mapping[str, str]
    """Key ids to the older ids they replace."""


def find_entities(reader: Reader, compared: Comparison, where: Scope) -> Entities:
    """Compare the window with everything seen before it."""
    seen = {d: reader.first_seen(d) for d in ENTITY}
    new = {d: frozenset(v for v, lived in seen[d].items() if _is_new(lived, compared)) for d in ENTITY}
    gone = {d: frozenset(v for v, lived in seen[d].items() if _is_gone(lived, compared)) for d in ENTITY}
    return Entities(new, gone, _rotations(reader, compared, where, new["key_id"], gone["key_id"]))


def _is_new(lived: Window, compared: Comparison) -> bool:
    """Seen first after the last baseline window: nothing it did can be in the mean."""
    return compared.known_until <= lived.start_at < compared.window.end_at


def _is_gone(lived: Window, compared: Comparison) -> bool:
    return lived.end_at <= compared.window.start_at


def new_leaves(leaves: Leaves, entities: Entities) -> np.ndarray:
    """Leaves of an entity that appeared, as a mask; renamed keys are not new."""
    return np.asarray(_holding(leaves, entities.new) & (leaves.before.cost_pico == 0))


def gone_leaves(leaves: Leaves, entities: Entities) -> np.ndarray:
    """Leaves of an entity that fell silent, as a mask; only what ran in every baseline window can be gone."""
    steady = (leaves.weekly_pico > 0).all(axis=0) if len(leaves.weekly_pico) else False
    return np.asarray(_holding(leaves, entities.gone) & (leaves.after.requests == 0) & steady)


def _holding(leaves: Leaves, values: Mapping[Dimension, frozenset[str]]) -> np.ndarray:
    mask = np.zeros(len(leaves.values), dtype=bool)
    for dimension in ENTITY:
        mask |= np.array([v in values[dimension] for v in leaves.column(dimension)], dtype=bool)
    return mask


def _rotations(
    reader: Reader, compared: Comparison, where: Scope, new: frozenset[str], gone: frozenset[str]
) -> Mapping[str, str]:
    """Pair new keys with silent ones of the same team and project that did about as much work."""
    if not new or not gone or not compared.baseline:
        return {}
    by: tuple[Dimension, ...] = ("team", "project", "key_id")
    now = _requests(reader.totals([compared.window], by=by, where=where), new)
    before = _requests(reader.totals(compared.baseline, by=by, where=where), gone)
    pairs: dict[str, str] = {}
    for (place, key), requests in sorted(now.items(), key=lambda item: -item[1]):
        usual = {old: compared.mean(r) for (p, old), r in before.items() if p == place}
        fitting = [
            (abs(requests - r), old)
            for old, r in sorted(usual.items())
            if old not in pairs.values() and ROTATION[0] * r <= requests <= ROTATION[1] * r
        ]
        if fitting:
            pairs[key] = min(fitting)[1]
    return pairs


def _requests(
    table: Mapping[Scope, Measures], keys: frozenset[str]
) -> dict[tuple[tuple[str, str], str], float]:
    found: dict[tuple[tuple[str, str], str], float] = {}
    for scope, measures in table.items():
        values = scope.as_dict()
        if values["key_id"] in keys:
            found[(values["team"], values["project"]), values["key_id"]] = float(measures.requests)
    return found
