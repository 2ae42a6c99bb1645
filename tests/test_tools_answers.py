"""What the tools answer, and that their answers are bounded and never silent."""

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.reader import Reader
from ledger.remembered import remembering
from ledger.scope import DIMENSIONS, EVERYTHING, Dimension, Scope
from tests.ledger_builder import Cell, LedgerBuilder, at, span
from tools import (
    TOOLS,
    breakdown,
    changes,
    compare,
    earlier_weeks,
    effects,
    hourly_series,
    key_activity,
    mix,
    onset,
    past_incidents,
    peaks,
    price_changes,
    simulate,
    slices,
    switchers,
)
from tools.answer import ToolAnswer
from tools.calendar import CalendarEntry
from tools.comparison import compare_with
from tools.past_incidents import PastIncident
from tools.simulate import Measure

DAY = span(30)
K1 = Scope((("key_id", "k1"),))


def _many_keys(n: int = 4) -> LedgerBuilder:
    builder = LedgerBuilder()
    for i in range(1, n + 1):
        builder.run(Cell(key_id=f"k{i}", team=f"t{i}"), days=35)
    return builder


def _k1(builder: LedgerBuilder, **changes: object) -> LedgerBuilder:
    def how(_: datetime, cell: Cell) -> Cell:
        return replace(cell, **changes) if cell.key_id == "k1" else cell  # type: ignore[arg-type]

    return builder.change(DAY, how)


def _float(value: object) -> float:
    return float(str(value))


def test_breakdown_sums_up_what_it_does_not_list() -> None:
    answer = breakdown(_many_keys(6).reader(), DAY, by=["key_id"], limit=2)
    assert [row["key_id"] for row in answer.rows][-1] == "(other)"
    assert answer.rows[-1]["values"] == 4
    total = sum(Decimal(str(row["actual_usd"])) for row in answer.rows)
    assert (
        abs(total - Decimal(str(breakdown(_many_keys(6).reader(), DAY, by=["model"]).rows[0]["actual_usd"])))
        < 1
    )


@given(limit=st.integers(-1, 9), by=st.sampled_from([["key_id"], ["team", "model"], ["region"]]))
@settings(max_examples=25, deadline=None)
def test_breakdown_loses_nothing_whatever_it_lists(limit: int, by: list[Dimension]) -> None:
    reader = _six_keys()
    answer = breakdown(reader, DAY, by=by, limit=limit)
    now = reader.totals([DAY])[EVERYTHING]
    usual = reader.totals(compare_with(reader, DAY).baseline)[EVERYTHING]
    assert len(answer.rows) <= max(limit, 1) + 1
    assert _sum(answer, "requests") == now.requests
    assert _sum(answer, "tokens") == now.tokens.total
    assert _sum(answer, "mean_requests") == pytest.approx(usual.requests / 4, abs=0.5)
    assert _sum(answer, "mean_tokens") == pytest.approx(usual.tokens.total / 4, abs=0.5)
    assert _sum(answer, "actual_usd") == pytest.approx(now.cost_pico * 1e-12, abs=1e-3)


@cache
def _six_keys() -> Reader:
    return remembering(_k1(_many_keys(6), requests=900).reader())


def _sum(answer: ToolAnswer, name: str) -> float:
    return sum(_float(row[name]) for row in answer.rows)


def test_breakdown_is_bounded_whatever_limit_is_asked_for() -> None:
    builder = LedgerBuilder()
    for i in range(60):
        builder.run(Cell(key_id=f"k{i}"), days=1, since=30)
    rows = breakdown(builder.reader(), DAY, by=["key_id"], limit=1000).rows
    assert (len(rows), rows[-1]["values"]) == (51, 10)


def test_breakdown_tells_a_broad_rise_from_a_narrow_one() -> None:
    broad = _many_keys().change(DAY, lambda _, c: replace(c, requests=2 * c.requests))
    narrow = _k1(_many_keys(), requests=800)
    assert _float(breakdown(broad.reader(), DAY, by=["key_id"]).facts["rising_share"]) > 0.95
    assert _float(breakdown(narrow.reader(), DAY, by=["key_id"]).facts["rising_share"]) < 0.3


