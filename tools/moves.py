"""What else changes when requests move to another model: tokens per character, and a price or none."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from tools.factors import OUTPUT, PROMPT
from tools.leaves import Leaves
from tools.shapley import Floats

UNPRICED = 0.99
"""A leaf with this share of its tokens unpriced has no price."""


@dataclass(frozen=True, slots=True)
class MovedParts:
    """Parts of the effect of moved requests that are not the choice of the model, per leaf."""

    tokenizer: Floats
    unpriced: Floats


def parts_of_moves(leaves: Leaves, moved: Floats, unit: Floats, groups: Sequence[Hashable]) -> MovedParts:
    """Take the tokenizer and the missing price out of moves between models.

    `moved` are requests per leaf (they sum to 0 within a group), `unit` what one request costs, shape
    (leaves, 2): for the prompt and for the output.
    """
    parts = MovedParts(np.zeros_like(moved), np.zeros_like(moved))
    members: dict[Hashable, list[int]] = {}
    for i in np.flatnonzero(moved).tolist():
        members.setdefault(groups[i], []).append(i)
    for indexes in members.values():
        risen = np.array([i for i in indexes if moved[i] > 0])
        fallen = np.array([i for i in indexes if moved[i] < 0])
        if len(risen) and len(fallen):
            _without_price(leaves, moved, unit, risen, fallen, parts)
            _by_tokenizer(leaves, moved, unit, risen, fallen, parts)
    return parts


def unit_costs(requests_effect: Floats, change: Floats) -> Floats:
    """What one request costs by leaf, for prompt and output, from the effect of requests by class."""
    by_text = np.column_stack([requests_effect[:, PROMPT].sum(axis=1), requests_effect[:, OUTPUT]])
    wide = np.repeat(change[:, None], 2, axis=1)
    return np.asarray(np.divide(by_text, wide, out=np.zeros_like(by_text), where=wide != 0))


def _without_price(
    leaves: Leaves, moved: Floats, unit: Floats, risen: np.ndarray, fallen: np.ndarray, parts: MovedParts
) -> None:
    """What moved to a model without a price is lost to `unpriced`, not saved by the choice of the model."""
    tokens = leaves.after.tokens[risen].sum(axis=1)
    lost = risen[leaves.after.unpriced[risen] >= UNPRICED * np.maximum(tokens, 1.0)]
    share = moved[lost].sum() / moved[risen].sum()
    parts.unpriced[fallen] += share * moved[fallen] * unit[fallen].sum(axis=1)


def _by_tokenizer(
    leaves: Leaves, moved: Floats, unit: Floats, risen: np.ndarray, fallen: np.ndarray, parts: MovedParts
) -> None:
    """The part of the move that is more or fewer tokens for the same characters."""
    for text, classes in enumerate((PROMPT, slice(OUTPUT, OUTPUT + 1))):
        old = _tokens_per_character(leaves.before.tokens, leaves.before.characters, fallen, text, classes)
        new = _tokens_per_character(leaves.after.tokens, leaves.after.characters, risen, text, classes)
        if old and new:
            cost_new = moved[risen] * unit[risen, text]
            cost_old = -moved[fallen] * unit[fallen, text]
            effect = (new - old) * (cost_new.sum() / new + cost_old.sum() / old) / 2
            parts.tokenizer[risen] += effect * moved[risen] / moved[risen].sum()


def _tokens_per_character(
    tokens: Floats, characters: Floats, indexes: np.ndarray, text: int, classes: slice
) -> float | None:
    known = characters[indexes, text].sum()
    return float(tokens[indexes][:, classes].sum() / known) if known > 0 else None
