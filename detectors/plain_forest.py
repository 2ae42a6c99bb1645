"""A grown isolation forest as plain arrays: kept without code, scored without scikit-learn."""

from collections.abc import Mapping
from dataclasses import dataclass

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
    """All nodes of all trees in one row; a leaf leads to itself."""

    feature: NDArray[np.int8]
    threshold: NDArray[np.float32]
    """Up to it and including it a row goes left."""
    children: NDArray[np.int32]
    """Shape (nodes, 2): left and right."""
    path: FloatArray
    """Shape (nodes,): how far a row has come that ends here."""
    roots: NDArray[np.int32]
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
        children = self.children.ravel()
        while True:
            right = values[row + self.feature[node]] > self.threshold[node]
            after = children[2 * node + right]
            if (after == node).all():
                # One row after the other, like scikit-learn: the order of a sum is part of its last bit.
                return np.asarray(np.add.reduce(self.path[node], axis=0))
            node = after


def plain(forest: Forest) -> Forest:
    """The same forest on plain arrays; one that is plain already is returned as it is."""
    if isinstance(forest.trees, PlainForest):
        return forest
    trees = [estimator.tree_ for estimator in forest.trees.estimators_]
    roots = np.cumsum([0, *(tree.node_count for tree in trees)])
    children = np.concatenate([_children(tree, root) for tree, root in zip(trees, roots, strict=False)])
    usual = _average_path(np.array([float(forest.trees.max_samples_)])) * len(trees)
    threshold = np.concatenate([tree.threshold for tree in trees])
    return Forest(
        PlainForest(
            feature=np.concatenate([np.maximum(tree.feature, 0) for tree in trees]).astype(np.int8),
            threshold=_rounded_down(threshold),
            children=children,
            path=np.concatenate([_path(tree) for tree in trees]),
            roots=roots[:-1].astype(np.int32),
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
    inside = trees.children.min(initial=0) >= 0 and trees.children.max(initial=0) < nodes
    if not (inside and trees.feature.min(initial=0) >= 0 and trees.feature.max(initial=0) < features):
        raise RefusedError("the kept forest is damaged; make a new one: tokensleuth refit")
    return Forest(trees, arrays["ordinary"])


def _children(tree: "_Tree", root: int) -> NDArray[np.int32]:
    own = np.arange(tree.node_count)
    sides = [np.where(side < 0, own, side) for side in (tree.children_left, tree.children_right)]
    return np.asarray(np.stack(sides, axis=1) + root, dtype=np.int32)


def _path(tree: "_Tree") -> FloatArray:
    """Splits on the way to each node, and the splits that the rows left in it would take on average."""
    splits = np.zeros(tree.node_count)
    for side in (tree.children_left, tree.children_right):
        parents = np.flatnonzero(side >= 0)
        splits[side[parents]] = parents
    depth = np.ones(tree.node_count)
    for node in range(1, tree.node_count):
        depth[node] = depth[int(splits[node])] + 1
    return np.asarray(depth + _average_path(tree.n_node_samples.astype(float)) - 1.0)


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