def test_breakdown_takes_two_dimensions() -> None:
    row = breakdown(_many_keys().reader(), DAY, by=["team", "model"]).rows[0]
    assert {"team", "model"} <= row.keys()


def test_compare_gives_every_driver_and_its_change() -> None:
    facts = compare(_k1(_many_keys(), requests=200, failed=100).reader(), DAY, where=K1).facts
    assert _float(facts["failed_share"]) == pytest.approx(0.5, abs=0.02)
    assert _float(facts["failed_share_rise"]) == pytest.approx(0.5, abs=0.02)
    assert _float(facts["input_tokens_per_request_ratio"]) == pytest.approx(1, abs=0.01)


def test_compare_leaves_characters_out_where_they_are_not_logged() -> None:
    assert "input_characters_per_token" not in compare(_many_keys().reader(), DAY).facts


def test_key_activity_sees_a_new_place_beside_the_old_one() -> None:
    stranger = Cell(region="ap-south-9", client="curl/8", team="t1")
    facts = key_activity(_many_keys().run(stranger, days=1, since=30).reader(), DAY, where=K1).facts
    assert _float(facts["new_origin_share_of_rise"]) > 0.9
    assert _float(facts["old_origin_ratio"]) == pytest.approx(1, abs=0.05)
    assert "ap-south-9" in str(facts["new_origin_names"])


def test_key_activity_tells_a_roll_over_by_the_old_place_falling_silent() -> None:
    facts = key_activity(_k1(_many_keys(), client="sdk/2").reader(), DAY, where=K1).facts
    assert _float(facts["old_origin_ratio"]) == 0


def test_a_new_key_has_no_new_origin() -> None:
    reader = _many_keys().run(Cell(key_id="k9"), days=1, since=30).reader()
    facts = key_activity(reader, DAY, where=Scope((("key_id", "k9"),))).facts
    assert facts["new_scope"] == 1
    assert "new_origin_share" not in facts


def test_key_activity_counts_earlier_days_that_were_as_busy() -> None:
    quiet = key_activity(_many_keys().reader(), DAY, where=K1).facts
    busy = key_activity(_k1(_many_keys(), requests=900).reader(), DAY, where=K1).facts
    assert _float(quiet["as_busy_days"]) > 10
    assert busy["as_busy_days"] == 0
    assert _float(busy["record_ratio"]) > 5


def test_key_activity_tells_errors_and_retries_now_and_before() -> None:
    answer = key_activity(_k1(_many_keys(), requests=200, failed=100, retried=50).reader(), DAY, where=K1)
    shares = [
        answer.facts[f"{kind}_share{side}"] for kind in ("failed", "retried") for side in ("", "_before")
    ]
    assert shares == pytest.approx([0.5, 0.0, 0.25, 0.0], abs=0.01)
    assert _sum(answer, "retried_requests") == 50 * 24


def test_key_activity_and_compare_tell_the_same_shares() -> None:
    reader = _k1(_many_keys(), requests=200, failed=7, retried=3).reader()
    told, compared = key_activity(reader, DAY).facts, compare(reader, DAY).facts
    names = ("failed_share", "failed_share_before", "retried_share", "retried_share_before")
    assert {name: told[name] for name in names} == {name: compared[name] for name in names}


def test_key_activity_says_since_when_a_key_is_used() -> None:
    reader = _many_keys().run(Cell(key_id="k9"), days=1, since=30.25).reader()
    facts = key_activity(reader, DAY, where=Scope((("key_id", "k9"),))).facts
    assert facts["first_seen_at"] == "2026-11-04T06:00:00Z"
    assert key_activity(reader, DAY).facts["first_seen_at"] == "2026-10-05T00:00:00Z"


def test_price_changes_tell_the_bill_from_the_price_book() -> None:
    facts = price_changes(_k1(_many_keys(), price_factor=1.2).reader(), DAY, where=K1).facts
    assert _float(facts["unit_price_ratio"]) == pytest.approx(1.2, abs=0.001)
    assert facts["rate_ratio"] == 1.0


