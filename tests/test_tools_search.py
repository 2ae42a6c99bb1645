"""Which slices moved, and by which mechanism."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from ledger.scope import EVERYTHING, Scope
from ledger.window import Window
from tests.ledger_builder import Cell, LedgerBuilder, at, span
from tools.search import Suspect, find_suspects
from tools.study import study_change

DAY = span(30)
FIVE_WEEKS = Window(at(0), at(35))


def noon(hour: datetime) -> float:
    return 1.0 if hour.hour == 12 else 0.0


def _organisation(*, keys: int = 8, noise: float = 0.03, seed: int = 3, **given: object) -> LedgerBuilder:
    """Two keys a team, one on the big model and one on the small; their requests stray a little."""
    builder, rng = LedgerBuilder(), np.random.default_rng(seed)
    for i in range(keys):
        small = {"model": "gpt-mini", "requests": 8000} if i % 2 else {"requests": 1000}
        cell = replace(Cell(key_id=f"k{i}", team=f"t{i // 2}"), **{**small, **given})  # type: ignore[arg-type]
        builder.run(cell, days=35, shape=noon)

    def strays(_: datetime, cell: Cell) -> Cell:
        return replace(cell, requests=round(cell.requests * rng.lognormal(0, noise)))

    return builder.change(FIVE_WEEKS, strays)


def _changed(builder: LedgerBuilder, changes: dict[str, dict[str, object]]) -> LedgerBuilder:
    """Keys with what is different about them in the window; `times` multiplies their requests."""

    def how(_: datetime, cell: Cell) -> Cell:
        given = dict(changes.get(cell.key_id, {}))
        times = float(str(given.pop("times", 1)))
        return replace(cell, requests=round(cell.requests * times), **given)  # type: ignore[arg-type]

    return builder.change(DAY, how)


def _suspects(builder: LedgerBuilder, where: Scope = EVERYTHING) -> list[Suspect]:
    return find_suspects(study_change(builder.reader(), DAY, where))


def _told(builder: LedgerBuilder, **changes: dict[str, object]) -> list[tuple[str, str]]:
    """Scopes and leading effects, largest first."""
    return [(str(s.scope), s.lead) for s in _suspects(_changed(builder, changes))]


@pytest.mark.parametrize("noise", [0.0, 0.03, 0.1])
def test_an_ordinary_day_has_no_suspects(noise: float) -> None:
    assert _told(_organisation(noise=noise)) == []


@pytest.mark.parametrize("seed", range(4))
def test_keys_that_stray_by_a_fifth_every_day_are_no_suspects(seed: int) -> None:
    assert _told(_organisation(noise=0.2, seed=seed)) == []


@pytest.mark.parametrize(
    ("change", "lead"),
    [
        ({"times": 4}, "volume"),
        ({"times": 0.1}, "volume"),
        ({"input_tokens": 3000}, "input_length"),
        ({"output_tokens": 900}, "output_length"),
        ({"price_factor": 1.6}, "price"),
        ({"unpriced": True}, "unpriced"),
        ({"service_tier": "priority", "price_factor": 2.0}, "tier_mix"),
        ({"model": "gpt-mini"}, "model_mix"),
        ({"times": 3, "failed": 1900, "retried": 1900}, "retries"),
    ],
)
def test_one_change_of_one_key_is_one_suspect(change: dict[str, object], lead: str) -> None:
    assert _told(_organisation(), k2=change) == [("team=t1, key_id=k2", lead)]


def test_a_cache_that_collapsed_is_told_where_it_was() -> None:
    builder = _organisation(input_tokens=300, cache_read_tokens=700)
    assert _told(builder, k2={"input_tokens": 1000, "cache_read_tokens": 0}) == [
        ("team=t1, key_id=k2", "cache")
    ]


def test_two_causes_are_told_apart() -> None:
    told = _told(_organisation(), k0={"times": 5}, k4={"input_tokens": 2500})
    assert set(told) == {("team=t0, key_id=k0", "volume"), ("team=t2, key_id=k4", "input_length")}


def test_two_keys_that_surge_apart_are_two_suspects() -> None:
    told = _told(_organisation(), k0={"times": 6}, k4={"times": 3})
    assert told == [("team=t0, key_id=k0", "volume"), ("team=t2, key_id=k4", "volume")]


def test_both_keys_of_a_team_are_the_team() -> None:
    assert _told(_organisation(), k2={"times": 4}, k3={"times": 4}) == [("team=t1", "volume")]


def test_one_key_up_while_another_falls_are_two_suspects() -> None:
    suspects = _suspects(_changed(_organisation(), {"k0": {"times": 5}, "k4": {"times": 0.05}}))
    rises = {str(s.scope): s.delta_pico > 0 for s in suspects}
    assert rises == {"team=t0, key_id=k0": True, "team=t2, key_id=k4": False}


def test_growth_of_everybody_is_blamed_on_nobody() -> None:
    builder = _organisation().change(DAY, lambda _, c: replace(c, requests=2 * c.requests))
    assert _told(builder) == [("all spend", "volume")]


def test_a_client_roll_over_is_nothing() -> None:
    assert _told(_organisation().change(DAY, lambda _, c: replace(c, client="sdk/2"))) == []


def test_a_region_that_fails_over_is_nothing() -> None:
    builder = _organisation().change(DAY, lambda _, c: replace(c, region="eu-west-1"))
    assert _told(builder) == []


def test_a_cause_is_found_beside_a_roll_over() -> None:
    builder = _organisation().change(DAY, lambda _, c: replace(c, client="sdk/2"))
    assert _told(builder, k2={"times": 4}) == [("team=t1, key_id=k2", "volume")]


def test_a_rotated_key_is_nothing() -> None:
    builder = _organisation().change(
        Window(at(30), at(35)), lambda _, c: replace(c, key_id="k2-new") if c.key_id == "k2" else c
    )
    assert _told(builder) == []


def test_a_rotated_key_that_surges_is_told() -> None:
    builder = _organisation().change(
        Window(at(20), at(35)), lambda _, c: replace(c, key_id="k2-new") if c.key_id == "k2" else c
    )
    assert _told(_changed(builder, {"k2-new": {"times": 5}})) == [("team=t1, key_id=k2-new", "volume")]


def test_a_rotated_key_that_falls_silent_is_gone() -> None:
    builder = _organisation().change(
        Window(at(20), at(35)), lambda _, c: replace(c, key_id="k2-new") if c.key_id == "k2" else c
    )
    builder.change(Window(at(30), at(35)), lambda _, c: None if c.key_id == "k2-new" else c)
    assert _told(builder) == [("team=t1, key_id=k2-new", "gone_entities")]


def test_a_price_change_is_told_of_its_model() -> None:
    builder = _organisation().change(
        DAY, lambda _, c: replace(c, price_factor=1.5) if c.model == "gpt-mini" else c
    )
    assert _told(builder) == [("model=gpt-mini", "price")]


def test_a_price_change_beside_a_surge_is_told_of_its_model() -> None:
    builder = _organisation().change(
        DAY, lambda _, c: replace(c, price_factor=1.5) if c.model == "gpt-mini" else c
    )
    assert set(_told(builder, k4={"times": 4})) == {
        ("model=gpt-mini", "price"),
        ("team=t2, key_id=k4", "volume"),
    }


def test_side_effects_belong_to_their_cause() -> None:
    change: dict[str, object] = {"input_tokens": 3000, "output_tokens": 400, "times": 1.5}
    suspects = _suspects(_changed(_organisation(), {"k2": change}))
    assert [(str(s.scope), s.lead) for s in suspects] == [("team=t1, key_id=k2", "input_length")]
    assert {"input_length", "output_length", "volume"} <= suspects[0].effects_pico.keys()


def test_a_silent_key_is_told_as_gone() -> None:
    builder = _organisation().change(Window(at(30), at(35)), lambda _, c: None if c.key_id == "k2" else c)
    assert _told(builder) == [("team=t1, key_id=k2", "gone_entities")]


def test_a_new_key_is_told_by_itself() -> None:
    builder = _organisation().run(Cell(key_id="k9", team="t1", requests=2000), days=1, since=30, shape=noon)
    assert _told(builder) == [("team=t1, key_id=k9", "new_entities")]


def test_a_stranger_is_told_with_its_place_and_what_the_known_places_did() -> None:
    stranger = Cell(key_id="k2", team="t1", region="ap-south-9", client="curl/8", requests=3000)
    suspects = _suspects(_organisation().run(stranger, days=1, since=30, shape=noon))
    assert [str(s.scope) for s in suspects] == ["team=t1, key_id=k2, region=ap-south-9, client=curl/8"]
    assert suspects[0].known_ratio == pytest.approx(1, abs=0.1)


def test_a_surge_of_a_known_key_has_no_known_ratio() -> None:
    assert _suspects(_changed(_organisation(), {"k2": {"times": 4}}))[0].known_ratio is None


def test_dollars_of_a_single_cause_are_what_it_added() -> None:
    builder = _organisation()
    before = study_change(builder.reader(), DAY).split.leaves
    usual = before.after.cost_pico[before.column("key_id") == "k2"].sum()
    suspect = _suspects(_changed(builder, {"k2": {"times": 4}}))[0]
    assert suspect.delta_pico == pytest.approx(3 * usual, rel=0.05)


def test_what_is_a_tiny_part_of_all_spend_is_left_out() -> None:
    builder = _organisation().run(Cell(key_id="tiny", team="t1", requests=2), days=35, shape=noon)
    assert _told(builder, tiny={"times": 3}) == []


def test_what_is_small_beside_the_largest_is_left_out() -> None:
    told = _told(_organisation(), k0={"times": 40}, k4={"times": 2})
    assert told == [("team=t0, key_id=k0", "volume")]


def test_a_young_ledger_still_tells_what_stands_out() -> None:
    builder = _organisation().change(Window(at(0), at(23)), lambda _, _cell: None)
    assert _told(builder, k2={"times": 5}) == [("team=t1, key_id=k2", "volume")]


def test_an_empty_ledger_has_no_suspects() -> None:
    assert _suspects(LedgerBuilder()) == []


def test_suspects_of_a_scope_lie_in_it() -> None:
    builder = _changed(_organisation(), {"k0": {"times": 6}, "k4": {"times": 6}})
    found = _suspects(builder, Scope((("team", "t2"),)))
    assert [s.lead for s in found] == ["volume"]
    assert Scope((("key_id", "k4"),)).contains(found[0].scope) or not found[0].scope.items


def test_a_tier_that_only_one_key_used_is_told_of_that_key() -> None:
    builder = LedgerBuilder()
    for i in range(6):
        tier: dict[str, object] = {"service_tier": "batch", "price_factor": 0.5} if i == 2 else {}
        cell = replace(Cell(key_id=f"k{i}", team=f"t{i // 2}"), **tier)  # type: ignore[arg-type]
        builder.run(cell, days=35, shape=noon)
    told = _told(builder, k2={"service_tier": "standard", "price_factor": 1.0})
    assert told == [("team=t1, key_id=k2", "tier_mix")]


def test_a_model_that_only_one_key_used_is_told_of_that_key() -> None:
    builder = _organisation(model="gpt-mini")
    builder.run(Cell(key_id="k9", team="t9", requests=3000), days=35, shape=noon)
    assert _told(builder, k9={"model": "gpt-mini"}) == [("team=t9, key_id=k9", "model_mix")]


def test_a_cache_that_only_one_key_had_is_told_of_that_key() -> None:
    cell = Cell(key_id="k9", team="t9", requests=1000, input_tokens=300, cache_read_tokens=700)
    builder = _organisation().run(cell, days=35, shape=noon)
    told = _told(builder, k9={"input_tokens": 1000, "cache_read_tokens": 0})
    assert told == [("team=t9, key_id=k9", "cache")]


def test_a_wild_key_does_not_hide_a_steady_one() -> None:
    rng = np.random.default_rng(5)

    def strays(_: datetime, c: Cell) -> Cell:
        return replace(c, requests=round(c.requests * rng.lognormal(0, 1))) if c.key_id == "k0" else c

    builder = _organisation().change(Window(at(0), at(30)), strays)
    assert _told(builder, k0={"times": 5}, k4={"times": 2.5}) == [("team=t2, key_id=k4", "volume")]


def test_three_keys_of_eight_are_not_their_model() -> None:
    told = _told(_organisation(keys=16), k2={"times": 3}, k6={"times": 3}, k10={"times": 3})
    assert {s for s, _ in told} == {"team=t1, key_id=k2", "team=t3, key_id=k6", "team=t5, key_id=k10"}


def test_two_keys_that_are_all_the_batch_of_their_team_are_the_team() -> None:
    builder = LedgerBuilder()
    for i in range(6):
        cell = Cell(key_id=f"k{i}", team=f"t{i // 2}", requests=100 * (1 + 3 * (i % 2)))
        builder.run(cell, days=35, shape=noon)
        if i in (2, 3):
            cheap = replace(cell, service_tier="batch", price_factor=0.5, feature=f"f{i}")
            builder.run(cheap, days=35, shape=noon)

    def how(_: datetime, cell: Cell) -> Cell:
        moved = cell.service_tier == "batch"
        return replace(cell, service_tier="standard", price_factor=1.0) if moved else cell

    assert [(str(s.scope), s.lead) for s in _suspects(builder.change(DAY, how))] == [("team=t1", "tier_mix")]
