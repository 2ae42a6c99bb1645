"""The methods by name: our product, and the peers, which see the table of leaves."""

import time
from collections.abc import Callable, Mapping

from evals.rca import ours
from evals.rca.case import OURS, Answer, Case, Culprit
from evals.rca.peers.adtributor import adtributor, recursive_adtributor
from evals.rca.peers.cells import Cells
from evals.rca.peers.cost_scan import cost_scan
from evals.rca.peers.ranking import one_dimension, top_leaves, top_values
from evals.rca.peers.riskloc import riskloc
from evals.rca.peers.squeeze import squeeze
from ledger.scope import Scope

PEERS: Mapping[str, Callable[[Cells], list[Scope]]] = {
    "scan of cost alone": cost_scan,
    "RiskLoc-like": riskloc,
    "Squeeze-like": squeeze,
    "Adtributor": adtributor,
    "recursive Adtributor": recursive_adtributor,
    "top delta, values": top_values,
    "top delta, leaves": top_leaves,
    "ranking of one dimension": one_dimension,
}
METHODS: tuple[str, ...] = (OURS, *PEERS)


def explain_with(method: str, case: Case) -> Answer:
    if method == OURS:
        return ours.explain(case)
    started = time.process_time()
    scopes = PEERS[method](Cells(case.table))
    return Answer(tuple(Culprit(scope) for scope in scopes), time.process_time() - started)