def test_price_changes_see_a_new_version_of_our_price_book() -> None:
    reader = _k1(_many_keys(), price_version="book-2", price_factor=1.1).reader()
    assert price_changes(reader, DAY, where=K1).facts["version_changed"] == 1
    assert price_changes(_many_keys().reader(), DAY, where=K1).facts["version_changed"] == 0


def test_price_changes_name_models_without_a_price() -> None:
    facts = price_changes(_k1(_many_keys(), unpriced=True).reader(), DAY, where=K1).facts
    assert facts["unpriced_share"] == 1.0
    assert facts["unpriced_models"] == "gpt-big"


def test_mix_finds_the_move_and_its_price() -> None:
    facts = mix(_k1(_many_keys(), model="gpt-mini").reader(), DAY, dimension="model", where=K1).facts
    assert (facts["from_value"], facts["to_value"], facts["moved_share"]) == ("gpt-big", "gpt-mini", 1.0)
    assert facts["price_ratio"] == pytest.approx(0.1)
    assert facts["switchers"] == 1


def test_mix_looks_beyond_a_scope_that_pins_the_model() -> None:
    where = Scope((("model", "gpt-mini"), ("key_id", "k1")))
    facts = mix(_k1(_many_keys(), model="gpt-mini").reader(), DAY, dimension="model", where=where).facts
    assert facts["from_value"] == "gpt-big"


def test_mix_of_one_value_is_no_move() -> None:
    assert "from_value" not in mix(_many_keys().reader(), DAY, dimension="model").facts


def test_a_limit_above_the_usual_peak_refuses_nothing() -> None:
    reader = _many_keys().reader()
    peak = _float(peaks(reader, DAY, where=K1).facts["usual_peak_tokens_per_hour"])
    limit = Measure(tokens_per_minute=round(peak * 1.2 / 60))
    assert simulate(reader, DAY.end_at, where=K1, measure=limit).facts["requests_refused_per_day"] == 0


def test_a_block_refuses_and_saves_everything() -> None:
    facts = simulate(_many_keys().reader(), DAY.end_at, where=K1, measure=Measure(block=True)).facts
    assert facts["saving_usd_per_day"] == facts["cost_usd_per_day"]
    assert facts["requests_refused_per_day"] == facts["requests_per_day"]


def test_a_cheaper_model_refuses_nothing() -> None:
    facts = simulate(_many_keys().reader(), DAY.end_at, where=K1, measure=Measure(price_ratio=0.25)).facts
    assert _float(facts["saving_usd_per_day"]) == pytest.approx(
        _float(facts["cost_usd_per_day"]) * 0.75, rel=1e-3
    )
    assert facts["requests_refused_per_day"] == 0


def test_a_budget_lets_pass_what_it_covers() -> None:
    reader = _many_keys().reader()
    usual = _float(peaks(reader, DAY, where=K1).facts["usual_busiest_day_usd"])
    half = simulate(reader, DAY.end_at, where=K1, measure=Measure(max_usd_per_day=Decimal(usual) / 2)).facts
    none = simulate(reader, DAY.end_at, where=K1, measure=Measure(max_usd_per_day=Decimal(usual) * 2)).facts
    assert none["saving_usd_per_day"] == 0
    assert _float(half["saving_usd_per_day"]) == pytest.approx(_float(half["cost_usd_per_day"]) / 2, rel=0.1)


def test_a_replay_of_a_young_ledger_takes_the_days_there_are() -> None:
    facts = simulate(_many_keys().reader(), at(3), where=K1, measure=Measure(block=True)).facts
    assert facts["days"] == 3


def test_suspects_name_the_key_and_the_effect() -> None:
    row = slices(_k1(_many_keys(), requests=900).reader(), DAY).rows[0]
    assert row["scope"] == {"team": "t1", "key_id": "k1"}
    assert row["lead"] == "volume"


