"""What else changes when requests move to another model: tokens per character, and a price or none."""

from dataclasses import dataclass

import numpy as np

from tools.alike_moves import Move, counted_otherwise
from tools.factors import OUTPUT, PROMPT
from tools.leaves import Ints, Side
from tools.shapley import Floats
from tools.transfers import quotient, summed

UNPRICED = 0.99
"""A leaf with this share of its tokens unpriced has no price."""


@dataclass(frozen=True, slots=True)
class MovedParts:
    """Parts of the effect of moved requests that are not the choice of the model, per leaf."""

    tokenizer: Floats
    unpriced: Floats


def parts_of_moves(before: Side, after: Side, move: Move, unit: Floats) -> MovedParts:
    """Take the tokenizer and the missing price out of moves between models.

    `unit` is what one request costs, shape (leaves, 2): for the prompt and for the output.
    """
    risen, fallen, groups = move.risen, move.fallen, move.places
    unpriced = _without_price(after, risen, fallen, unit, groups)
    measured = _by_tokenizer(before, after, risen, fallen, unit, groups)
    told = counted_otherwise(before, after, move)
    whole = summed(groups, (risen - fallen) * unit.sum(axis=1) - unpriced)[groups]
    guessed = whole * quotient(risen, summed(groups, risen)[groups])
    return MovedParts(np.where(told[groups] & (measured == 0), guessed, measured), unpriced)


def unit_costs(requests_effect: Floats, change: Floats) -> Floats:
    """What one request costs by leaf, for prompt and output, from the effect of requests by class."""
    by_text = np.column_stack([requests_effect[:, PROMPT].sum(axis=1), requests_effect[:, OUTPUT]])
    wide = np.repeat(change[:, None], 2, axis=1)
    return np.asarray(np.divide(by_text, wide, out=np.zeros_like(by_text), where=wide != 0))


def _without_price(after: Side, risen: Floats, fallen: Floats, unit: Floats, groups: Ints) -> Floats:
    """What moved to a model without a price is lost to `unpriced`, not saved by the choice of the model."""
    tokens = after.tokens.sum(axis=1)
    lost = risen * (after.unpriced >= UNPRICED * np.maximum(tokens, 1.0))
    share = quotient(summed(groups, lost), summed(groups, risen))[groups]
    return np.asarray(-share * fallen * unit.sum(axis=1))


def _by_tokenizer(
    before: Side, after: Side, risen: Floats, fallen: Floats, unit: Floats, groups: Ints
) -> Floats:
    """The part of the move that is more or fewer tokens for the same characters."""
    effect = np.zeros_like(risen)
    for text, classes in enumerate((PROMPT, slice(OUTPUT, OUTPUT + 1))):
        old = _tokens_per_character(before, fallen > 0, text, classes, groups)
        new = _tokens_per_character(after, risen > 0, text, classes, groups)
        cost_new = summed(groups, risen * unit[:, text])
        cost_old = summed(groups, fallen * unit[:, text])
        both = (quotient(cost_new, new) + quotient(cost_old, old)) / 2
        total = np.where((old > 0) & (new > 0), (new - old) * both, 0.0)
        effect += total[groups] * quotient(risen, summed(groups, risen)[groups])
    return effect


def _tokens_per_character(side: Side, mask: np.ndarray, text: int, classes: slice, groups: Ints) -> Floats:
    """By group; 0 where characters are not logged by all of the leaves of the mask."""
    characters = summed(groups, np.where(mask, side.characters[:, text], 0.0))
    tokens = summed(groups, np.where(mask, side.tokens[:, classes].sum(axis=1), 0.0))
    return quotient(tokens, np.nan_to_num(characters))
