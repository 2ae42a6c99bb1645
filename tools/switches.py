"""Keys that moved from one model to another, each with the hour of its own move. Arrays in, moves out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from tools.matched_hours import SPAN_HOURS
from tools.switch_candidates import LEAST_REQUESTS

Floats = NDArray[np.float64]

BEFORE_SHARE, AFTER_SHARE = 0.8, 0.2
"""A key switched when its share on the old version fell from over 80 % to under 20 % (reference)."""


@dataclass(frozen=True, slots=True)
class Move:
    """One key left a model for another at an hour."""

    key: str
    old: str
    new: str
    hour: int
    """Position of the first hour after the move."""
    share_before: float
    share_after: float
    """Shares of the key's requests on the old model in the SPAN_HOURS before and after."""


def find_moves(
    keys: Sequence[str], models: Sequence[str], requests: Floats, *, first_hour: int
) -> list[Move]:
    """At most one move a key, not before `first_hour`; `requests` has shape (rows, hours), rows by key."""
    found = []
    for key, rows in rows_by_key(keys):
        if len(rows) > 1:
            names = [models[row] for row in rows]
            move = _move_of(key, names, requests[rows], first_hour)
            found += [move] if move else []
    return found


def rows_by_key(keys: Sequence[str]) -> Iterator[tuple[str, list[int]]]:
    """Each key with the positions of its rows, which lie together."""
    for key, positions in groupby(range(len(keys)), key=keys.__getitem__):
        yield key, list(positions)


def _move_of(key: str, models: Sequence[str], requests: Floats, first_hour: int) -> Move | None:
    """The move that leaves the fewest requests on the wrong side of its hour."""
    sums = np.pad(np.cumsum(requests, axis=1), ((0, 0), (1, 0)))
    hours = np.arange(max(first_hour, 1), requests.shape[1])
    if not len(hours):
        return None
    before = sums[:, hours] - sums[:, np.maximum(hours - SPAN_HOURS, 0)]
    after = sums[:, np.minimum(hours + SPAN_HOURS, requests.shape[1])] - sums[:, hours]
    enough = (before.sum(axis=0) >= LEAST_REQUESTS) & (after.sum(axis=0) >= LEAST_REQUESTS)
    shares = [side / np.maximum(side.sum(axis=0), 1) for side in (before, after)]
    switched = enough & (shares[0] > BEFORE_SHARE) & (shares[1] < AFTER_SHARE)
    if not switched.any():
        return None
    misplaced = np.where(switched, after + before.sum(axis=0) - before, np.inf)
    old = int(misplaced.min(axis=1).argmin())
    # Between two requests every hour fits as well: the move is seen with the first one after it.
    at = int(np.flatnonzero(misplaced[old] == misplaced[old].min())[-1])
    new = int(after[:, at].argmax())
    return Move(
        key=key,
        old=models[old],
        new=models[new],
        hour=int(hours[at]),
        share_before=float(shares[0][old, at]),
        share_after=float(shares[1][old, at]),
    )
