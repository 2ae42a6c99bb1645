"""The leaves of spend: scopes at the grain that fixes price and token shape, before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ledger.reader import Reader
from ledger.scope import Dimension, Scope
from ledger.usage import TOKEN_CLASSES, Measures
from tools.comparison import Comparison
from tools.shapley import Floats

GRAIN: tuple[Dimension, ...] = ("provider", "model", "team", "project", "key_id", "feature", "service_tier")
"""Region and client stay out: roll-overs of SDKs would look like moves of spend (reference, root cause)."""

Pico = NDArray[np.int64]
Values = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """What every leaf did on one side of the comparison; before, it is the mean of the baseline windows."""

    requests: Floats
    wasted: Floats
    """Requests that failed or were retries, whichever is more."""
    tokens: Floats
    """Shape (leaves, classes), classes in the order of TOKEN_CLASSES."""
    characters: Floats
    """Shape (leaves, 2), sent and answered; NaN where not logged."""
    unpriced: Floats
    cost_pico: Pico

    def only(self, mask: np.ndarray) -> "Side":
        return Side(*(getattr(self, f.name)[mask] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Leaves:
    """All leaves of a scope in a window and its baseline."""

    values: tuple[Values, ...]
    """The leaf's value in each dimension of GRAIN."""
    before: Side
    after: Side
    weekly_pico: Pico
    """Shape (baseline windows, leaves): the cost in each of them."""

    def column(self, dimension: Dimension) -> list[str]:
        position = GRAIN.index(dimension)
        return [values[position] for values in self.values]

    @property
    def change_pico(self) -> Pico:
        return self.after.cost_pico - self.before.cost_pico

    def inside(self, where: Scope) -> np.ndarray:
        """Mask of the leaves that belong to a scope; dimensions outside GRAIN are taken to hold."""
        pinned = [(GRAIN.index(d), v) for d, v in where.items if d in GRAIN]
        return np.array([all(leaf[i] == v for i, v in pinned) for leaf in self.values], dtype=bool)

    def only(self, mask: np.ndarray) -> "Leaves":
        """The leaves of a mask."""
        kept = tuple(v for v, inside in zip(self.values, mask, strict=True) if inside)
        return Leaves(kept, self.before.only(mask), self.after.only(mask), self.weekly_pico[:, mask])


def read_leaves(
    reader: Reader, compared: Comparison, where: Scope, *, renamed: Mapping[str, str] | None = None
) -> Leaves:
    """Read the leaves of `where`; `renamed` maps key ids to the ids under which they count."""
    windows = (compared.window, *compared.baseline)
    sums = [_by_values(reader.totals([w], by=GRAIN, where=where), renamed or {}) for w in windows]
    values = tuple(sorted({v for table in sums for v in table}))
    now, *weeks = [_matrix(table, values) for table in sums]
    earlier = np.stack(weeks) if weeks else np.zeros((0, *now.shape))
    weekly_pico = np.array([_cost(table, values) for table in sums[1:]], dtype=np.int64)
    weekly_pico = weekly_pico.reshape(len(weeks), len(values))
    mean_pico = [compared.mean_pico(sum(column)) for column in weekly_pico.T.tolist()]
    return Leaves(
        values=values,
        before=_side(_mean(earlier), np.array(mean_pico, dtype=np.int64)),
        after=_side(now, np.array(_cost(sums[0], values), dtype=np.int64)),
        weekly_pico=weekly_pico,
    )


def _by_values(table: Mapping[Scope, Measures], renamed: Mapping[str, str]) -> dict[Values, list[Measures]]:
    key = GRAIN.index("key_id")
    found: dict[Values, list[Measures]] = {}
    for scope, measures in table.items():
        named = [value for _, value in scope.items]
        by_name = dict(zip(scope.dimensions, named, strict=True))
        values = [by_name[d] for d in GRAIN]
        values[key] = renamed.get(values[key], values[key])
        found.setdefault(tuple(values), []).append(measures)
    return found


def _cost(table: Mapping[Values, Sequence[Measures]], values: Sequence[Values]) -> list[int]:
    return [sum(m.cost_pico for m in table.get(v, ())) for v in values]


def _matrix(table: Mapping[Values, Sequence[Measures]], values: Sequence[Values]) -> Floats:
    """One row per leaf; a leaf without traffic is all zeros."""
    rows = np.zeros((len(values), 10))
    for i, leaf in enumerate(values):
        for measures in table.get(leaf, ()):
            rows[i] += _row(measures)
    return rows


def _row(m: Measures) -> list[float]:
    characters = [float("nan") if c is None else c for c in (m.input_characters, m.output_characters)]
    wasted = max(m.failed_requests, m.retried_requests)
    return [
        m.requests,
        wasted,
        *(getattr(m.tokens, c) for c in TOKEN_CLASSES),
        *characters,
        m.unpriced_tokens,
    ]


def _mean(weeks: Floats) -> Floats:
    return weeks.mean(axis=0) if len(weeks) else np.zeros(weeks.shape[1:])


def _side(rows: Floats, cost_pico: Pico) -> Side:
    return Side(
        requests=rows[:, 0],
        wasted=np.minimum(rows[:, 1], rows[:, 0]),
        tokens=rows[:, 2:7],
        characters=rows[:, 7:9],
        unpriced=rows[:, 9],
        cost_pico=cost_pico,
    )
