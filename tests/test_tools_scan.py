"""The scan for the scope whose leaves moved together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.scope import Dimension, Scope
from tests.ledger_builder import Use, leaves_of
from tools.leaves import Leaves, Mask
from tools.scan import MOSTLY_ALONG, SLACK, Question, Scan, Slice, named

SCANNED: tuple[Dimension, ...] = ("model", "team", "key_id", "region")
DOLLAR = 10**12


def _grid(**values: int) -> list[Mapping[Dimension, str]]:
    """Every combination of so many values per dimension, named a0, a1 and so on by its first letter."""
    found: list[Mapping[Dimension, str]] = [{}]
    for dimension, count in values.items():
        found = [{**f, dimension: f"{dimension[0]}{i}"} for f in found for i in range(count)]  # type: ignore[dict-item]
    return found


def _leaves(scopes: Sequence[Mapping[Dimension, str]], dollars: Sequence[float] | None = None) -> Leaves:
    uses = [Use(100, round(d * DOLLAR), (1, 0, 0, 0, 1)) for d in dollars or [10.0] * len(scopes)]
    return leaves_of(scopes, uses, uses)


def _question(leaves: Leaves, effect: np.ndarray, *, sign: int = 1) -> Question:
    exposed = leaves.before.cost_pico.astype(np.float64)
    everywhere = np.ones(len(leaves), dtype=bool)
    return Question(effect, exposed, sign, everywhere, DOLLAR / 10, SCANNED)


def _planted(leaves: Leaves, scope: Scope, ratio: float) -> Question:
    effect = np.where(leaves.inside(scope), leaves.before.cost_pico * ratio, 0.0)
    return _question(leaves, effect, sign=1 if ratio > 0 else -1)


def _best(
    leaves: Leaves, question: Question, accepted: Callable[[Slice], bool] = lambda _: True
) -> Scope | None:
    found = Scan(leaves).best(question, accepted)
    return found.scope if found else None


GRID = _leaves(_grid(model=2, team=3, key_id=4, region=2))


@pytest.mark.parametrize(
    "text",
    ["team=t1", "model=m0", "team=t1, region=r0", "model=m1, key_id=k2", "model=m1, team=t2, region=r1"],
)
@pytest.mark.parametrize("ratio", [3.0, 0.5, -0.6])
def test_what_moved_by_one_ratio_is_found(text: str, ratio: float) -> None:
    planted = Scope.parse_text(text)
    assert _best(GRID, _planted(GRID, planted, ratio)) == planted


def test_a_planted_slice_is_found_in_noise() -> None:
    planted = Scope.parse_text("team=t1, key_id=k2")
    asked = _planted(GRID, planted, 1.5)
    noise = np.random.default_rng(1).normal(0, 0.5 * DOLLAR, len(GRID))
    assert _best(GRID, replace(asked, effect=asked.effect + noise)) == planted


def test_growth_of_everything_is_everything() -> None:
    assert _best(GRID, _planted(GRID, Scope(), 0.5)) == Scope()


def test_growth_that_is_nearly_even_is_everything() -> None:
    faster = np.where(GRID.inside(Scope.parse_text("team=t1")), 0.6, 0.5)
    asked = _question(GRID, GRID.before.cost_pico * faster)
    assert _best(GRID, replace(asked, root_slack=0.15)) == Scope()


def test_nothing_moved_is_no_slice() -> None:
    assert _best(GRID, _question(GRID, np.zeros(len(GRID)))) is None


def test_a_rise_is_no_answer_to_a_fall() -> None:
    asked = _planted(GRID, Scope.parse_text("team=t1"), 2.0)
    assert _best(GRID, replace(asked, sign=-1)) is None


def test_less_than_the_least_is_no_slice() -> None:
    asked = _planted(GRID, Scope.parse_text("team=t1"), 2.0)
    assert _best(GRID, replace(asked, least=1e6 * DOLLAR)) is None


def test_what_was_explained_is_not_told_again() -> None:
    first, second = Scope.parse_text("team=t1"), Scope.parse_text("team=t2")
    effect = _planted(GRID, first, 3.0).effect + _planted(GRID, second, 1.0).effect
    asked = _question(GRID, effect)
    assert _best(GRID, replace(asked, among=~GRID.inside(first))) == second


def test_what_no_mechanism_could_move_neither_dilutes_nor_belongs() -> None:
    asked = _planted(GRID, Scope.parse_text("team=t1, region=r0"), 2.0)
    exposed = np.where(GRID.inside(Scope.parse_text("region=r0")), asked.exposed, 0.0)
    assert _best(GRID, replace(asked, exposed=exposed)) == Scope.parse_text("team=t1")


@pytest.mark.parametrize(
    ("given_names", "told"),
    [
        (("region", "client", "key_id"), "key_id"),
        (("provider", "model"), "model"),
        (("service_tier", "region"), "region"),
        (("user", "team", "project"), "team"),
    ],
)
def test_of_names_for_the_same_rows_the_most_natural_is_told(
    given_names: tuple[Dimension, ...], told: Dimension
) -> None:
    scopes: list[Mapping[Dimension, str]] = [dict.fromkeys(given_names, f"v{i}") for i in range(6)]
    leaves = _leaves(scopes)
    asked = replace(_planted(leaves, Scope(((told, "v3"),)), 4.0), dimensions=given_names)
    assert _best(leaves, asked) == Scope(((told, "v3"),))


def test_of_slices_nearly_alike_the_shallower_is_told() -> None:
    leaves = _leaves(_grid(team=3, region=2), [10, 0.005, 10, 10, 10, 10])
    assert _best(leaves, _planted(leaves, Scope.parse_text("team=t0, region=r0"), 3.0)) == Scope.parse_text(
        "team=t0"
    )


def test_a_dimension_does_not_tell_what_it_is_barred_from() -> None:
    asked = _planted(GRID, Scope.parse_text("region=r1"), 3.0)
    barred = {"region": GRID.inside(Scope.parse_text("region=r1"))}
    found = _best(GRID, replace(asked, barred=barred))  # type: ignore[arg-type]
    assert found is not None
    assert "region" not in found.dimensions


def test_a_slice_that_owes_its_move_to_an_ordinary_part_is_ordinary() -> None:
    part = Scope.parse_text("team=t1, key_id=k2")
    assert _best(GRID, _planted(GRID, part, 3.0), lambda s: not part.contains(s.scope)) is None


def test_a_slice_that_moves_without_its_ordinary_part_is_told() -> None:
    part, whole = Scope.parse_text("team=t1, key_id=k2"), Scope.parse_text("team=t1")
    effect = _planted(GRID, whole, 1.5).effect + _planted(GRID, part, 1.0).effect
    assert _best(GRID, _question(GRID, effect), lambda s: s.scope != part) == whole


def test_a_slice_tells_its_rows_its_score_and_its_rivals() -> None:
    found = Scan(GRID).best(_planted(GRID, Scope.parse_text("team=t1"), 3.0), lambda _: True)
    assert found is not None
    assert (found.leaves == GRID.inside(found.scope)).all()
    assert found.score > 0
    assert found.rivals == 3


values = st.sampled_from(["a", "b", "c"])
rows = st.lists(
    st.tuples(
        st.fixed_dictionaries(dict.fromkeys(SCANNED, values)),
        st.one_of(st.just(0.0), st.floats(0.01, 100.0)),
        st.floats(-1.0, 5.0),
    ),
    min_size=1,
    max_size=14,
    unique_by=lambda row: tuple(row[0].values()),
)


def _every_score(leaves: Leaves, asked: Question) -> dict[Scope, float]:
    """Scores of all slices up to depth 3 of which most moved along, without any pruning."""
    floor = 1e-3 * float(np.abs(asked.effect).sum() + asked.exposed.sum()) + 1.0
    found = {}
    for depth in range(4):
        for chosen in combinations(SCANNED, depth):
            columns = [leaves.column(d) for d in chosen]
            for pinned in set(zip(*columns, strict=True)) or {()}:
                scope = Scope.of(list(zip(chosen, pinned, strict=True)))
                mask = leaves.inside(scope)
                moved, before = asked.effect[mask].sum(), max(asked.exposed[mask].sum(), floor)
                now = max(before + moved, floor * 1e-6)
                if asked.sign * moved >= asked.least and _share_along(leaves, asked, mask) >= MOSTLY_ALONG:
                    found[scope] = float(now * np.log(now / before) - (now - before))
    return {scope: score for scope, score in found.items() if score > 0}


def _share_along(leaves: Leaves, asked: Question, mask: Mask) -> float:
    """The part of a slice's exposed dollars in keys that moved at least half as fast as the slice."""
    by_key: dict[tuple[str, str], tuple[float, float]] = {}
    keys = zip(leaves.column("team"), leaves.column("key_id"), strict=True)
    for i, key in enumerate(keys):
        if mask[i]:
            exposed, moved = by_key.get(key, (0.0, 0.0))
            by_key[key] = exposed + float(asked.exposed[i]), moved + asked.sign * float(asked.effect[i])
    total, rise = (sum(part[i] for part in by_key.values()) for i in (0, 1))
    return sum(e for e, m in by_key.values() if m >= 0.5 * rise / total * e) / total if total else 1.0


