"""What a case is: usage rows, the leaves they add up to, and the truth about what changed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ledger.scope import DIMENSIONS, Dimension, Scope
from ledger.window import Window
from playbooks import Cause

OURS = "tokensleuth"
"""The name of our product among the methods."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Names = NDArray[np.object_]
"""Shape (leaves, 10): the value in each dimension, in the order of DIMENSIONS."""


@dataclass(frozen=True)
class LeafTable:
    """Every full combination with use in the window or its baseline, and what it cost."""

    names: Names
    before_usd: Floats
    """The mean of the baseline weeks."""
    after_usd: Floats
    weekly_usd: Floats
    """Shape (weeks, leaves)."""
    weight_usd: Floats
    """What a leaf counts in grading: the larger of before and after, with unpriced use at its old price."""

    def covered(self, scope: Scope) -> Mask:
        """The leaves of a scope."""
        mask = np.ones(len(self.names), dtype=bool)
        for dimension, value in scope.items:
            mask &= self.names[:, DIMENSIONS.index(dimension)] == value
        return mask

    @cached_property
    def informative(self) -> tuple[Dimension, ...]:
        """The dimensions with more than one value."""
        return tuple(d for i, d in enumerate(DIMENSIONS) if len(set(self.names[:, i])) > 1)


@dataclass(frozen=True, slots=True)
class Accepted:
    """Leaves a right slice must cover, and leaves it may."""

    must: Mask
    may: Mask


@dataclass(frozen=True, slots=True)
class Truth:
    """One cause that was put in."""

    causes: tuple[Cause, ...]
    """The right name first; others only where nothing in the rows tells them apart."""
    accepted: tuple[Accepted, ...]
    delta_usd: float
    """Cost with the cause less cost without it."""
    scope: Scope
    """One right slice, as it was drawn."""
    text: str

    @property
    def depth(self) -> int:
        """How many dimensions the slice pins."""
        return len(self.scope.items)


@dataclass(frozen=True, slots=True)
class Rows:
    """Hourly usage of some scopes from one source, dense: shape (measures, scopes, hours)."""

    names: Names
    counts: Ints
    cost_pico: Ints
    """Shape (scopes, hours)."""
    billed: Mask
    """Whether the source of the scope says what it cost."""
    copies: bool
    """Whether these are rows exported a second time, under record ids of their own."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What cases are compared by."""

    kind: str
    noise: float
    dimensions: int
    leaves: int
    depth: int
    characters: bool
    billed: bool
    window_hours: int
    share: float
    """The smallest cause's dollars as a share of the window's."""


@dataclass(frozen=True, slots=True)
class Case:
    """One organisation with what happened to it."""

    name: str
    traits: Traits
    window: Window
    history: Window
    rows: tuple[Rows, ...]
    """History and window in one, copies apart."""
    table: LeafTable
    truths: tuple[Truth, ...]
    """Empty where nobody is to blame."""
    nuisances: tuple[str, ...] = ()
    """What happened beside the causes, in words."""


@dataclass(frozen=True, slots=True)
class Culprit:
    """A slice somebody blames."""

    scope: Scope
    cause: Cause | None = None
    delta_usd: float | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a method says of a case."""

    culprits: tuple[Culprit, ...]
    cpu_seconds: float
    effects_sum: bool | None = None
    """Whether the effects add up to the change, to the cent; None for methods without effects."""
    told_usd: float | None = None
    """What it says the window cost."""
    cause: Cause | None = None
    """Of the change as a whole."""
    failure: str | None = None
