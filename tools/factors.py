"""The cost of a leaf as a product per token class, and what each factor contributed to its change.

requests x length per request x tokens per character x share of the class x price x priced share. Where a
source counts no requests, tokens that grew in common stand for them (`work_of`).
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
    logged = _characters_on_both(before, after)
    work = work_of(before, after)
    old = _factors(before, old_weights, logged, work.before)
    new = _factors(after, new_weights, logged, work.after)
    pairs = [_filled(b, a) for b, a in zip(old, new, strict=True)]
    return shapley_of_product(np.stack([b for b, _ in pairs]), np.stack([a for _, a in pairs]))


def _filled(before: Factor, after: Factor) -> tuple[Floats, Floats]:
    old = np.where(before.defined, before.value, np.where(after.defined, after.value, 0.0))
    new = np.where(after.defined, after.value, np.where(before.defined, before.value, 0.0))
    return old, new


def counted_by_tokens(before: Side, after: Side) -> np.ndarray:
    """Leaves whose requests are not known on both sides: their tokens stand for them."""
    return np.asarray(before.without_requests | after.without_requests)


@dataclass(frozen=True, slots=True)
class Work:
    """How much each leaf did on both sides, in one unit: requests, else tokens."""

    before: Floats
    after: Floats


def work_of(before: Side, after: Side) -> Work:
    """Requests; where they are not known tokens, grown by what prompt and output grew by in common.

    Where both rose, the smaller ratio is the growth of the work, where both fell the larger, else it did not
    change. What one text grew beyond that is its length: more requests would have moved both.
    """
    by_tokens = counted_by_tokens(before, after)
    was, now = before.tokens.sum(axis=1), after.tokens.sum(axis=1)
    grown = np.where((was > 0) & (now > 0), was * _common_growth(before, after), now)
    return Work(np.where(by_tokens, was, before.requests), np.where(by_tokens, grown, after.requests))


def _common_growth(before: Side, after: Side) -> Floats:
    """The middle one of 1 and the ratios of prompt and output; of texts on one side only, nothing is told."""
    ratios, known = [], []
    for text in (PROMPT, slice(OUTPUT, OUTPUT + 1), slice(0, OUTPUT + 1)):
        was, now = before.tokens[:, text].sum(axis=1), after.tokens[:, text].sum(axis=1)
        ratios.append(_quotient(now, was))
        known.append((was > 0) & (now > 0))
    common = np.median([ratios[0], ratios[1], np.ones_like(ratios[0])], axis=0)
    one = np.where(known[0], ratios[0], np.where(known[1], ratios[1], ratios[2]))
    return np.where(known[0] & known[1], common, one)


def _characters_on_both(before: Side, after: Side) -> np.ndarray:
    """Where characters tell length from tokenizer: logged on every side that had traffic; (leaves, 2)."""
    known = [(s.characters > 0) | (s.tokens.sum(axis=1) <= 0)[:, None] for s in (before, after)]
    return np.asarray(known[0] & known[1])


def _factors(side: Side, weights: Floats, logged: np.ndarray, activity: Floats) -> list[Factor]:
    total = side.tokens.sum(axis=1)
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
