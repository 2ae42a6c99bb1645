"""Keys that moved to another model at the same price and then count more tokens for what they do.

Where characters are not logged, one key's tokens per request say nothing about the tokenizer: its prompts may
have changed. Several keys that rose by one factor, input and output alike, do (reference, root cause).
"""

from dataclasses import dataclass

import numpy as np

from tools.factors import OUTPUT, PROMPT
from tools.leaves import Ints, Mask, Side
from tools.shapley import Floats
from tools.transfers import quotient, summed

LEAST_KEYS = 3
SAME_PRICE = 0.03
LEAST_FACTOR = np.log(1.05)
MOST_SPREAD = 0.2
ALIKE_SHARE = 0.8
MEDIAN_ERROR = 1.96 * 1.2533 * 1.4826
"""Half the 95 % interval of a median, in MADs over the root of the number."""


@dataclass(frozen=True, slots=True)
class Move:
    """Requests that moved between models, by leaf."""

    risen: Floats
    fallen: Floats
    places: Ints
    """What they moved within; every place belongs to one key."""
    keys: Ints
    models: Ints
    weights: Floats
    """Catalogue prices of the classes, shape (leaves, classes)."""


def counted_otherwise(before: Side, after: Side, move: Move) -> Mask:
    """Per place, whether its key is of a cohort whose tokens rose by one factor at an unchanged price."""
    places = int(move.places.max()) + 1 if move.places.size else 0
    told = np.zeros(places, dtype=bool)
    moved_to = summed(move.keys, move.risen) > 0 if places else told
    if moved_to.sum() < LEAST_KEYS:
        return told
    pair = _heaviest(move.fallen, move) * (int(move.models.max()) + 1) + _heaviest(move.risen, move)
    sent = _log_factor(before, after, move, PROMPT)
    answered = _log_factor(before, after, move, slice(OUTPUT, OUTPUT + 1))
    known = moved_to & np.isfinite(sent) & np.isfinite(answered) & _same_price(after, move)
    keys = np.zeros_like(known)
    for code in np.unique(pair[known]):
        cohort = known & (pair == code)
        if _is_common(sent[cohort]) and _is_common(answered[cohort]):
            keys |= cohort
    told[move.places[keys[move.keys]]] = True
    return told


def _is_common(factors: Floats) -> bool:
    """Whether the logs of factors are one factor over 5 %."""
    if factors.size < LEAST_KEYS:
        return False
    middle = float(np.median(factors))
    spread = float(np.median(np.abs(factors - middle)))
    low = middle - MEDIAN_ERROR * spread / np.sqrt(factors.size)
    return bool(
        low > LEAST_FACTOR and spread < MOST_SPREAD and (factors > LEAST_FACTOR).mean() >= ALIKE_SHARE
    )


def _log_factor(before: Side, after: Side, move: Move, classes: slice) -> Floats:
    """By key: log of tokens per request on the model it moved to, over the one it left.

    Not finite where any requests of it are not known.
    """
    rates = []
    for side, mask in ((before, move.fallen > 0), (after, move.risen > 0)):
        tokens = summed(move.keys, np.where(mask, side.tokens[:, classes].sum(axis=1), 0.0))
        requests = np.where(side.without_requests, np.nan, side.requests)
        rates.append(quotient(tokens, summed(move.keys, np.where(mask, requests, 0.0))))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(rates[1] / rates[0]))


def _same_price(after: Side, move: Move) -> Mask:
    """By key: whether the same tokens cost the same on both models."""
    used = summed_rows(move.keys, after.tokens * (move.risen > 0)[:, None])
    cost = []
    for side in (move.fallen, move.risen):
        share = quotient(side, summed(move.keys, side)[move.keys])
        cost.append((used * summed_rows(move.keys, move.weights * share[:, None])).sum(axis=1))
    return np.asarray((cost[0] > 0) & (np.abs(cost[1] - cost[0]) <= SAME_PRICE * cost[0]))


def _heaviest(size: Floats, move: Move) -> Ints:
    """By key, the model of the leaf that moved most."""
    order = np.argsort(size, kind="stable")
    found = np.zeros(int(move.keys.max()) + 1, dtype=np.int64)
    found[move.keys[order]] = move.models[order]
    return found


def summed_rows(groups: Ints, rows: Floats) -> Floats:
    """Sums of the rows of each group."""
    return np.stack([summed(groups, column) for column in rows.T], axis=-1)
