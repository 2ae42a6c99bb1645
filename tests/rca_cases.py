"""Builds small root-cause cases by hand: leaves with dollars before and after, and a truth."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from evals.rca.case import Accepted, Case, LeafTable, Traits, Truth
from ledger.scope import DIMENSIONS, UNALLOCATED, Dimension, Scope
from ledger.window import Window
from playbooks import Cause

START_AT = datetime(2026, 11, 16, tzinfo=UTC)
Leaf = tuple[Mapping[Dimension, str], float, float]
"""Its values, and its dollars before and after."""


def table(leaves: Sequence[Leaf], *, weeks: int = 4) -> LeafTable:
    names = [[values.get(d, UNALLOCATED) for d in DIMENSIONS] for values, _, _ in leaves]
    before, after = (np.array([leaf[i] for leaf in leaves]) for i in (1, 2))
    weekly = np.stack([before * (1 + 0.01 * (week % 2 - 0.5)) for week in range(weeks)])
    return LeafTable(np.array(names, dtype=object), before, after, weekly, np.maximum(before, after))


def truth(
    leaves: LeafTable, scope: Scope, *causes: Cause, delta_usd: float, may: Scope | None = None
) -> Truth:
    must = leaves.covered(scope)
    allowed = leaves.covered(may) if may else np.zeros_like(must)
    return Truth(causes, (Accepted(must, allowed),), delta_usd, scope, "by hand")


def case(leaves: LeafTable, *truths: Truth, kind: str = "by hand", share: float = 0.2) -> Case:
    day = Window(START_AT, START_AT + timedelta(days=1))
    traits = Traits(kind, 1.0, 10, len(leaves.names), 1, True, False, 24, share)
    return Case("case", traits, day, Window(START_AT - timedelta(days=28), START_AT), (), leaves, truths)