@settings(deadline=None, max_examples=150)
@given(rows, st.sampled_from([-1, 1]), st.floats(0.1, 100.0))
def test_pruning_never_loses_the_best(
    given_rows: list[tuple[Mapping[Dimension, str], float, float]], sign: int, least_usd: float
) -> None:
    leaves = _leaves([scope for scope, _, _ in given_rows], [d for _, d, _ in given_rows])
    ratios = np.array([ratio for _, _, ratio in given_rows])
    asked = _question(leaves, leaves.before.cost_pico * ratios, sign=sign)
    asked = replace(asked, least=least_usd * DOLLAR)
    every = _every_score(leaves, asked)
    found = Scan(leaves).best(asked, lambda _: True)
    assert (found is None) == (not every)
    assert found is None or found.score >= (1 - SLACK - 1e-9) * max(every.values())


@settings(deadline=None, max_examples=50)
@given(rows)
def test_a_slice_holds_exactly_the_rows_of_its_scope(
    given_rows: list[tuple[Mapping[Dimension, str], float, float]],
) -> None:
    leaves = _leaves([scope for scope, _, _ in given_rows], [d for _, d, _ in given_rows])
    ratios = np.array([ratio for _, _, ratio in given_rows])
    found = Scan(leaves).best(_question(leaves, leaves.before.cost_pico * ratios), lambda _: True)
    assert found is None or (found.leaves == leaves.inside(found.scope)).all()


def test_a_key_is_named_with_its_only_team() -> None:
    leaves = _leaves([{"team": "t0", "key_id": "k0"}, {"team": "t1", "key_id": "k1"}])
    scope = Scope.parse_text("key_id=k1")
    assert named(leaves, Slice(scope, leaves.inside(scope), 1.0)).scope == Scope.parse_text(
        "team=t1, key_id=k1"
    )


def test_a_key_of_two_teams_and_a_model_are_named_alone() -> None:
    leaves = _leaves([{"team": t, "key_id": "k0", "model": "m0"} for t in ("t0", "t1")])
    for text in ("key_id=k0", "model=m0"):
        found = Slice(Scope.parse_text(text), np.ones(2, dtype=bool), 1.0)
        assert named(leaves, found).scope == found.scope


def test_a_steady_slice_is_told_beside_an_ordinary_one() -> None:
    wild, moved = Scope.parse_text("team=t1"), Scope.parse_text("team=t2")
    effect = _planted(GRID, wild, 4.0).effect + _planted(GRID, moved, 1.5).effect

    def accepted(s: Slice) -> bool:
        return bool(s.scope.items) and not wild.contains(s.scope)

    assert _best(GRID, _question(GRID, effect), accepted) == moved
