"""The exact split of a change in cost into its effects."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window
from tests.ledger_builder import Cell, LedgerBuilder, at, span
from tools.effects import effects
from tools.factors import contributions
from tools.leaves import Leaves, Side
from tools.split import EFFECTS, split_leaves

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


counts = st.integers(min_value=0, max_value=10**9)
leaf = st.tuples(counts, counts, *[counts] * 5, counts, counts, counts, st.integers(0, 10**15))


def _side(rows: list[tuple[int, ...]]) -> Side:
    table = np.array(rows, dtype=np.float64)
    tokens = table[:, 2:7]
    return Side(
        requests=table[:, 0],
        wasted=np.minimum(table[:, 1], table[:, 0]),
        tokens=tokens,
        characters=np.where(table[:, 7:9] % 7 == 0, np.nan, table[:, 7:9]),
        unpriced=np.minimum(table[:, 9], tokens.sum(axis=1)),
        cost_pico=np.array([row[10] for row in rows], dtype=np.int64),
    )


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(leaf, leaf, st.booleans()), min_size=1, max_size=8))
def test_effects_of_every_leaf_add_up_exactly(
    rows: list[tuple[tuple[int, ...], tuple[int, ...], bool]],
) -> None:
    before, after = _side([b for b, _, _ in rows]), _side([a for _, a, _ in rows])
    names = tuple(("p", f"m{i % 3}", "t", "x", f"k{i % 2}", "f", f"tier{i}") for i in range(len(rows)))
    weekly = before.cost_pico[None, :]
    leaves = Leaves(names, before, after, weekly)
    mask = np.array([flag for _, _, flag in rows])
    table = split_leaves(leaves, contributions(leaves, {}, {}), new=mask, gone=np.zeros_like(mask))
    assert (table.sum(axis=0) == leaves.change_pico).all()
