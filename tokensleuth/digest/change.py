"""The change from last week, split exactly into effects, as `investigate --explain` splits a change."""

from dataclasses import replace

from ledger.remembered import RememberingReader
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window
from tokensleuth.digest.amounts import cents_of, shared_cents
from tokensleuth.digest.facts import Effect, Spend, Used
from tools.comparison import Comparison
from tools.entities import find_entities
from tools.leaves import gathered, renamed_codes
from tools.split import MECHANISMS, Split, Weights, split_leaves
from tools.unit_prices import class_rates, weights_of


def split_from_last(reader: RememberingReader, window: Window, last: Window) -> Split:
    """Every leaf of all spend; last week alone is what it is compared with."""
    compared = Comparison(window, (last,))
    table, sums = reader.scope_table(), reader.leaf_sums((window, last))
    leaves = gathered(sums, table, compared)
    entities = find_entities(table, leaves, compared)
    if entities.renamed:
        leaves = gathered(sums, table, compared, renamed=entities.renamed)
        table = replace(table, codes=renamed_codes(table, entities.renamed))
    old, new = class_rates(reader, (last,)), class_rates(reader, (window,))
    weights = Weights(weights_of(leaves, old, new), weights_of(leaves, new, old))
    return split_leaves(leaves, entities, weights)


def spend_facts(now: Used, last: Used | None, split: Split | None, where: Scope = EVERYTHING) -> Spend:
    """The effects add up to the difference of the two amounts as they are shown."""
    if last is None or split is None:
        return Spend(now, None, 0, ())
    change = cents_of(now.cost_pico) - cents_of(last.cost_pico)
    mask = split.leaves.inside(where)
    parts = [int(split.effect(name)[mask].sum()) for name in MECHANISMS]
    cents = shared_cents(parts, change)
    return Spend(now, last, change, tuple(Effect(n, c) for n, c in zip(MECHANISMS, cents, strict=True)))
