"""What changed at a known hour, and whether the data moved with it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window, instant_text
from tests.ledger_builder import RATES, Cell, LedgerBuilder, at, span
from tools.answer import Row, ToolAnswer
from tools.calendar import CalendarEntry
from tools.changes import changes
from tools.event_effects import Expected
from tools.level_steps import find_steps

DAYS = 24
STEP = at(15, 7)
"""2026-10-20 07:00, the day on which one price list has Mistral Large 4 at twice its price."""
WINDOW = span(15, hours=48)
MODELS = {
    **RATES,
    "mistral-large-4": (680_000, 68_000, None, None, 2_090_000),
    "claude-opus-4-6": (5_000_000, 500_000, None, None, 25_000_000),
    "claude-opus-4-7": (5_000_000, 500_000, None, None, 25_000_000),
    "claude-opus-5": (5_000_000, 500_000, None, None, 25_000_000),
    "claude-opus-5-5": (4_000_000, 200_000, None, None, 20_000_000),
}


def builder(model: str = "gpt-big", *, billed: bool = True, keys: int = 4) -> LedgerBuilder:
    made = LedgerBuilder(rates=MODELS)
    for i in range(keys):
        made.run(Cell(key_id=f"k{i}", model=model, billed=billed, input_tokens=900 + 40 * i), days=DAYS)
    return made


def since(made: LedgerBuilder, moment: datetime, how: Callable[[Cell], Cell]) -> Reader:
    return made.change(Window(moment, at(DAYS)), lambda _, cell: how(cell)).reader()


def rows_of(answer: ToolAnswer, kind: str, source: str = "ledger") -> list[Row]:
    return [row for row in answer.rows if (row["kind"], row.get("source")) == (kind, source)]


def test_a_billed_step_on_all_keys_has_its_hour_and_size() -> None:
    answer = changes(since(builder(), STEP, lambda c: replace(c, price_factor=1.6)), WINDOW)
    (row,) = rows_of(answer, "price")
    assert row["at"] == instant_text(STEP)
    assert row["observed_ratio"] == pytest.approx(1.6, abs=0.001)
    assert "on 4 of 4 keys" in str(row["what"])
    assert (answer.facts["price_steps"], answer.facts["first_change_at"]) == (1, instant_text(STEP))


def test_other_terms_of_one_key_are_no_step_of_the_model() -> None:
    reader = since(builder(), STEP, lambda c: replace(c, price_factor=3.0) if c.key_id == "k1" else c)
    answer = changes(reader, WINDOW, where=Scope((("key_id", "k1"),)))
    assert "on 1 of 4 keys" in str(rows_of(answer, "price")[0]["what"])
    assert answer.facts["price_steps"] == 0


def test_without_known_rates_another_mix_of_tokens_is_no_step() -> None:
    made = builder()
    for i in range(4):
        made.run(Cell(key_id=f"k{i}", model="gpt-mini", billed=True, cache_read_tokens=9000), days=DAYS)
    reader = since(made, STEP, lambda c: replace(c, cache_read_tokens=0) if c.model == "gpt-mini" else c)
    reader.engine.rows("delete from rates where model = 'gpt-mini'", {})
    assert changes(reader, WINDOW).facts["price_steps"] == 0
    dearer = since(made, STEP, lambda c: replace(c, price_factor=1.3))
    dearer.engine.rows("delete from rates", {})
    assert changes(dearer, WINDOW).facts["price_steps"] >= 1  # type: ignore[operator]


def test_computed_cost_changes_with_our_own_price_book_only() -> None:
    made = builder(billed=False)
    answer = changes(
        since(made, STEP, lambda c: replace(c, price_factor=1.2, price_version="book-2")), WINDOW
    )
    (row,) = rows_of(answer, "price", "price book")
    assert row["at"] == instant_text(STEP)
    assert row["observed_ratio"] == pytest.approx(1.2, abs=0.001)
    assert row["matches"] is None
    assert (answer.facts["price_steps"], answer.facts["price_event_matches"]) == (0, 0)
    assert answer.facts["price_book_changes"] == 1
    assert answer.facts["price_book_ratio"] == pytest.approx(1.2, abs=0.001)


def test_an_event_that_the_bill_follows_matches() -> None:
    made = builder("mistral-large-4")
    answer = changes(since(made, STEP, lambda c: replace(c, price_factor=2.0)), WINDOW)
    (row,) = rows_of(answer, "price", "events")
    assert "mistral-large-4-2026-10-20" in str(row["what"])
    assert (row["at"], row["matches"], row["expected_ratio"]) == (instant_text(STEP), 1, 2.0)
    assert answer.facts["price_event_matches"] == 1


@pytest.mark.parametrize(
    ("moment", "factor"), [(STEP, 1.0), (STEP, 1.4), (at(9), 2.0)], ids=["no move", "size", "time"]
)
def test_an_event_alone_never_matches(moment: datetime, factor: float) -> None:
    made = builder("mistral-large-4")
    answer = changes(since(made, moment, lambda c: replace(c, price_factor=factor)), WINDOW)
    (row,) = rows_of(answer, "price", "events")
    assert row["matches"] == 0
    assert answer.facts["price_event_matches"] == 0


@pytest.mark.parametrize(("factor", "matches", "kind_at"), [(2.0, 1, STEP), (1.0, 0, at(15))])
def test_a_listed_price_is_held_against_the_bill(factor: float, matches: int, kind_at: datetime) -> None:
    made = builder()
    made.change(Window(at(15), at(DAYS)), lambda _, cell: replace(cell, price_version="book-2"))
    reader = since(made, STEP, lambda c: replace(c, price_factor=factor))
    doubled = (
        "input_rate = 2 * input_rate, cache_read_rate = 2 * cache_read_rate, output_rate = 2 * output_rate"
    )
    reader.engine.rows(f"update rates set {doubled} where day >= date '2026-10-20'", {})
    answer = changes(reader, WINDOW)
    (row,) = rows_of(answer, "price", "price book")
    assert (row["at"], row["expected_ratio"], row["matches"]) == (instant_text(kind_at), 2.0, matches)
    assert answer.facts["price_event_matches"] == matches
    assert answer.facts["price_book_changes"] == 0
    assert ("first_change_at" in answer.facts) == bool(matches)


def test_a_new_model_is_held_against_the_one_it_replaces() -> None:
    start = datetime(2026, 9, 10, tzinfo=UTC)
    made = LedgerBuilder(start_at=start, rates=MODELS)
    for i in range(4):
        made.run(Cell(key_id=f"k{i}", model="claude-opus-5", billed=True), days=16)
    moved = Window(start + timedelta(days=13), start + timedelta(days=16))
    made.change(moved, lambda _, cell: replace(cell, model="claude-opus-5-5"))
    (row,) = [
        r for r in rows_of(changes(made.reader(), moved), "price", "events") if r["matches"] is not None
    ]
    assert (row["matches"], row["at"]) == (1, instant_text(moved.start_at))
    assert row["observed_ratio"] == pytest.approx(0.8, abs=0.001)


@pytest.mark.parametrize(("client", "matches"), [("claude-code/2.1", 1), ("sdk/1", None)])
def test_a_cache_event_is_judged_on_its_clients(client: str, matches: int | None) -> None:
    start = datetime(2026, 2, 18, tzinfo=UTC)
    made = LedgerBuilder(start_at=start, rates=MODELS)
    reads = {"input_tokens": 1000, "cache_read_tokens": 6000}
    for i in range(4):
        made.run(Cell(key_id=f"k{i}", model="claude-opus-4-6", client=client, **reads), days=20)  # type: ignore[arg-type]
    after = Window(start + timedelta(days=9), start + timedelta(days=20))
    made.change(after, lambda _, cell: replace(cell, input_tokens=1400, cache_read_tokens=5600))
    answer = changes(made.reader(), Window(start + timedelta(days=16), start + timedelta(days=18)))
    rows = [row for row in rows_of(answer, "cache", "events") if "2026-03-06" in str(row["what"])]
    assert [row["matches"] for row in rows] == [matches]


def test_an_event_of_computed_cost_is_not_judged() -> None:
    answer = changes(builder("mistral-large-4", billed=False).reader(), WINDOW)
    assert [row["matches"] for row in rows_of(answer, "price", "events")] == [None]


def test_a_tokenizer_event_is_judged_when_keys_move_whenever_it_was_dated() -> None:
    made = builder("claude-opus-4-6", keys=6)
    more = {"model": "claude-opus-4-7", "input_tokens": 1300.0}
    answer = changes(since(made, STEP, lambda c: replace(c, **more)), WINDOW)  # type: ignore[arg-type]
    (row,) = rows_of(answer, "tokenizer", "events")
    assert (row["at"], row["matches"]) == (instant_text(STEP), 1)
    assert answer.facts["tokenizer_event_matches"] == 1
    assert answer.facts["new_models"] == 1


def test_keys_that_do_not_share_one_factor_do_not_bear_a_tokenizer_event_out() -> None:
    made = builder("claude-opus-4-6", keys=5)

    def how(cell: Cell) -> Cell:
        factor = 2.2 if cell.key_id in ("k0", "k1", "k2") else 1.0
        return replace(cell, model="claude-opus-4-7", input_tokens=cell.input_tokens * factor)

    assert changes(since(made, STEP, how), WINDOW).facts["tokenizer_event_matches"] == 0


def test_a_tokenizer_event_without_more_tokens_is_not_borne_out() -> None:
    made = builder("claude-opus-4-6", keys=6)
    answer = changes(since(made, STEP, lambda c: replace(c, model="claude-opus-4-7")), WINDOW)
    assert answer.facts["tokenizer_event_matches"] == 0


def test_first_uses_have_their_hour() -> None:
    made = builder().run(
        Cell(key_id="k9", requests=9, client="curl/8", service_tier="batch"), days=1, since=15.5
    )
    answer = changes(made.reader(), WINDOW)
    hour = instant_text(at(15, 12))
    assert {(row["kind"], row["at"]) for row in answer.rows} == {
        ("key", hour),
        ("tier", hour),
        ("client", hour),
    }
    assert [answer.facts[f"new_{kind}s"] for kind in ("model", "key", "tier", "client")] == [0, 1, 1, 1]


def test_a_new_client_version_names_the_one_before() -> None:
    answer = changes(since(builder(), STEP, lambda c: replace(c, client="sdk/2")), WINDOW)
    (row,) = rows_of(answer, "client")
    assert row["what"] == "client sdk/2 is used for the first time, after sdk/1"
    assert row["at"] == instant_text(STEP)


def test_a_new_scope_is_one_change_not_four() -> None:
    made = builder().run(Cell(key_id="k9", requests=9, client="curl/8"), days=1, since=15.5)
    answer = changes(made.reader(), WINDOW, where=Scope((("key_id", "k9"),)))
    assert [row["kind"] for row in answer.rows] == ["key"]


def test_what_a_young_ledger_starts_with_is_not_new() -> None:
    assert changes(builder().reader(), span(1, hours=24)).rows == ()


def test_a_name_that_is_priced_as_another_model_is_a_change_of_model() -> None:
    reader = since(builder(billed=False), at(15), lambda c: replace(c, price_version="book-2"))
    reader.engine.rows("update rates set priced_as = 'gpt-new' where day >= date '2026-10-20'", {})
    (row,) = rows_of(changes(reader, WINDOW), "model", "price book")
    assert row["what"] == "gpt-big is priced as gpt-new instead of gpt-big"


def plan(day: int, *, days: int = 1, **where: str) -> CalendarEntry:
    start, end = at(day).date(), at(day + days - 1).date()
    return CalendarEntry.model_validate({"start": start, "end": end, "what": "launch", "where": where})


def test_the_calendar_covers_the_hours_of_scopes_it_is_about() -> None:
    reader, team = builder().reader(), Scope((("team", "search"),))
    facts = changes(reader, WINDOW, where=team, calendar=[plan(15, team="search")]).facts
    assert (facts["calendar_covers"], facts["calendar_entries"]) == (0.5, 1)
    assert changes(reader, WINDOW, calendar=[plan(15, team="search")]).facts["calendar_covers"] == 0
    assert changes(reader, WINDOW, calendar=[plan(3, days=30)]).facts["calendar_covers"] == 1


def test_a_plan_alone_is_no_change_of_the_usage() -> None:
    answer = changes(builder().reader(), WINDOW, calendar=[plan(15)])
    assert [row["kind"] for row in answer.rows] == ["calendar"]
    assert "first_change_at" not in answer.facts


def test_the_list_is_bounded_and_keeps_what_matters() -> None:
    made = builder("mistral-large-4")
    for i in range(40):
        made.run(Cell(key_id=f"n{i}", requests=9 + i), days=1, since=15)
    answer = changes(since(made, STEP, lambda c: replace(c, price_factor=2.0)), WINDOW)
    assert len(answer.rows) == 21
    assert (answer.rows[-1]["kind"], answer.rows[-1]["changes"]) == ("(other)", answer.facts["changes"] - 20)  # type: ignore[operator]
    assert rows_of(answer, "price", "events")[0]["matches"] == 1
    assert "n39" in " ".join(str(row["what"]) for row in answer.rows)


def test_nothing_read_is_no_data() -> None:
    answer = changes(LedgerBuilder().reader(), WINDOW, where=EVERYTHING)
    assert (answer.status, answer.rows) == ("no_data", ())


def test_steps_are_found_where_they_are_and_not_in_noise() -> None:
    rng = np.random.default_rng(4)
    levels = np.concatenate([np.zeros(50), np.full(30, 0.4), np.full(40, 0.1)])
    assert [(place, round(height, 1)) for place, height in find_steps(levels)] == [(50, 0.4), (80, -0.3)]
    assert find_steps(rng.normal(0, 0.2, 300)) == []
    assert find_steps(np.linspace(0, 0.5, 200)) == []
    assert find_steps(np.zeros(4)) == []


def test_a_short_dear_hour_is_no_step_but_half_a_day_is_two() -> None:
    levels = np.zeros(200)
    levels[100:102] = 0.5
    assert find_steps(levels) == []
    levels[100:112] = 0.5
    assert [place for place, _ in find_steps(levels)] == [100, 112]


def test_a_price_that_follows_the_hour_of_day_makes_no_steps() -> None:
    assert find_steps(np.where(np.arange(240) % 24 < 8, np.log(2), 0.0)) == []


@pytest.mark.parametrize(
    ("bounds", "observed", "verdict"),
    [
        ((2.0, 2.0), 2.01, 1),
        ((2.0, 2.0), 1.5, 0),
        ((2.0, 2.0), 1.0, 0),
        ((0.5, 1.0), 1.0, None),
        ((1.0, 1.0), 1.5, 0),
    ],
)
def test_a_prediction_is_borne_out_only_by_a_move_of_its_size(
    bounds: tuple[float, float], observed: float, verdict: int | None
) -> None:
    assert Expected(*bounds).agrees(observed, tolerance=0.03, least_move=0.01) == verdict
