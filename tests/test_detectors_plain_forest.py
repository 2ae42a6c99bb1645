import numpy as np
import pytest

from detectors.forest import Forest, grow_forest, surprise
from detectors.plain_forest import PlainForest, forest_arrays, forest_of, plain
from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray
from ledger.errors import RefusedError

FEATURES = 6


def hours(rows: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    values = np.clip(rng.standard_cauchy((rows, FEATURES)), 0, 30)
    return np.where(rng.random(values.shape) < 0.3, 0.0, values)


@pytest.fixture(scope="module")
def grown() -> Forest:
    forest = grow_forest(hours(5000, 1), DetectorSettings(trees=60, tree_samples=700))
    assert forest is not None
    return forest


@pytest.mark.parametrize("rows", [0, 1, 255, 256, 1000])
def test_plain_trees_score_to_the_last_bit_like_those_of_scikit_learn(grown: Forest, rows: int) -> None:
    asked = hours(rows, 2)
    ours = plain(grown).trees.score_samples(asked)
    theirs = grown.trees.score_samples(asked) if rows else np.zeros(0)
    np.testing.assert_array_equal(ours, theirs)


def test_hours_it_was_grown_from_tie_with_themselves(grown: Forest) -> None:
    asked = hours(5000, 1)[:300]
    np.testing.assert_array_equal(surprise(plain(grown), asked), surprise(grown, asked))


def test_a_kept_forest_is_the_same_forest(grown: Forest) -> None:
    kept = forest_of(forest_arrays(plain(grown)), FEATURES)
    assert isinstance(kept.trees, PlainForest)
    asked = hours(100, 3)
    np.testing.assert_array_equal(surprise(kept, asked), surprise(grown, asked))
    assert plain(kept) is kept


@pytest.mark.parametrize(
    ("name", "number"),
    [("left", -1), ("left", 10**6), ("roots", -5), ("roots", 10**6), ("feature", FEATURES)],
)
def test_a_forest_whose_nodes_lead_nowhere_is_refused(grown: Forest, name: str, number: int) -> None:
    arrays = forest_arrays(plain(grown))
    arrays[name] = arrays[name].copy()
    arrays[name][0] = number
    with pytest.raises(RefusedError, match="damaged; make a new one: tokensleuth refit"):
        forest_of(arrays, FEATURES)
