"""The cost of a leaf as a product per token class, and what each factor contributed to its change.

requests x length per request x tokens per character x share of the class x price x priced share.
"""

from dataclasses import dataclass

import numpy as np

from ledger.usage import TOKEN_CLASSES
from tools.leaves import Side
from tools.shapley import Floats, shapley_of_product

FACTORS = ("requests", "length", "tokenizer", "cache", "price", "unpriced")
BLOCK = 4096
"""Leaves worked on at once: so many stay in the processor's cache."""
PROMPT = slice(0, 4)
OUTPUT = TOKEN_CLASSES.index("output")


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor on one side, shape (leaves, classes), and where it has a value at all."""

    value: Floats
    defined: np.ndarray


def contributions(before: Side, after: Side, old_weights: Floats, new_weights: Floats) -> Floats:
    """Pico-dollars by factor, leaf and class, shape (factors, leaves, classes).

    The weights are catalogue prices of the classes, shape (leaves, classes). A factor without a value on
    one side (no traffic, no price) is taken from the other side, so that a leaf that appears or goes is a
    change of requests and of nothing else.
    """
    parts = [
        _of_block(before.only(block), after.only(block), old_weights[block], new_weights[block])
        for start in range(0, max(len(old_weights), 1), BLOCK)
        for block in (slice(start, start + BLOCK),)
    ]
    return np.concatenate(parts, axis=1)


def _of_block(before: Side, after: Side, old_weights: Floats, new_weights: Floats) -> Floats:
    logged, by_tokens = _characters_on_both(before, after), counted_by_tokens(before, after)
    old = _factors(before, old_weights, logged, by_tokens)
    new = _factors(after, new_weights, logged, by_tokens)
    pairs = [_filled(b, a) for b, a in zip(old, new, strict=True)]
    return shapley_of_product(np.stack([b for b, _ in pairs]), np.stack([a for _, a in pairs]))


def _filled(before: Factor, after: Factor) -> tuple[Floats, Floats]:
    old = np.where(before.defined, before.value, np.where(after.defined, after.value, 0.0))
    new = np.where(after.defined, after.value, np.where(before.defined, before.value, 0.0))
    return old, new


def counted_by_tokens(before: Side, after: Side) -> np.ndarray:
    """Leaves whose source counts no requests: their tokens stand for them."""
    uncounted = [(s.requests <= 0) & (s.tokens.sum(axis=1) > 0) for s in (before, after)]
    return np.asarray(uncounted[0] | uncounted[1])


def _characters_on_both(before: Side, after: Side) -> np.ndarray:
    """Where characters tell length from tokenizer: logged on every side that had traffic; (leaves, 2)."""
    known = [(s.characters > 0) | (s.tokens.sum(axis=1) <= 0)[:, None] for s in (before, after)]
    return np.asarray(known[0] & known[1])


def _factors(side: Side, weights: Floats, logged: np.ndarray, by_tokens: np.ndarray) -> list[Factor]:
    total = side.tokens.sum(axis=1)
    activity = np.where(by_tokens, total, side.requests)
    sent = _per_class(side.tokens[:, PROMPT].sum(axis=1), side.tokens[:, OUTPUT])
    characters = _per_class(side.characters[:, 0], side.characters[:, 1])
    counted = _per_class(logged[:, 0], logged[:, 1])
    length = np.where(counted, np.nan_to_num(characters), sent)
    per_character = Factor(
        np.where(counted, _quotient(sent, np.nan_to_num(characters)), 1.0), ~counted | (sent > 0)
    )
    share = _quotient(side.tokens, sent)
    share[:, OUTPUT] = 1.0
    priced = 1.0 - _quotient(side.unpriced, total)
    return [
        Factor(_wide(activity), np.ones_like(weights, dtype=bool)),
        Factor(_quotient(length, _wide(activity)), _wide(activity) > 0),
        per_character,
        Factor(share, sent > 0),
        _prices(side, weights, priced),
        Factor(_wide(priced), _wide(total) > 0),
    ]


def _prices(side: Side, weights: Floats, priced: Floats) -> Factor:
    """Catalogue rates scaled so that the leaf's tokens cost what they did cost."""
    listed = (side.tokens * weights).sum(axis=1) * priced
    scale = _quotient(side.cost_pico.astype(np.float64), listed)
    return Factor(weights * scale[:, None], _wide(listed) > 0)


def _quotient(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0)


def _per_class(prompt: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Repeat the prompt's value for its four classes, then the output's."""
    return np.column_stack([prompt, prompt, prompt, prompt, output])


def _wide(column: Floats) -> Floats:
    return np.repeat(column[:, None], len(TOKEN_CLASSES), axis=1)
