"""One change read and split once, for all the tools that tell of it."""

from dataclasses import dataclass

from ledger.leaf_sums import ScopeTable, leaf_sums, scope_table
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window
from tools.comparison import Comparison, compare_with, widened
from tools.entities import find_entities
from tools.leaves import gathered
from tools.split import Split, Weights, split_leaves
from tools.unit_prices import class_rates, weights_of


@dataclass(frozen=True, slots=True)
class Study:
    """The leaves of a scope, before and after, and what each mechanism did to them."""

    where: Scope
    compared: Comparison
    table: ScopeTable
    weights: Weights
    split: Split


def study_change(reader: Reader, window: Window, where: Scope = EVERYTHING) -> Study:
    """Read the leaves of `where` and split the change of each, exactly to 1e-12 USD.

    Moves are looked for beyond the scope: in a scope that pins a model, what came from another model is
    a move, not growth.
    """
    compared, wide = compare_with(reader, window), widened(where)
    table = scope_table(reader)
    sums = leaf_sums(reader, table, (compared.window, *compared.baseline), wide)
    leaves = gathered(sums, table, compared)
    entities = find_entities(table, leaves, compared)
    if entities.renamed:
        leaves = gathered(sums, table, compared, renamed=entities.renamed)
    old, new = class_rates(reader, compared.baseline), class_rates(reader, [compared.window])
    weights = Weights(weights_of(leaves, old, new), weights_of(leaves, new, old))
    inside = leaves.inside(where)
    split = split_leaves(leaves, entities, weights).only(inside)
    return Study(where, compared, table, Weights(weights.before[inside], weights.after[inside]), split)
