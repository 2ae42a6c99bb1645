"""The exact split of every leaf's change in cost into the mechanisms behind it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from ledger.leaf_sums import dense
from ledger.scope import Dimension
from tools.alike_moves import Move
from tools.entities import Entities, gone_leaves, new_leaves
from tools.factors import FACTORS, OUTPUT, PROMPT, contributions, counted_by_tokens, work_of
from tools.handovers import handed_over
from tools.leaves import GRAIN, OWNER, PLACE, Ints, Leaves, Mask, Pico, Side
from tools.moves import parts_of_moves, unit_costs
from tools.shapley import Floats
from tools.transfers import paired_moves, quotient, summed

Mechanism = Literal[
    "volume",
    "retries",
    "new_entities",
    "gone_entities",
    "model_mix",
    "tier_mix",
    "input_length",
    "output_length",
    "cache",
    "tokenizer",
    "price",
    "unpriced",
]
MECHANISMS: tuple[Mechanism, ...] = get_args(Mechanism)

EffectName = Literal[Mechanism, "trend"]
EFFECTS: tuple[EffectName, ...] = (*MECHANISMS, "trend")
"""The closed list of effects, in the order in which they are told."""

MISFIT = 1e-6
"""Cost that no token explains, as a part of the leaf's cost, counts as price from here on."""

TOO_LARGE = 2.0**58
"""Parts beyond this cannot be summed in 64 bits: they are huge opposite effects on a small cost, and the
change of such a leaf counts as price."""


@dataclass(frozen=True, slots=True)
class Split:
    """Leaves and what each mechanism did to them."""

    leaves: Leaves
    """`before` follows what was handed over inside a grain."""
    entities: Entities
    effects_pico: Pico
    """Shape (mechanisms, leaves); every column adds up to the change of its leaf."""

    def effect(self, mechanism: Mechanism) -> Pico:
        return np.asarray(self.effects_pico[MECHANISMS.index(mechanism)])

    def total_pico(self, mechanism: Mechanism) -> int:
        return sum(self.effect(mechanism).tolist())

    def only(self, mask: np.ndarray) -> "Split":
        """The leaves of a mask."""
        return Split(self.leaves.only(mask), self.entities, self.effects_pico[:, mask])


@dataclass(frozen=True, slots=True)
class Weights:
    """Prices of the token classes per leaf, shape (leaves, classes), before and after."""

    before: Floats
    after: Floats


def split_leaves(leaves: Leaves, entities: Entities, weights: Weights) -> Split:
    """Split every leaf; work handed over inside a grain is first followed to where it went."""
    followed = replace(leaves, before=handed_over(leaves, leaves.before, leaves.after))
    new, gone = new_leaves(leaves, entities), gone_leaves(leaves, entities)
    sides = followed.before, followed.after
    exact = split_sides(leaves, *sides, weights, entity=new | gone)
    change = followed.after.cost_pico - followed.before.cost_pico
    for name, mask in (("new_entities", new), ("gone_entities", gone)):
        exact[:, mask] = 0
        exact[MECHANISMS.index(name), mask] = change[mask]
    return Split(followed, entities, exact)


def split_sides(leaves: Leaves, before: Side, after: Side, weights: Weights, *, entity: Mask) -> Pico:
    """Pico-dollars by mechanism and leaf; leaves in `entity` neither give nor take moves."""
    parts = contributions(before, after, weights.before, weights.after)
    by_factor = dict(zip(FACTORS, parts, strict=True))
    requests = _request_effects(leaves, before, after, by_factor["requests"], entity, weights)
    effects: dict[Mechanism, Floats] = {
        **requests,
        "input_length": by_factor["length"][:, PROMPT].sum(axis=1),
        "output_length": by_factor["length"][:, OUTPUT],
        "cache": by_factor["cache"].sum(axis=1),
        "tokenizer": by_factor["tokenizer"].sum(axis=1) + requests["tokenizer"],
        "price": by_factor["price"].sum(axis=1),
        "unpriced": by_factor["unpriced"].sum(axis=1) + requests["unpriced"],
    }
    table = np.stack([effects.get(m, np.zeros(len(leaves))) for m in MECHANISMS])
    return _rounded(table, before.cost_pico, after.cost_pico)


def _request_effects(
    leaves: Leaves, before: Side, after: Side, by_class: Floats, entity: Mask, weights: Weights
) -> dict[Mechanism, Floats]:
    """Split the effect of requests once more: it is linear in them, so parts of the change share it."""
    work = work_of(before, after)
    was, change = work.before, work.after - work.before
    units = unit_costs(by_class, change)
    unit = units.sum(axis=1)
    extra = _extra_wasted(before, after, change)
    rest = np.where(entity, 0.0, change - extra)
    by_tokens = counted_by_tokens(before, after).astype(np.int64)
    place = dense([leaves.groups(PLACE), by_tokens], len(leaves))
    tiers = _moved_by_grain(leaves, rest, was, (*PLACE, "provider", "model"), by_tokens)
    switched = _moved_by_grain(leaves, rest - tiers, was, PLACE, by_tokens)
    models = leaves.groups(("provider", "model"))
    keys = leaves.groups(OWNER)
    move = Move(np.maximum(switched, 0.0), np.maximum(-switched, 0.0), place, keys, models, weights.after)
    inside = parts_of_moves(before, after, move, units)
    return {
        "volume": unit * (change - extra - tiers - switched),
        "retries": unit * extra,
        "tier_mix": unit * tiers,
        "model_mix": unit * switched - inside.tokenizer - inside.unpriced,
        "tokenizer": inside.tokenizer,
        "unpriced": inside.unpriced,
    }


def _moved_by_grain(
    leaves: Leaves, change: Floats, was: Floats, within: Sequence[Dimension], by_tokens: Ints
) -> Floats:
    """Moves between grains of one place, shared by the leaves of a grain that changed in its direction.

    What is counted by tokens does not move to what is counted by requests: there is no rate between them.
    """
    grain = dense([leaves.groups(GRAIN), by_tokens], len(leaves))
    _, example = np.unique(grain, return_index=True)
    place = dense([leaves.groups(within), by_tokens], len(leaves))[example]
    moved = paired_moves(summed(grain, change), summed(grain, was), place)
    along = np.where(np.sign(change) == np.sign(moved)[grain], np.abs(change), 0.0)
    return np.asarray(moved[grain] * quotient(along, summed(grain, along)[grain]))


def _extra_wasted(before: Side, after: Side, change: Floats) -> Floats:
    """Failed or retried requests beyond the leaf's usual rate, as a part of its change of requests.

    Nothing where requests are not known: then neither is any share of them.
    """
    usual = quotient(before.wasted, before.requests)
    both = (before.requests > 0) & (after.requests > 0) & ~counted_by_tokens(before, after)
    extra = np.where(both, after.wasted - usual * after.requests, 0.0)
    return np.clip(extra, np.minimum(change, 0.0), np.maximum(change, 0.0))


def _rounded(table: Floats, before_pico: Pico, after_pico: Pico) -> Pico:
    """Whole pico-dollars; what rounding leaves goes to the largest effect, a misfit of cost to price."""
    exact = np.rint(np.where(np.abs(table).max(axis=0) < TOO_LARGE, table, 0.0)).astype(np.int64)
    missing = after_pico - before_pico - exact.sum(axis=0)
    size = np.maximum(before_pico, after_pico)
    largest = np.abs(exact).argmax(axis=0)
    price = MECHANISMS.index("price")
    receiver = np.where(np.abs(missing) > MISFIT * size, price, largest)
    exact[receiver, np.arange(exact.shape[1])] += missing
    return exact