def test_suspects_see_two_causes_in_two_places() -> None:
    def how(_: datetime, cell: Cell) -> Cell:
        if cell.key_id == "k1":
            return replace(cell, input_tokens=9000)
        return replace(cell, requests=8 * cell.requests) if cell.key_id == "k2" else cell

    rows = slices(_many_keys(6).change(DAY, how).reader(), DAY).rows
    assert {row["lead"] for row in rows} == {"input_length", "volume"}


def test_suspects_name_the_model_when_its_price_changed() -> None:
    builder = _many_keys()
    for i in (1, 2, 3):
        builder.run(Cell(model="gpt-mini", key_id=f"k{i}", team=f"t{i}"), days=35)
    builder.change(DAY, lambda _, c: replace(c, price_factor=1.5) if c.model == "gpt-mini" else c)
    row = slices(builder.reader(), DAY).rows[0]
    assert (row["scope"], row["lead"], row["whole_model"]) == ({"model": "gpt-mini"}, "price", 1)


def test_suspects_tell_what_a_slice_does_per_request() -> None:
    row = slices(_k1(_many_keys(), requests=900, output_tokens=400).reader(), DAY).rows[0]
    assert _float(row["requests_ratio"]) > 9
    assert _float(row["output_tokens_per_request_ratio"]) == pytest.approx(2, abs=0.01)
    assert (row["new_scope"], row["stranger"]) == (0, 0)


def test_suspects_name_the_place_of_a_stranger_on_a_known_key() -> None:
    stranger = Cell(region="ap-south-9", client="curl/8", team="t1", requests=300)
    row = slices(_many_keys().run(stranger, days=1, since=30).reader(), DAY).rows[0]
    place = {"region": "ap-south-9", "client": "curl/8"}
    assert row["scope"] == {"team": "t1", "key_id": "k1", **place}
    assert row["stranger"] == 1
    assert _float(row["old_origin_ratio"]) == pytest.approx(1, abs=0.01)


def test_suspects_tell_a_new_key_from_a_busy_one() -> None:
    row = slices(_many_keys().run(Cell(key_id="k9", team="t1"), days=1, since=30).reader(), DAY).rows[0]
    assert (row["lead"], row["new_scope"]) == ("new_entities", 1)


def test_suspects_beyond_the_limit_are_summed_up() -> None:
    builder = _many_keys(3)
    for i in range(5, 8):
        builder.run(Cell(key_id=f"k{i}", team="t1"), days=1, since=30)
    answer = slices(builder.reader(), DAY, limit=1)
    assert [row["scope"] for row in answer.rows][1:] == ["(other)"]
    assert _float(answer.rows[1]["usd"]) > 0


def test_suspects_within_a_scope_pin_it_too() -> None:
    reader = _k1(_many_keys(), input_tokens=9000).reader()
    row = slices(reader, DAY, where=Scope((("team", "t1"),))).rows[0]
    assert row["scope"] == {"team": "t1"}
    assert row["lead"] == "input_length"


def test_a_quiet_day_has_no_suspects() -> None:
    assert slices(_many_keys().reader(), DAY).facts["slices"] == 0


def test_an_empty_ledger_is_no_data() -> None:
    reader = LedgerBuilder().reader()
    answers = [breakdown(reader, DAY, by=["team"]), compare(reader, DAY), key_activity(reader, DAY)]
    answers += [hourly_series(reader, DAY), earlier_weeks(reader, DAY), switchers(reader, DAY)]
    answers += [changes(reader, DAY), effects(reader, DAY)]
    answers += [price_changes(reader, DAY), mix(reader, DAY, dimension="model"), slices(reader, DAY)]
    answers += [
        peaks(reader, DAY),
        simulate(reader, datetime(2026, 11, 5, tzinfo=UTC), where=K1, measure=Measure()),
    ]
    assert {a.status for a in answers} == {"no_data"}


@dataclass(frozen=True, slots=True)
class OnePast:
    """A history of one incident of everything."""

    def incidents_before(self, at: datetime) -> Sequence[PastIncident]:
        window = span(2)
        assert window.end_at <= at
        money = Decimal("83.70")
        return [
            PastIncident("inc_1", window, EVERYTHING, "key_leak", "confirmed", money, (), None, window.end_at)
        ]


