"""Hourly counts of streams of requests, and the edits that causes and nuisances are made of.

A stream is one full scope from one source; edits may leave several streams of one scope, which are added up
when rows are written. Counts are whole numbers at all times, so that dollars with and without are exact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evals.rca.case import Floats, Ints, Mask, Names
from ledger.scope import DIMENSIONS, Dimension

REQUESTS, FAILED, RETRIED, INPUT, CACHE_READ, WRITE_5M, WRITE_1H, OUTPUT, INPUT_CHARS, OUTPUT_CHARS = range(
    10
)
TOKENS = slice(INPUT, OUTPUT + 1)
PROMPT = (INPUT, CACHE_READ, WRITE_5M, WRITE_1H)
ALL = tuple(range(10))


Factor = NDArray[np.floating] | float
"""One number, one by hour, or one by stream and hour."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Streams by hours; `counts` has shape (10, streams, hours)."""

    names: Names
    counts: Ints
    price_factor: Floats
    """Shape (streams, hours): what is billed over what the price book says."""
    copied: Mask
    """Shape (streams,): whether the rows are a second export."""

    @property
    def streams(self) -> int:
        return len(self.names)

    @property
    def hours(self) -> int:
        return int(self.counts.shape[2])

    def column(self, dimension: Dimension) -> Names:
        return self.names[:, DIMENSIONS.index(dimension)]

    def with_added(self, added: "Traffic") -> "Traffic":
        """These streams and others below them."""
        return Traffic(
            np.concatenate([self.names, added.names]),
            np.concatenate([self.counts, added.counts], axis=1),
            np.concatenate([self.price_factor, added.price_factor]),
            np.concatenate([self.copied, added.copied]),
        )

    def only(self, streams: Mask | Ints) -> "Traffic":
        return Traffic(
            self.names[streams], self.counts[:, streams], self.price_factor[streams], self.copied[streams]
        )

    def renamed(self, values: Mapping[Dimension, str]) -> "Traffic":
        """The same streams with other values in some dimensions."""
        names = self.names.copy()
        for dimension, value in values.items():
            names[:, DIMENSIONS.index(dimension)] = value
        return replace(self, names=names)


def scaled(traffic: Traffic, streams: Mask, factor: Factor, measures: Sequence[int] = ALL) -> Traffic:
    """Some measures of some streams times a factor, which may differ by stream and hour."""
    counts = traffic.counts.copy()
    for measure in measures:
        counts[measure, streams] = np.rint(counts[measure, streams] * factor).astype(np.int64)
    return replace(traffic, counts=_possible(counts))


def moved(traffic: Traffic, streams: Mask, share: Factor, values: Mapping[Dimension, str]) -> Traffic:
    """A share of some streams gets other names; the rest stays, and no tokens without their requests."""
    here = traffic.only(streams)
    leaving = np.rint(here.counts * share).astype(np.int64)
    leaving = np.where(leaving[REQUESTS] == here.counts[REQUESTS], here.counts, leaving)
    leaving = np.where(leaving[REQUESTS] == 0, 0, leaving)
    counts = traffic.counts.copy()
    counts[:, streams] -= leaving
    return replace(traffic, counts=counts).with_added(replace(here.renamed(values), counts=leaving))


def shifted_tokens(
    traffic: Traffic, streams: Mask, share: Factor, source: int, shares: Mapping[int, float]
) -> Traffic:
    """A share of one token class becomes others."""
    counts = traffic.counts.copy()
    moving = np.rint(counts[source, streams] * share).astype(np.int64)
    left = moving.copy()
    for target, part in shares.items():
        taken = np.minimum(np.rint(moving * part).astype(np.int64), left)
        counts[target, streams] += taken
        left -= taken
    counts[source, streams] -= moving - left
    return replace(traffic, counts=counts)


def repriced(traffic: Traffic, streams: Mask, factor: Factor) -> Traffic:
    price_factor = traffic.price_factor.copy()
    price_factor[streams] *= factor
    return replace(traffic, price_factor=price_factor)


def _possible(counts: Ints) -> Ints:
    """Nothing without requests; failures and retries are parts of them."""
    counts[:, counts[REQUESTS] == 0] = 0
    for part in (FAILED, RETRIED):
        np.minimum(counts[part], counts[REQUESTS], out=counts[part])
    return counts
