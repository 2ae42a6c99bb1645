"""From streams to what methods and graders see: rows by full scope, and the table of leaves."""

import numpy as np

from evals.rca.case import Accepted, Floats, Ints, LeafTable, Mask, Names, Rows
from evals.rca.generator.strike import Marked
from evals.rca.generator.world import Name, World, names_of


def leaf_table(world: World, without: World) -> LeafTable:
    """`without` is the world before its causes: unpriced use weighs what it cost there."""
    names = names_of(world.window)
    leaves = {name: i for i, name in enumerate(dict.fromkeys(names))}
    at = np.array([leaves[name] for name in names])
    after = _summed(world.window_usd, at, len(leaves))
    weekly = np.stack([_summed(week, at, len(leaves)) for week in world.weekly_usd])
    before = weekly.mean(axis=0)
    listed = _summed(_shadow_usd(world, without), at, len(leaves))
    kept = (after > 0) | (before > 0) | (listed > 0)
    table = np.array(list(leaves), dtype=object)[kept]
    weight = np.maximum(np.maximum(after, before), listed)
    return LeafTable(table, before[kept], after[kept], weekly[:, kept], weight[kept])


def masks_of(table: LeafTable, marked: Marked) -> Accepted:
    names = [tuple(map(str, row)) for row in table.names]
    return Accepted(_inside(names, marked.must), _inside(names, marked.may))


def merged_rows(world: World) -> tuple[Rows, ...]:
    """History and window as rows of distinct scopes, the second exports apart."""
    copied = world.window.copied
    kinds = [~copied, copied] if copied.any() else [~copied]
    return tuple(_merged(world, streams, copies=bool(i)) for i, streams in enumerate(kinds))


def _merged(world: World, streams: Mask, *, copies: bool) -> Rows:
    history, window = world.history.only(streams), world.window.only(streams)
    names = names_of(window)
    scopes = {name: i for i, name in enumerate(dict.fromkeys(names))}
    at = np.array([scopes[name] for name in names])
    counts = np.concatenate([history.counts, window.counts], axis=2)
    cost = np.concatenate([world.history_cost[streams], world.price(world.window)[streams]], axis=1)
    table: Names = np.array(list(scopes), dtype=object)
    return Rows(
        table,
        _summed_counts(counts, at, len(scopes)),
        _summed_counts(cost[None], at, len(scopes))[0],
        world.is_billed(table),
        copies,
    )


def _summed(values: Floats, at: Ints, size: int) -> Floats:
    return np.bincount(at, weights=values, minlength=size).astype(np.float64)


def _summed_counts(values: Ints, at: Ints, size: int) -> Ints:
    """Sum over the scopes of axis 1."""
    if size == len(at):
        return values
    found = np.zeros((values.shape[0], size, values.shape[2]), dtype=np.int64)
    for position, target in enumerate(at):
        found[:, target] += values[:, position]
    return found


def _shadow_usd(world: World, without: World) -> Floats:
    """What unpriced streams would cost: the dollars that left are shared out by tokens."""
    tokens = world.window.counts[3:8].sum(axis=(0, 2)).astype(np.float64)
    free = (world.window_usd == 0) & (tokens > 0)
    gone = max(0.0, float(without.window_usd.sum() - world.window_usd.sum()))
    shared = np.where(free, tokens, 0.0)
    return np.asarray(shared * (gone / shared.sum() if shared.sum() else 0.0), dtype=np.float64)


def _inside(names: list[Name], given: frozenset[Name]) -> Mask:
    return np.array([name in given for name in names], dtype=bool)
