"""Generated root-cause cases: the same seed the same rows, and a truth that is what the rows say."""

from dataclasses import replace

import numpy as np
import pytest

from evals.rca.case import OURS, Answer, Case, Culprit
from evals.rca.generator import KINDS, Size, Switch, generate_case, generate_switch
from evals.rca.generator.costing import cost_pico
from evals.rca.generator.draw_world import Demand, draw_world
from evals.rca.generator.generate import assemble
from evals.rca.generator.kinds import SINGLE
from evals.rca.generator.nuisances import with_nuisances
from evals.rca.generator.striking import Struck, with_strike
from evals.rca.generator.traffic import FAILED, REQUESTS, RETRIED
from evals.rca.generator.world import World
from evals.rca.grading import grade
from ledger.scope import DIMENSIONS, UNALLOCATED

SMALL = Size(leaves=150)


def world_of(seed: int, *, billed: bool | None = None) -> World:
    return draw_world(
        np.random.default_rng(seed), Demand(billed=billed), Size(leaves=200, dimensions=10), 1.0
    )


def window_usd(case: Case) -> float:
    """What the rows of the window cost, summed as they are written."""
    return sum(float(rows.cost_pico[:, -case.window.hours :].sum()) for rows in case.rows) / 1e12


def all_right(case: Case) -> Answer:
    culprits = tuple(Culprit(t.scope, t.causes[0], t.delta_usd) for t in case.truths)
    return Answer(culprits, 0.0)


def test_the_same_seed_gives_the_same_case() -> None:
    first, second = (generate_case(4, "two_causes", 1, SMALL) for _ in range(2))
    assert first.window == second.window
    assert [(t.scope, t.delta_usd) for t in first.truths] == [(t.scope, t.delta_usd) for t in second.truths]
    for one, other in zip(first.rows, second.rows, strict=True):
        assert np.array_equal(one.counts, other.counts)
        assert np.array_equal(one.cost_pico, other.cost_pico)


def test_another_number_gives_another_case() -> None:
    first, second = (generate_case(4, "quiet", number, SMALL) for number in range(2))
    assert window_usd(first) != window_usd(second)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_planted_slices_are_graded_right(kind: str) -> None:
    case = generate_case(11, kind, 0, SMALL)
    assert grade(case, all_right(case)).is_named
    assert len(case.truths) == len(KINDS[kind].parts)


@pytest.mark.parametrize("kind", ["retry_storm", "price_change", "model_switch", "counted_twice", "unpriced"])
def test_dollars_are_what_the_window_costs_less_what_it_would_have_cost(kind: str) -> None:
    rng = np.random.default_rng(3)
    world = world_of(5, billed=KINDS[kind].billed)
    strike = next(s for s in (SINGLE[kind](rng, world) for _ in range(50)) if s is not None)
    without = Struck(world, (), (), world.total_usd(world.window))
    case = assemble("case", kind, 1.0, world, with_strike(without, strike))
    unchanged = assemble("case", kind, 1.0, world, without)
    assert case.truths[0].delta_usd == pytest.approx(window_usd(case) - window_usd(unchanged), abs=1e-9)
    assert float(case.table.after_usd.sum()) == pytest.approx(window_usd(case), abs=1e-9)


@pytest.mark.parametrize("kind", ["organic", "quiet"])
def test_growth_of_everything_and_a_quiet_day_blame_nobody(kind: str) -> None:
    assert generate_case(3, kind, 0, SMALL).truths == ()


def test_counts_are_possible() -> None:
    for kind in ("retry_storm", "volume_drop", "counted_twice", "tier_change", "model_switch"):
        for rows in generate_case(9, kind, 0, SMALL).rows:
            assert rows.counts.min() >= 0
            assert not rows.counts[:, rows.counts[REQUESTS] == 0].any()
            assert (rows.counts[FAILED] <= rows.counts[REQUESTS]).all()
            assert (rows.counts[RETRIED] <= rows.counts[REQUESTS]).all()


def test_a_second_export_comes_as_rows_of_its_own() -> None:
    case = generate_case(3, "counted_twice", 0, SMALL)
    assert [rows.copies for rows in case.rows] == [False, True]
    assert not case.rows[1].counts[:, :, : -case.window.hours].any()


def test_scopes_are_distinct_and_leave_out_what_is_not_recorded() -> None:
    case = generate_case(3, "key_surge", 0, Size(leaves=150, dimensions=6))
    names = [tuple(row) for row in case.rows[0].names]
    assert len(set(names)) == len(names)
    assert case.traits.dimensions == 6
    silent = [i for i, d in enumerate(DIMENSIONS) if d not in case.table.informative]
    assert {str(name[i]) for name in names for i in silent} >= {UNALLOCATED}


def test_nuisances_cost_nothing_but_the_drift() -> None:
    world = world_of(8)
    rng = np.random.default_rng(1)
    names: set[str] = set()
    for _ in range(12):
        after = with_nuisances(rng, world)
        names |= {nuisance.split()[0] for nuisance in after.nuisances}
        if not any(nuisance.startswith("drift") for nuisance in after.nuisances):
            assert after.total_usd(after.window) == pytest.approx(world.total_usd(world.window), rel=1e-4)
    assert names == {"client", "key_id", "drift"}


def test_computed_use_of_an_unknown_model_costs_nothing() -> None:
    world = world_of(6)
    alias = world.window.renamed({"model": "prod-deployment-1"})
    computed = np.zeros(alias.streams, dtype=bool)
    assert cost_pico(alias, computed, world.span.start_at).sum() == 0


def test_a_switch_that_changes_no_tokens_blames_nobody() -> None:
    moved = generate_switch(Switch(5, 0, 1.0, 3))
    dearer = generate_switch(Switch(5, 0, 1.35, 3))
    assert moved.truths == ()
    assert dearer.truths[0].causes == ("tokenizer_change",)
    assert window_usd(dearer) > window_usd(moved)


def test_noise_and_leaves_are_those_asked_for() -> None:
    calm, loud = (generate_case(2, "quiet", 0, replace(SMALL, noise=noise)) for noise in (0.5, 3.0))
    assert (calm.traits.noise, loud.traits.noise) == (0.5, 3.0)
    assert calm.name != OURS
