"""One change read and split once, for all the tools that tell of it."""

from dataclasses import dataclass, replace

from ledger.leaf_sums import ScopeTable
from ledger.reader import Reader
from ledger.remembered import remembering
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window
from tools.comparison import Comparison, compare_with, widened
from tools.entities import find_entities
from tools.leaves import gathered, renamed_codes
from tools.split import Split, Weights, split_leaves
from tools.unit_prices import class_rates, weights_of


@dataclass(frozen=True, slots=True)
class Study:
    """The leaves of a scope, before and after, and what each mechanism did to them."""

    where: Scope
    compared: Comparison
    table: ScopeTable
    """Keys under the names of those that replaced them."""
    weights: Weights
    split: Split


def study_change(reader: Reader, window: Window, where: Scope = EVERYTHING) -> Study:
    """Read the leaves of `where` and split the change of each, exactly to 1e-12 USD.

    Moves are looked for beyond the scope: in a scope that pins a model, what came from another model is
    a move, not growth.
    """
    known = remembering(reader)
    compared = compare_with(known, window)
    table, sums = known.scope_table(), known.leaf_sums((compared.window, *compared.baseline))
    sums = sums.only(table.inside(widened(where))[sums.scope])
    leaves = gathered(sums, table, compared)
    entities = find_entities(table, leaves, compared)
    if entities.renamed:
        leaves = gathered(sums, table, compared, renamed=entities.renamed)
        table = replace(table, codes=renamed_codes(table, entities.renamed))
    old, new = class_rates(known, compared.baseline), class_rates(known, [compared.window])
    weights = Weights(weights_of(leaves, old, new), weights_of(leaves, new, old))
    inside = leaves.inside(where)
    split = split_leaves(leaves, entities, weights).only(inside)
    return Study(where, compared, table, Weights(weights.before[inside], weights.after[inside]), split)
