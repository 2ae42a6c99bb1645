"""A grown isolation forest as plain arrays: kept without code, scored without scikit-learn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import Numbers
from detectors.forest import Forest
from detectors.scale import DROP_WINDOWS, WINDOWS
from detectors.statistics import FloatArray
from ledger.errors import RefusedError

FEATURES = len(WINDOWS) + len(DROP_WINDOWS)
_ROWS_AT_ONCE = 256
"""Rows whose way through all trees stays in the cache."""


@dataclass(frozen=True, slots=True)
class PlainForest:
    """All nodes of all trees in one row; the two a node leads to are neighbours, a leaf leads to itself."""

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    """Up to it and including it a row goes left."""
    left: NDArray[np.int32]
    path: FloatArray
    """Shape (nodes,): how far a row has come that ends here."""
    roots: NDArray[np.int32]
    levels: NDArray[np.int32]
    """Shape (1,): splits on the longest way."""
    usual_path: FloatArray
    """Shape (1,): how far a row comes on average, summed over the trees."""

    def score_samples(self, features: FloatArray) -> FloatArray:
        """Shape (rows,), as scikit-learn has it: the lower, the more unusual; to the last bit."""
        parts = [
            self._paths(features[start : start + _ROWS_AT_ONCE])
            for start in range(0, len(features), _ROWS_AT_ONCE)
        ]
        paths = np.concatenate(parts) if parts else np.zeros(0)
        return np.asarray(-(2.0 ** -(paths / self.usual_path[0])))

    def _paths(self, features: FloatArray) -> FloatArray:
        values = features.astype(np.float32).ravel()
        row = np.arange(len(features), dtype=np.int32) * np.int32(features.shape[1])
        node = np.repeat(self.roots[:, None], len(features), axis=1)
        at, limit, value = (
            np.empty_like(node),
            np.empty(node.shape, np.float32),
            np.empty(node.shape, np.float32),
        )
        for _ in range(int(self.levels[0])):
            # Positions are known to be inside; a mode other than `raise` writes without a copy.
            np.take(self.feature, node, out=at, mode="clip")
            at += row
            np.take(values, at, out=value, mode="clip")
            np.take(self.threshold, node, out=limit, mode="clip")
            np.take(self.left, node, out=at, mode="clip")
            np.add(at, value > limit, out=node)
        # One tree after the other, like scikit-learn: the order of a sum is part of its last bit.
        return np.asarray(np.add.reduce(self.path[node], axis=0))


def plain(forest: Forest) -> Forest:
    """The same forest on plain arrays; one that is plain already is returned as it is."""
    if isinstance(forest.trees, PlainForest):
        return forest
    trees = [_laid_out(estimator.tree_) for estimator in forest.trees.estimators_]
    roots = np.cumsum([0, *(len(tree.left) for tree in trees)])
    usual = _average_path(np.array([float(forest.trees.max_samples_)])) * len(trees)
    return Forest(
        PlainForest(
            feature=np.concatenate([tree.feature for tree in trees]),
            threshold=np.concatenate([tree.threshold for tree in trees]),
            left=np.concatenate([t.left + np.int32(root) for t, root in zip(trees, roots[:-1], strict=True)]),
            path=np.concatenate([tree.path for tree in trees]),
            roots=roots[:-1].astype(np.int32),
            levels=np.array([max(tree.levels for tree in trees)], dtype=np.int32),
            usual_path=usual,
        ),
        forest.ordinary,
    )


def forest_names() -> tuple[str, ...]:
    return (*PlainForest.__dataclass_fields__, "ordinary")


def forest_arrays(forest: Forest) -> dict[str, Numbers]:
    """What is kept of a plain forest."""
    return {name: getattr(forest.trees, name, forest.ordinary) for name in forest_names()}


def forest_of(arrays: Mapping[str, Numbers], features: int) -> Forest:
    """The forest that was kept; raises RefusedError where its nodes lead nowhere."""
    trees = PlainForest(**{name: arrays[name] for name in PlainForest.__dataclass_fields__})
    nodes = len(trees.feature)
    last = max(int(trees.left.max(initial=0)) + 1, int(trees.roots.max(initial=0)))
    inside = min(trees.left.min(initial=0), trees.roots.min(initial=0), trees.feature.min(initial=0)) >= 0
    if not inside or last > nodes or trees.feature.max(initial=0) >= features:
        raise RefusedError("the kept forest is damaged; make a new one: tokensleuth refit")
    return Forest(trees, arrays["ordinary"])


class _Laid(NamedTuple):
    """One tree, breadth first."""

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    path: FloatArray
    levels: int


def _laid_out(tree: "_Tree") -> _Laid:
    """Level after level, so that the two nodes under a split are neighbours."""
    level, depth = np.array([0]), 0
    order, depths = [level], [np.ones(1)]
    while True:
        splits = level[tree.children_left[level] >= 0]
        if not len(splits):
            break
        level = np.stack([tree.children_left[splits], tree.children_right[splits]], axis=1).ravel()
        depth += 1
        order.append(level)
        depths.append(np.full(len(level), depth + 1.0))
    nodes = np.concatenate(order)
    position = np.empty(len(nodes), dtype=np.int32)
    position[nodes] = np.arange(len(nodes))
    is_leaf = tree.children_left[nodes] < 0
    under = position[np.maximum(tree.children_left[nodes], 0)]
    usual = _average_path(tree.n_node_samples[nodes].astype(float))
    return _Laid(
        feature=np.maximum(tree.feature[nodes], 0).astype(np.int32),
        threshold=np.where(is_leaf, np.float32(np.inf), _rounded_down(tree.threshold[nodes])),
        left=np.where(is_leaf, np.arange(len(nodes)), under).astype(np.int32),
        path=np.concatenate(depths) + usual - 1.0,
        levels=depth,
    )


def _average_path(rows: FloatArray) -> FloatArray:
    """Of an unsuccessful search in a binary tree of so many rows (Liu et al. 2008, equation 1)."""
    many = np.maximum(rows, 3.0)
    path = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    return np.where(rows <= 1, 0.0, np.where(rows <= 2, 1.0, path))


def _rounded_down(threshold: FloatArray) -> NDArray[np.float32]:
    """The largest float32 not above; rows are float32, so that they go the same way."""
    rounded = threshold.astype(np.float32)
    lower = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded > threshold, lower, rounded)


class _Tree:
    """What is read of a tree of scikit-learn."""

    node_count: int
    feature: NDArray[np.int64]
    threshold: FloatArray
    children_left: NDArray[np.int64]
    children_right: NDArray[np.int64]
    n_node_samples: NDArray[np.int64]
