"""The exact split of every leaf's change in cost into the mechanisms behind it."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ledger.reader import Reader
from ledger.scope import Scope
from tools.comparison import Comparison, widened
from tools.entities import Entities, find_entities, gone_leaves, new_leaves
from tools.factors import FACTORS, OUTPUT, PROMPT, contributions
from tools.leaves import Leaves, Pico, read_leaves
from tools.moves import parts_of_moves, unit_costs
from tools.shapley import Floats
from tools.transfers import paired_moves
from tools.unit_prices import class_rates

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
    entities: Entities
    effects_pico: Pico
    """Shape (mechanisms, leaves); every column adds up to the change of its leaf."""

    def effect(self, mechanism: Mechanism) -> Pico:
        return np.asarray(self.effects_pico[MECHANISMS.index(mechanism)])

    def total_pico(self, mechanism: Mechanism) -> int:
        return sum(self.effect(mechanism).tolist())


def split_change(reader: Reader, compared: Comparison, where: Scope) -> Split:
    """Read the leaves of `where` and split the change of each, exactly to 1e-12 USD.

    Moves are looked for beyond the scope: in a scope that pins a model, what came from another model is
    a move, not growth.
    """
    wide = widened(where)
    entities = find_entities(reader, compared, wide)
    leaves = read_leaves(reader, compared, wide, renamed=entities.renamed)
    parts = contributions(
        leaves, class_rates(reader, compared.baseline), class_rates(reader, [compared.window])
    )
    new, gone = new_leaves(leaves, entities), gone_leaves(leaves, entities)
    table = split_leaves(leaves, parts, new=new, gone=gone)
    mask = leaves.inside(where)
    return Split(leaves.only(mask), entities, table[:, mask])


def split_leaves(leaves: Leaves, parts: Floats, *, new: np.ndarray, gone: np.ndarray) -> Pico:
    """Turn factor contributions into effects; the masks say whose appearing or going it is."""
    by_factor = dict(zip(FACTORS, parts, strict=True))
    requests = _request_effects(leaves, by_factor["requests"], new | gone)
    effects: dict[Mechanism, Floats] = {
        **requests,
        "input_length": by_factor["length"][:, PROMPT].sum(axis=1),
        "output_length": by_factor["length"][:, OUTPUT],
        "cache": by_factor["cache"].sum(axis=1),
        "tokenizer": by_factor["tokenizer"].sum(axis=1) + requests["tokenizer"],
        "price": by_factor["price"].sum(axis=1),
        "unpriced": by_factor["unpriced"].sum(axis=1) + requests["unpriced"],
    }
    table = np.stack([effects.get(m, np.zeros(len(leaves.values))) for m in MECHANISMS])
    exact = _rounded(table, leaves)
    for name, mask in (("new_entities", new), ("gone_entities", gone)):
        exact[:, mask] = 0
        exact[MECHANISMS.index(name), mask] = leaves.change_pico[mask]
    return exact


def _request_effects(leaves: Leaves, by_class: Floats, entity: np.ndarray) -> dict[Mechanism, Floats]:
    """Split the effect of requests once more: it is linear in them, so parts of the change share it."""
    before, after = _activity(leaves)
    change = after - before
    units = unit_costs(by_class, change)
    unit = units.sum(axis=1)
    extra = _extra_wasted(leaves, change)
    rest = np.where(entity, 0.0, change - extra)
    place = list(zip(*(leaves.column(d) for d in ("team", "key_id", "project", "feature")), strict=True))
    models = list(zip(place, leaves.column("provider"), leaves.column("model"), strict=True))
    tiers = paired_moves(rest, before, models)
    switched = paired_moves(rest - tiers, before, place)
    inside = parts_of_moves(leaves, switched, units, place)
    return {
        "volume": unit * (change - extra - tiers - switched),
        "retries": unit * extra,
        "tier_mix": unit * tiers,
        "model_mix": unit * switched - inside.tokenizer - inside.unpriced,
        "tokenizer": inside.tokenizer,
        "unpriced": inside.unpriced,
    }


def _activity(leaves: Leaves) -> tuple[Floats, Floats]:
    """Requests on both sides; tokens where the source counts no requests."""
    before, after = leaves.before, leaves.after
    tokens = before.tokens.sum(axis=1), after.tokens.sum(axis=1)
    by_tokens = ((before.requests <= 0) & (tokens[0] > 0)) | ((after.requests <= 0) & (tokens[1] > 0))
    return np.where(by_tokens, tokens[0], before.requests), np.where(by_tokens, tokens[1], after.requests)


def _extra_wasted(leaves: Leaves, change: Floats) -> Floats:
    """Failed or retried requests beyond the leaf's usual rate, as a part of its change of requests."""
    before, after = leaves.before, leaves.after
    usual = np.divide(before.wasted, before.requests, out=np.zeros_like(change), where=before.requests > 0)
    both = (before.requests > 0) & (after.requests > 0)
    extra = np.where(both, after.wasted - usual * after.requests, 0.0)
    return np.clip(extra, np.minimum(change, 0.0), np.maximum(change, 0.0))


def _rounded(table: Floats, leaves: Leaves) -> Pico:
    """Whole pico-dollars; what rounding leaves goes to the largest effect, a misfit of cost to price."""
    exact = np.rint(np.where(np.abs(table).max(axis=0) < TOO_LARGE, table, 0.0)).astype(np.int64)
    missing = leaves.change_pico - exact.sum(axis=0)
    size = np.maximum(leaves.before.cost_pico, leaves.after.cost_pico)
    largest = np.abs(exact).argmax(axis=0)
    price = MECHANISMS.index("price")
    receiver = np.where(np.abs(missing) > MISFIT * size, price, largest)
    exact[receiver, np.arange(exact.shape[1])] += missing
    return exact
