"""The exact split of a change in cost into its effects."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.leaf_sums import MEASURES, LeafSums, ScopeTable, hour_number
from ledger.reader import Reader
from ledger.scope import DIMENSIONS, EVERYTHING, Dimension, Scope
from ledger.window import Window
from tests.ledger_builder import Cell, LedgerBuilder, at, span
from tools.comparison import Comparison
from tools.effects import effects, effects_of
from tools.entities import find_entities
from tools.leaves import GRAIN, Leaves, Mask, Side, gathered
from tools.shapley import Floats
from tools.split import EFFECTS, MECHANISMS, Weights, split_leaves
from tools.study import Study, study_change
from tools.unit_prices import ModelTier, weights_of

DAY = span(30)


def _two_keys(**changes: object) -> LedgerBuilder:
    cell = replace(Cell(), **changes)  # type: ignore[arg-type]
    return LedgerBuilder().run(cell, days=35).run(replace(cell, key_id="k2", team="ads"), days=35)


def _usd(reader: Reader, window: Window = DAY, where: Scope = EVERYTHING) -> dict[str, Decimal]:
    rows = effects(reader, window, where=where).rows
    return {str(row["effect"]): Decimal(str(row["usd"])) for row in rows}


def _changed(builder: LedgerBuilder, **changes: object) -> dict[str, Decimal]:
    def how(_: datetime, cell: Cell) -> Cell:
        return replace(cell, **changes) if cell.key_id == "k1" else cell  # type: ignore[arg-type]

    return _usd(builder.change(DAY, how).reader())


def _largest(usd: dict[str, Decimal]) -> str:
    return max(usd, key=lambda name: abs(usd[name]))


def test_all_effects_are_listed_in_the_order_of_the_contract() -> None:
    assert tuple(_usd(_two_keys().reader())) == EFFECTS


def test_nothing_changed_means_zeros() -> None:
    assert not any(_usd(_two_keys().reader()).values())


@pytest.mark.parametrize(
    ("changes", "effect"),
    [
        ({"requests": 400}, "volume"),
        ({"requests": 20}, "volume"),
        ({"requests": 300, "retried": 270, "failed": 270}, "retries"),
        ({"input_tokens": 4000}, "input_length"),
        ({"output_tokens": 900}, "output_length"),
        ({"input_tokens": 100, "cache_read_tokens": 900}, "cache"),
        ({"model": "gpt-mini"}, "model_mix"),
        ({"service_tier": "priority", "price_factor": 2.0}, "tier_mix"),
        ({"price_factor": 1.3}, "price"),
        ({"unpriced": True}, "unpriced"),
    ],
)
def test_one_change_is_one_effect(changes: dict[str, object], effect: str) -> None:
    usd = _changed(_two_keys(), **changes)
    others = sum(abs(v) for name, v in usd.items() if name != effect)
    assert _largest(usd) == effect
    assert others < abs(usd[effect]) / 10


def test_more_tokens_for_the_same_characters_are_the_tokenizer() -> None:
    usd = _changed(
        _two_keys(characters_per_token=4.0),
        input_tokens=1300,
        output_tokens=260,
        characters_per_token=4 / 1.3,
    )
    assert _largest(usd) == "tokenizer"
    assert usd["input_length"] == usd["output_length"] == 0


def test_a_new_key_is_a_new_entity_and_nothing_else() -> None:
    reader = _two_keys().run(Cell(key_id="k9"), days=2, since=30).reader()
    usd = _usd(reader)
    assert usd["new_entities"] > 1
    assert usd["volume"] == 0


def test_a_silent_key_is_gone() -> None:
    builder = _two_keys().run(Cell(key_id="k3", team="chat"), days=30)
    assert _usd(builder.reader())["gone_entities"] < -1


def test_a_rotated_key_is_no_change() -> None:
    builder = LedgerBuilder().run(Cell(), days=30).run(Cell(key_id="k1-new"), days=5, since=30)
    usd = _usd(builder.reader())
    assert usd["new_entities"] == usd["gone_entities"] == 0


def test_a_model_without_price_is_unpriced_not_cheaper() -> None:
    usd = _changed(_two_keys(), model="gpt-mini", unpriced=True)
    assert _largest(usd) == "unpriced"
    assert abs(usd["model_mix"]) < Decimal("0.05")


def test_a_scope_of_one_model_sees_what_moved_in_as_a_move() -> None:
    def how(_: datetime, cell: Cell) -> Cell:
        return replace(cell, model="gpt-mini")

    reader = _two_keys().change(DAY, how).reader()
    assert _largest(_usd(reader, where=Scope((("model", "gpt-mini"),)))) == "model_mix"


def test_without_characters_on_both_sides_tokens_are_length() -> None:
    usd = _changed(_two_keys(), input_tokens=1300, characters_per_token=4.0)
    assert _largest(usd) == "input_length"
    assert usd["tokenizer"] == 0


def test_tokens_stand_for_requests_where_none_are_counted() -> None:
    builder = LedgerBuilder(cells=[(at(d, h), Cell(requests=1)) for d in range(35) for h in range(24)])
    reader = builder.reader()
    reader.engine.rows("update usage_hourly set requests = 0", {})
    reader.engine.rows("update usage_hourly set input_tokens = 2 * input_tokens, "
                       "output_tokens = 2 * output_tokens, computed_cost = 2 * computed_cost "
                       "where hour >= '2026-11-04' and hour < '2026-11-05'", {})  # fmt: skip
    assert _largest(_usd(reader)) == "volume"


def test_trend_is_the_difference_between_the_two_expectations() -> None:
    reader = _two_keys().reader()
    mean = effects(reader, DAY).facts["mean_usd"]
    assert isinstance(mean, Decimal)
    answer = effects(reader, DAY, expected_pico=int((mean - 2) * 10**12))
    assert answer.facts["trend_usd"] == Decimal("2.00")
    assert answer.facts["delta_usd"] == Decimal("2.00")


def test_the_first_week_is_compared_with_the_days_before() -> None:
    answer = effects(_two_keys().reader(), span(3))
    assert len(answer.baseline) == 3
    assert abs(Decimal(str(answer.facts["delta_usd"]))) < 1


def test_an_empty_scope_is_no_data() -> None:
    answer = effects(_two_keys().reader(), DAY, where=Scope((("team", "nobody"),)))
    assert answer.status == "no_data"
    assert answer.facts["delta_usd"] == 0


def test_the_same_question_has_the_same_id() -> None:
    reader = _two_keys().reader()
    assert effects(reader, DAY).id == effects(reader, DAY).id
    assert effects(reader, DAY).id != effects(reader, span(31)).id


HOURS = hour_number(DAY)
SENT, UNPRICED = MEASURES.index("input_characters"), MEASURES.index("unpriced")
counts = st.one_of(st.just(0), st.integers(min_value=0, max_value=10**9))
used = st.tuples(*[counts] * len(MEASURES), st.one_of(st.just(0), st.integers(0, 10**15)))
"""What a scope did in a window: its measures, then its cost."""
codes = st.builds(
    lambda model, key, region, tier, client, other: (0, model, other, 0, key, 0, 0, region, tier, client),
    *[st.integers(0, 1), st.integers(0, 2), *[st.integers(0, 1)] * 3],
    st.sampled_from([0, 0, 0, 1]),
)
anything = st.tuples(*[st.one_of(st.none(), used)] * 4)
fell = st.tuples(st.none(), used, used, used)
rose = st.tuples(used, st.none(), st.none(), st.none())
scope_rows = st.tuples(codes, st.one_of(anything, fell, rose), st.booleans())
"""Its values, its use after and in three weeks, and whether characters are logged."""
rates = st.dictionaries(
    st.tuples(st.just("p0"), st.sampled_from(["m0", "m1"]), st.just("s0")),
    st.lists(st.sampled_from([float("nan"), 0.0, 1.0, 250.0, 10**7]), min_size=5, max_size=5).map(np.array),
)
Rows = list[tuple[tuple[int, ...], tuple[tuple[int, ...] | None, ...], bool]]


def _table(rows: Rows, lives: list[tuple[int, int]]) -> ScopeTable:
    names = tuple(np.array([f"{d[0]}{i}" for i in range(4)], dtype=object) for d in DIMENSIONS)
    first = np.array([HOURS[0] - 24 * max(life) for life in lives])
    last = np.array([HOURS[0] - 24 * min(life) for life in lives])
    held = np.array([row[0] for row in rows], dtype=np.int64).T
    return ScopeTable(np.arange(len(rows)), held, names, first, last)


def _sums(rows: Rows) -> LeafSums:
    found = [(i, w, u, c) for i, (_, uses, c) in enumerate(rows) for w, u in enumerate(uses) if u]
    measures = np.array([u[:-1] for _, _, u, _ in found], dtype=np.float64).reshape(-1, len(MEASURES))
    measures[[not c for *_, c in found], SENT : SENT + 2] = np.nan
    measures[:, UNPRICED] = np.minimum(measures[:, UNPRICED], measures[:, SENT - 5 : SENT].sum(axis=1))
    at = np.array([(i, w, u[-1]) for i, w, u, _ in found], dtype=np.int64).reshape(-1, 3)
    return LeafSums(at[:, 0], at[:, 1], measures, at[:, 2], at[:, 2])


def _studied(
    rows: Rows, lives: list[tuple[int, int]], known: Mapping[ModelTier, Floats]
) -> tuple[Study, Leaves]:
    """The study of a change, and its leaves before anything was handed over."""
    table, sums = _table(rows, lives), _sums(rows)
    compared = Comparison(DAY, tuple(DAY.shifted(-timedelta(weeks=i)) for i in (1, 2, 3)))
    entities = find_entities(table, gathered(sums, table, compared), compared)
    leaves = gathered(sums, table, compared, renamed=entities.renamed)
    weights = Weights(weights_of(leaves, known, {}), weights_of(leaves, {}, known))
    return Study(EVERYTHING, compared, table, weights, split_leaves(leaves, entities, weights)), leaves


def _money(side: Side, mask: Mask) -> int:
    return sum(side.cost_pico[mask].tolist())


def _levels(leaves: Leaves) -> Iterator[Scope]:
    """Every scope of up to two dimensions."""
    for i, values in enumerate(zip(*(leaves.column(d) for d in DIMENSIONS), strict=True)):
        yield Scope((("key_id", values[4]), ("region", values[7])))
        yield from (Scope(((d, value),)) for d, value in zip(DIMENSIONS, values, strict=True) if i < 4)
    yield EVERYTHING


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.lists(scope_rows, min_size=1, max_size=8), rates)
def test_effects_add_up_exactly_at_every_level(
    data: st.DataObject, rows: Rows, known: Mapping[ModelTier, Floats]
) -> None:
    life = st.tuples(st.sampled_from([0, 0, 1, 4, 15]), st.sampled_from([0, 2, 4, 15, 30, 30]))
    study, leaves = _studied(rows, data.draw(st.lists(life, min_size=len(rows), max_size=len(rows))), known)
    split = study.split
    assert (split.effects_pico.sum(axis=0) == split.leaves.change_pico).all()
    for where in _levels(leaves):
        inside = leaves.inside(where)
        part = split.only(inside)
        change = _money(leaves.after, inside) - _money(
            part.leaves.before, np.ones(len(part.leaves), dtype=bool)
        )
        assert sum(part.total_pico(m) for m in MECHANISMS) == change
        if set(where.dimensions) <= set(GRAIN):
            assert change == _money(leaves.after, inside) - _money(leaves.before, inside)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(scope_rows, min_size=1, max_size=6), st.one_of(st.none(), st.integers(0, 10**15)))
def test_the_table_adds_up_to_the_cent(rows: Rows, expected_pico: int | None) -> None:
    study, _ = _studied(rows, [(0, 30)] * len(rows), {})
    answer = effects_of(study, expected_pico=expected_pico)
    told = {name: Decimal(str(value)) for name, value in answer.facts.items()}
    assert sum(Decimal(str(row["usd"])) for row in answer.rows) == told["delta_usd"]
    assert told["actual_usd"] - told["expected_usd"] == told["delta_usd"]
    assert all(value == value.quantize(Decimal("0.01")) for value in told.values())


def _everything_at_once() -> Reader:
    """Rotation, roll-over, a new and a silent key, a move between models, and usage without a price."""
    builder = _two_keys(cache_read_tokens=300.0).run(Cell(key_id="k3", team="chat"), days=29)
    builder.run(Cell(key_id="k4"), days=30).run(Cell(key_id="k4-new", client="sdk/2"), days=5, since=30)
    builder.run(Cell(key_id="k9", team="new", unpriced=True), days=2, since=30)

    def how(_: datetime, cell: Cell) -> Cell:
        moved = replace(cell, model="gpt-mini", failed=30, input_tokens=700) if cell.key_id == "k1" else cell
        return replace(moved, client="sdk/3", price_factor=1.1) if cell.key_id == "k2" else moved

    return builder.change(DAY, how).reader()


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_parts_of_a_ledger_add_up_to_the_whole(dimension: Dimension) -> None:
    reader = _everything_at_once()
    whole = study_change(reader, DAY).split
    values = {str(name) for name in whole.leaves.column(dimension)}
    parts = [whole.only(whole.leaves.inside(Scope(((dimension, value),)))) for value in values]
    for mechanism in MECHANISMS:
        assert sum(part.total_pico(mechanism) for part in parts) == whole.total_pico(mechanism)


@pytest.mark.parametrize("where", ["team=search", "key_id=k2", "model=gpt-big", "client=sdk/1", "team=new"])
def test_the_change_of_a_scope_is_told_to_the_cent(where: str) -> None:
    scope = Scope.parse_text(where)
    reader = _everything_at_once()
    answer = effects(reader, DAY, where=scope)
    usd = [Decimal(str(row["usd"])) for row in answer.rows]
    actual = reader.totals([DAY], where=scope)[EVERYTHING].cost_pico
    assert sum(usd) == answer.facts["delta_usd"]
    assert abs(Decimal(str(answer.facts["actual_usd"])) - Decimal(actual) / 10**12) <= Decimal("0.005")
