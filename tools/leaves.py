"""The leaves of spend: every combination of all dimensions, in a window and in the windows before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ledger.leaf_sums import MEASURES, LeafSums, Names, ScopeTable, dense, inside
from ledger.scope import DIMENSIONS, Dimension, Scope
from ledger.usage import UNCOUNTED_PART
from tools.comparison import Comparison
from tools.shapley import Floats
from tools.transfers import summed

GRAIN: tuple[Dimension, ...] = ("provider", "model", "team", "project", "key_id", "feature", "service_tier")
"""What fixes price and token shape; users, regions and clients only pass work on to each other."""
OWNER: tuple[Dimension, ...] = ("team", "project", "key_id")
"""Whose work it is."""
PLACE: tuple[Dimension, ...] = ("team", "project", "key_id", "feature")
"""Who does what: between models and tiers work moves inside it."""

Pico = NDArray[np.int64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_TOKENS = slice(MEASURES.index("input"), MEASURES.index("output") + 1)
_UNPRICED, _UNCOUNTED = MEASURES.index("unpriced"), MEASURES.index("uncounted")
_CHARACTERS = slice(MEASURES.index("input_characters"), MEASURES.index("output_characters") + 1)


@dataclass(frozen=True, slots=True)
class Side:
    """What every leaf did on one side of the comparison; before, it is the mean of the baseline windows."""

    requests: Floats
    failed: Floats
    retried: Floats
    tokens: Floats
    """Shape (leaves, classes), classes in the order of TOKEN_CLASSES."""
    characters: Floats
    """Shape (leaves, 2), sent and answered; NaN where not logged."""
    unpriced: Floats
    uncounted: Floats
    """Tokens of hours whose source counts no requests."""
    cost_pico: Pico

    @property
    def without_requests(self) -> Mask:
        """Leaves whose requests are not known: their tokens stand for them."""
        return np.asarray(self.uncounted > UNCOUNTED_PART * self.tokens.sum(axis=1))

    @property
    def wasted(self) -> Floats:
        """Requests that failed or were retries, whichever is more."""
        return np.minimum(np.maximum(self.failed, self.retried), self.requests)

    @property
    def activity(self) -> Floats:
        """Requests; tokens where those are not known."""
        return self.work(self.without_requests)

    def work(self, by_tokens: Mask) -> Floats:
        """Requests; tokens in leaves of the mask: what is compared must be counted alike."""
        return np.where(by_tokens, self.tokens.sum(axis=1), self.requests)

    def only(self, mask: np.ndarray | slice) -> "Side":
        return Side(*(getattr(self, f.name)[mask] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Leaves:
    """All leaves of a scope in a window and its baseline."""

    codes: Ints
    """Shape (dimensions, leaves), in the order of DIMENSIONS."""
    names: tuple[Names, ...]
    """Per dimension, the values the codes stand for."""
    before: Side
    after: Side
    weeks: tuple[Side, ...]
    """Each of the baseline windows."""

    def __len__(self) -> int:
        return int(self.codes.shape[1])

    def code(self, dimension: Dimension) -> Ints:
        return np.asarray(self.codes[DIMENSIONS.index(dimension)])

    def column(self, dimension: Dimension) -> Names:
        """The value of every leaf in a dimension."""
        return np.asarray(self.names[DIMENSIONS.index(dimension)][self.code(dimension)])

    def value(self, dimension: Dimension, leaf: int) -> str:
        """The value of one leaf in a dimension."""
        at = DIMENSIONS.index(dimension)
        return str(self.names[at][self.codes[at, leaf]])

    def groups(self, dimensions: Sequence[Dimension]) -> Ints:
        """A dense code per combination of values."""
        return dense([self.code(d) for d in dimensions], len(self))

    def by_tokens(self, within: Sequence[Dimension]) -> Mask:
        """Leaves of groups in which any leaf was ever without request counts."""
        sides = (self.before, self.after, *self.weeks)
        uncounted = np.any([side.without_requests for side in sides], axis=0)
        groups = self.groups(within)
        return np.asarray(summed(groups, uncounted.astype(np.float64))[groups] > 0)

    @property
    def change_pico(self) -> Pico:
        return self.after.cost_pico - self.before.cost_pico

    def inside(self, where: Scope) -> Mask:
        """Mask of the leaves that belong to a scope."""
        return inside(self.codes, self.names, where)

    def only(self, mask: np.ndarray) -> "Leaves":
        """The leaves of a mask."""
        weeks = tuple(week.only(mask) for week in self.weeks)
        return Leaves(self.codes[:, mask], self.names, self.before.only(mask), self.after.only(mask), weeks)


def gathered(
    sums: LeafSums, table: ScopeTable, compared: Comparison, *, renamed: Mapping[str, str] | None = None
) -> Leaves:
    """Leaves of the window (position 0 of the sums) and the baseline windows after it.

    `renamed` maps key ids to the ids under which they count.
    """
    used, position = np.unique(sums.scope, return_inverse=True)
    codes = renamed_codes(table, renamed or {})[:, used]
    leaf = dense(list(codes), codes.shape[1])
    count = int(leaf.max()) + 1 if leaf.size else 0
    first = np.zeros(count, dtype=np.int64)
    first[leaf[::-1]] = np.arange(leaf.size)[::-1]
    shape = (1 + compared.weeks, count)
    at = sums.window * count + leaf[position]
    measures = np.stack(
        [np.bincount(at, column, minlength=shape[0] * count) for column in sums.measures.T], axis=-1
    ).astype(np.float64)
    cost_pico = np.zeros(shape[0] * count, dtype=np.int64)
    np.add.at(cost_pico, at, sums.cost_pico)
    sides = [
        _side(m, c)
        for m, c in zip(measures.reshape(*shape, len(MEASURES)), cost_pico.reshape(shape), strict=True)
    ]
    after, *weeks = sides
    return Leaves(codes[:, first], table.names, mean_of(weeks, after), after, tuple(weeks))


def mean_of(weeks: Sequence[Side], like: Side) -> Side:
    """The mean of some weeks, zeros of none; money to the nearest 1e-12 USD."""
    if not weeks:
        return Side(*(np.zeros_like(getattr(like, f.name)) for f in fields(like)))
    means = {f.name: np.mean([getattr(w, f.name) for w in weeks], axis=0) for f in fields(like)}
    total = np.sum([w.cost_pico for w in weeks], axis=0, dtype=np.int64)
    return Side(**{**means, "cost_pico": (2 * total + len(weeks)) // (2 * len(weeks))})


def without_past(leaves: Leaves, dimension: Dimension) -> Mask:
    """Leaves whose key did not have their value in the dimension in the baseline."""
    groups = leaves.groups((*OWNER, dimension))
    weeks = [week.activity for week in leaves.weeks] or [leaves.before.activity]
    return np.asarray(summed(groups, np.sum(weeks, axis=0))[groups] <= 0)


def renamed_codes(table: ScopeTable, renamed: Mapping[str, str]) -> Ints:
    """The codes of all dimensions, keys counted as what replaced them."""
    position = DIMENSIONS.index("key_id")
    codes, names = table.codes.copy(), table.names[position]
    code_of = {name: code for code, name in enumerate(names)}
    counted_as = np.array([code_of[renamed.get(name, name)] for name in names], dtype=np.int64)
    codes[position] = counted_as[codes[position]] if len(names) else codes[position]
    return codes


def _side(measures: Floats, cost_pico: Pico) -> Side:
    requests, failed, retried = measures[:, :3].T
    return Side(
        requests=requests,
        failed=np.minimum(failed, requests),
        retried=np.minimum(retried, requests),
        tokens=measures[:, _TOKENS],
        characters=measures[:, _CHARACTERS],
        unpriced=measures[:, _UNPRICED],
        uncounted=measures[:, _UNCOUNTED],
        cost_pico=cost_pico,
    )
