"""The dollars that a mechanism could have moved, by leaf: those that it left alone speak against a slice."""

import numpy as np

from ledger.scope import Dimension
from ledger.usage import TOKEN_CLASSES
from tools.factors import OUTPUT, PROMPT
from tools.leaves import Mask, without_past
from tools.shapley import Floats
from tools.split import Mechanism, Split, Weights
from tools.transfers import quotient, summed

CACHED, INPUT = TOKEN_CLASSES.index("cache_read"), TOKEN_CLASSES.index("input")
MOVED_BETWEEN: dict[Mechanism, tuple[Dimension, ...]] = {
    "model_mix": ("provider", "model"),
    "tier_mix": ("service_tier",),
}
"""Effects with two ends, and the dimensions between which work moved: they do not tell who moved."""
MUCH_OF_WHAT_LEFT = 0.1


def exposure(split: Split, weights: Weights, mechanism: Mechanism, sign: int) -> Floats:
    """Dollars, in pico, of the part that the mechanism acts on, as it would be without it.

    A team that sends no prompt twice cannot lose its cache, and what never ran on a model cannot leave it:
    such leaves neither dilute a slice nor belong to it.
    """
    before = split.leaves.before
    cost = before.cost_pico.astype(np.float64)
    listed = before.tokens * weights.before
    per_class = listed * quotient(cost, listed.sum(axis=1))[:, None]
    if mechanism == "input_length":
        return np.asarray(per_class[:, PROMPT].sum(axis=1))
    if mechanism == "output_length":
        return np.asarray(per_class[:, OUTPUT])
    if mechanism == "cache" and sign > 0:
        saved = before.tokens[:, CACHED] * (weights.before[:, INPUT] - weights.before[:, CACHED])
        return np.maximum(saved * quotient(cost, listed.sum(axis=1)), 0.0)
    if mechanism in ("tokenizer", "price"):
        without = np.maximum(split.leaves.after.cost_pico - split.effect(mechanism), 0).astype(np.float64)
        return (
            np.where(_could_be_counted_otherwise(split), without, 0.0)
            if mechanism == "tokenizer"
            else without
        )
    if mechanism in MOVED_BETWEEN:
        return cost * _of_what_was_left(split, mechanism)
    return cost


def _of_what_was_left(split: Split, mechanism: Mechanism) -> Floats:
    """1 for leaves of a model, or tier, that much work moved away from."""
    groups = split.leaves.groups(MOVED_BETWEEN[mechanism])
    gross = summed(groups, np.minimum(split.effect(mechanism).astype(np.float64), 0.0))
    return np.asarray((gross <= MUCH_OF_WHAT_LEFT * gross.sum()).astype(np.float64)[groups])


def _could_be_counted_otherwise(split: Split) -> Mask:
    """Leaves but those that were on a model all the time to which others moved and then counted otherwise."""
    leaves = split.leaves
    models = leaves.groups(("provider", "model"))
    taken_up = without_past(leaves, "model")
    effect = np.abs(split.effect("tokenizer")).astype(np.float64)
    moved = summed(models, effect * taken_up) >= 0.5 * np.maximum(summed(models, effect), 1.0)
    return np.asarray(~moved[models] | taken_up)
