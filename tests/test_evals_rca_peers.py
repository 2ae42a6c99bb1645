"""Peers of the root-cause analysis find a change that sits in one value of one dimension."""

from collections.abc import Callable

import numpy as np
import pytest

from evals.rca.peers.adtributor import adtributor, recursive_adtributor
from evals.rca.peers.cells import Cells
from evals.rca.peers.cost_scan import cost_scan
from evals.rca.peers.ranking import one_dimension, top_leaves, top_values
from evals.rca.peers.riskloc import riskloc
from evals.rca.peers.squeeze import potential_score, squeeze
from ledger.scope import Scope
from tests.rca_cases import Leaf, table

FAULTY = Scope.parse(["team=t2"])


def cells(*, factor: float = 3.0, where: Scope = FAULTY) -> Cells:
    """Four teams by five regions by three clients, each leaf about ten dollars."""
    rng = np.random.default_rng(2)
    leaves: list[Leaf] = []
    for team in range(4):
        for region in range(5):
            for client in range(3):
                values = {"team": f"t{team}", "region": f"r{region}", "client": f"c{client}"}
                before = 10 + float(rng.uniform(-2, 2))
                hit = all(values[str(d)] == v for d, v in where.items)
                after = before * (factor if hit else float(rng.uniform(0.99, 1.01)))
                leaves.append(
                    ({"team": f"t{team}", "region": f"r{region}", "client": f"c{client}"}, before, after)
                )
    return Cells(table(leaves))


@pytest.mark.parametrize("peer", [adtributor, cost_scan, squeeze, riskloc, top_values, one_dimension])
def test_a_change_in_one_value_is_found(peer: Callable[[Cells], list[Scope]]) -> None:
    assert peer(cells()) == [FAULTY]


@pytest.mark.parametrize("peer", [adtributor, squeeze, riskloc, top_values, one_dimension])
def test_a_fall_is_found_as_well(peer: Callable[[Cells], list[Scope]]) -> None:
    assert peer(cells(factor=0.2)) == [FAULTY]


@pytest.mark.parametrize("peer", [cost_scan, squeeze, riskloc])
def test_multidimensional_peers_find_a_combination(peer: Callable[[Cells], list[Scope]]) -> None:
    where = Scope.parse(["team=t1", "region=r3"])
    assert peer(cells(factor=5, where=where)) == [where]


def test_recursion_goes_into_what_was_found() -> None:
    where = Scope.parse(["team=t1", "region=r3"])
    assert recursive_adtributor(cells(factor=9, where=where))[0].contains(where) is False
    assert all(
        scope.as_dict().get("team") == "t1" for scope in recursive_adtributor(cells(factor=9, where=where))
    )


def test_top_leaves_are_full_combinations() -> None:
    found = top_leaves(cells())
    assert found
    assert all(len(scope.items) == 3 for scope in found)
    assert all(FAULTY.contains(scope) for scope in found)


def test_the_scan_blames_nobody_for_growth_of_everything() -> None:
    rng = np.random.default_rng(1)
    leaves: list[Leaf] = [
        ({"team": f"t{i % 4}", "region": f"r{i // 4}"}, 10.0, 13 * float(rng.uniform(0.99, 1.01)))
        for i in range(20)
    ]
    assert cost_scan(Cells(table(leaves))) == []


def test_no_change_is_explained_by_nothing() -> None:
    still = cells(factor=1.0, where=Scope.parse(["team=t9"]))
    assert cost_scan(still) == []
    assert adtributor(Cells(table([({"team": "a"}, 5.0, 5.0), ({"team": "b"}, 5.0, 5.0)]))) == []


def test_leaves_that_moved_by_one_ratio_score_one() -> None:
    given = cells()
    picked = given.table.covered(FAULTY)
    assert potential_score(given, picked, picked) == pytest.approx(1, abs=0.05)