BY_NAME = {tool.__name__: tool for tool in TOOLS}


@cache
def _company() -> Reader:
    """Several things happen at once on the day, so that most facts have a value."""
    builder = LedgerBuilder()
    for i in range(5):
        builder.run(Cell(key_id=f"k{i}", team="t1", characters_per_token=4.0), days=35)
    builder.change(DAY, lambda _, cell: replace(cell, model="gpt-mini"))
    builder.run(Cell(key_id="k8", team="t8", characters_per_token=4.0), days=35)
    builder.run(Cell(key_id="k8", team="t8", region="eu-north-9", requests=300), days=1, since=30)
    builder.run(Cell(key_id="k9", team="t9", service_tier="batch", unpriced=True), days=35)
    return remembering(builder.reader())


@cache
def _answers(name: str) -> Sequence[ToolAnswer]:
    """What a tool says of that day."""
    reader, k8 = _company(), Scope((("key_id", "k8"),))
    launch = CalendarEntry(start=DAY.start_at, end=DAY.end_at, what="launch")
    match name:
        case "breakdown":
            return [breakdown(reader, DAY, by=["key_id"], limit=2)]
        case "changes":
            return [changes(reader, DAY, calendar=[launch])]
        case "key_activity":
            return [key_activity(reader, DAY, where=k8)]
        case "mix":
            return [mix(reader, DAY, dimension="model"), mix(reader, DAY, dimension="service_tier")]
        case "onset":
            return [onset(reader, DAY, where=k8, lead="volume")]
        case "past_incidents":
            return [past_incidents(OnePast(), DAY, cause="retry_storm")]
        case "simulate":
            return [simulate(reader, DAY.end_at, where=k8, measure=Measure(block=True))]
        case _:
            simple = (compare, earlier_weeks, effects, hourly_series, peaks, price_changes, slices, switchers)
            return [ask(reader, DAY) for ask in simple if ask.__name__ == name]


def _told(name: str) -> set[str]:
    """The facts and row fields of a tool's answers; dimensions name themselves."""
    told = {field for a in _answers(name) for names in (a.facts, *a.rows) for field in names}
    return told - set(DIMENSIONS)


def _patterns(name: str) -> list[str]:
    """What a docstring puts between backticks: `<driver>_ratio` stands for every name that ends so."""
    quoted = re.findall(r"`([^`]+)`", inspect.getdoc(BY_NAME[name]) or "")
    return [re.sub(r"<\w+>", r"\\w+", re.escape(text)) for text in quoted if text != "<driver>"]


def _is_named(field: str, patterns: Sequence[str]) -> bool:
    return any(re.fullmatch(pattern, field) for pattern in patterns)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_docstring_is_a_prompt_of_a_few_sentences(name: str) -> None:
    text = inspect.getdoc(BY_NAME[name]) or ""
    assert 30 <= len(text.split()) <= 140
    assert "`no_data`:" in text


@pytest.mark.parametrize("name", BY_NAME)
def test_a_docstring_names_every_fact_and_field_of_the_answer(name: str) -> None:
    assert {a.status for a in _answers(name)} == {"ok"}
    drivers = {row.get("driver") for a in _answers(name) for row in a.rows}
    patterns = _patterns(name)
    assert {field for field in _told(name) - drivers if not _is_named(field, patterns)} == set()


@pytest.mark.parametrize("name", BY_NAME)
def test_a_docstring_names_nothing_that_is_not_there(name: str) -> None:
    """Facts without a value on that day must at least be words of the code."""
    code = "".join(path.read_text("utf-8") for path in Path(inspect.getfile(ToolAnswer)).parent.glob("*.py"))
    words = re.findall(r'"(.+?)"', code)
    arguments = [*inspect.signature(BY_NAME[name]).parameters, *(field.name for field in fields(Measure))]
    known = {*_told(name), *DIMENSIONS, *words, *arguments}
    assert [p for p in _patterns(name) if not any(re.fullmatch(p, word) for word in known)] == []
