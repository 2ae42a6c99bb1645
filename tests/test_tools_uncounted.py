"""Sources that report tokens and no requests: split by tokens, and silent on what requests would tell."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.reader import Reader
from ledger.remembered import remembering
from ledger.scope import EVERYTHING, Scope
from ledger.usage import Measures, TokenCounts
from tests.ledger_builder import Cell, LedgerBuilder, Use, at, leaves_of, side_of, span, use
from tools.breakdown import breakdown
from tools.compare import compare
from tools.drivers import driver_facts
from tools.earlier_weeks import earlier_weeks
from tools.effects import effects
from tools.factors import work_of
from tools.key_activity import key_activity
from tools.mix import mix
from tools.onset import onset
from tools.peaks import peaks
from tools.simulate import Measure, simulate
from tools.slices import slices
from tools.split import Weights, split_sides
from tools.switchers import switchers

DAY = span(30)
SILENT = Cell(counted=False, cache_read_tokens=500)
COUNTED = Cell(key_id="k2", team="ads")
K1, K2 = Scope((("key_id", "k1"),)), Scope((("key_id", "k2"),))


def changed(*cells: Cell, **changes: object) -> Reader:
    """Some scopes, and k1 changed on the last day."""

    def how(_: datetime, cell: Cell) -> Cell:
        return replace(cell, **changes) if cell.key_id == "k1" else cell  # type: ignore[arg-type]

    builder = LedgerBuilder()
    for cell in cells:
        builder.run(cell, days=31)
    return builder.change(DAY, how).reader()


def grown(*cells: Cell) -> Reader:
    """The same with eight times the use of k1."""

    def how(_: datetime, cell: Cell) -> Cell:
        return replace(cell, requests=8 * cell.requests) if cell.key_id == "k1" else cell

    builder = LedgerBuilder()
    for cell in cells:
        builder.run(cell, days=31)
    return builder.change(DAY, how).reader()


def usd(reader: Reader, where: Scope = EVERYTHING) -> dict[str, Decimal]:
    rows = effects(reader, DAY, where=where).rows
    return {str(r["effect"]): Decimal(str(r["usd"])) for r in rows if r["usd"]}


@pytest.mark.parametrize(
    ("uncounted", "tokens", "known"),
    [(0, 0, True), (0, 100, True), (1, 100, True), (2, 100, False), (100, 100, False)],
)
def test_requests_are_known_but_for_a_trifle_of_the_tokens(uncounted: int, tokens: int, known: bool) -> None:
    measures = Measures(requests=7, tokens=TokenCounts(input=tokens), uncounted_tokens=uncounted)
    assert measures.requests_known is known
    assert measures.known_requests == (7 if known else None)


@pytest.mark.parametrize("remembered", [False, True])
def test_the_ledger_tells_tokens_that_came_without_requests(remembered: bool) -> None:
    reader = changed(SILENT, COUNTED)
    both = remembering(reader) if remembered else reader
    found = {s.as_dict()["key_id"]: m for s, m in both.totals([DAY], by=("key_id",)).items()}
    assert found["k1"].uncounted_tokens == found["k1"].tokens.total > 0
    assert (found["k1"].requests, found["k2"].uncounted_tokens) == (0, 0)


def test_more_tokens_of_the_same_mix_are_volume() -> None:
    told = usd(grown(SILENT, COUNTED))
    assert told["volume"] > 0
    assert {
        n: v for n, v in told.items() if n != "volume" and abs(v) > Decimal("0.05") * told["volume"]
    } == {}


@pytest.mark.parametrize(
    ("changes", "effect"),
    [
        ({"output_tokens": 700}, "output_length"),
        ({"output_tokens": 60}, "output_length"),
        ({"input_tokens": 6000, "cache_read_tokens": 3000}, "input_length"),
        ({"input_tokens": 1500, "cache_read_tokens": 0}, "cache"),
    ],
)
def test_what_moves_one_text_alone_is_told_by_tokens(changes: dict[str, object], effect: str) -> None:
    told = usd(changed(SILENT, COUNTED, **changes))
    assert max(told, key=lambda name: abs(told[name])) == effect
    assert abs(told.get("volume", Decimal())) < Decimal("0.1") * abs(told[effect])


def test_effects_of_a_mixture_add_up_and_tell_what_came_without_requests() -> None:
    reader = grown(SILENT, COUNTED)
    facts = effects(reader, DAY).facts
    assert sum(usd(reader).values()) == facts["delta_usd"]
    assert facts["uncounted_usd"] == effects(reader, DAY, where=K1).facts["actual_usd"]
    assert "uncounted_usd" not in effects(reader, DAY, where=K2).facts


def test_a_leaf_with_counts_keeps_them_beside_one_without() -> None:
    alone = usd(changed(COUNTED), K2)
    longer = LedgerBuilder().run(SILENT, days=31).run(COUNTED, days=31)
    longer.change(DAY, lambda _, c: replace(c, output_tokens=700) if c.key_id == "k2" else c)
    told = usd(longer.reader(), K2)
    assert alone == {}
    assert max(told, key=lambda name: abs(told[name])) == "output_length"
    assert told.get("volume", Decimal()) == 0


def test_a_source_that_stops_counting_is_compared_by_tokens() -> None:
    told = usd(changed(replace(SILENT, counted=True), COUNTED, counted=False))
    assert told == {}


def test_work_does_not_move_between_what_is_counted_and_what_is_not() -> None:
    scopes = [{"key_id": "k1", "model": "a"}, {"key_id": "k1", "model": "b"}]
    silent = Use(0, cost_pico=900, tokens=(1000, 0, 0, 0, 100))
    leaves = leaves_of(scopes, [use(100), Use()], [Use(), silent])  # type: ignore[arg-type]
    ones = np.ones((2, 5))
    parts = split_sides(
        leaves, leaves.before, leaves.after, Weights(ones, ones), entity=np.zeros(2, dtype=bool)
    )
    assert (parts.sum(axis=0) == leaves.change_pico).all()
    assert not parts[4].any()


tokens = st.tuples(*[st.integers(0, 10**6)] * 5)


@given(tokens, tokens)
def test_the_work_of_uncounted_tokens_lies_between_those_of_its_texts(
    before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    was, now = (side_of([Use(0, tokens=t)]) for t in (before, after))
    work = work_of(was, now)
    assert work.before[0] == sum(before)
    assert (work.after[0] > 0) == (sum(after) > 0)
    sent, answered = sum(after[:4]) / max(sum(before[:4]), 1), after[4] / max(before[4], 1)
    if sum(before[:4]) and before[4] and sum(after[:4]) and after[4]:
        growth = work.after[0] / work.before[0]
        assert min(sent, answered, 1) <= growth * (1 + 1e-9)
        assert growth <= max(sent, answered, 1) * (1 + 1e-9)


@pytest.mark.parametrize("where", [K1, EVERYTHING])
def test_nothing_is_told_per_request_of_a_scope_with_such_a_source(where: Scope) -> None:
    reader = grown(SILENT, replace(COUNTED, failed=5, retried=5))
    facts = {**compare(reader, DAY, where=where).facts, **key_activity(reader, DAY, where=where).facts}
    assert facts["requests_unknown"] == 1
    told = [n for n in facts if "per_request" in n or "failed" in n or "retried" in n or "requests" in n]
    assert told == ["requests_unknown"]
    assert float(str(facts["tokens_ratio"])) > 2


def test_a_scope_with_counts_is_told_as_ever() -> None:
    facts = compare(grown(SILENT, COUNTED), DAY, where=K2).facts
    assert "requests_unknown" not in facts
    assert facts["requests_ratio"] == pytest.approx(1, abs=0.1)


def test_rows_leave_requests_open() -> None:
    reader = grown(SILENT, COUNTED)
    rows = {r["key_id"]: r for r in breakdown(reader, DAY, by=["key_id"]).rows}
    assert rows["k1"]["requests"] is rows["k1"]["mean_requests"] is None
    assert isinstance(rows["k2"]["requests"], int)
    assert key_activity(reader, DAY, where=K1).rows[0]["failed_requests"] is None
    assert mix(reader, DAY, dimension="model", where=K1).rows[0]["requests"] is None
    week = earlier_weeks(reader, DAY, where=K1).rows[0]
    assert week["requests"] is week["tokens_per_request"] is None


def test_slices_say_that_requests_are_unknown() -> None:
    row = slices(grown(SILENT, COUNTED), DAY).rows[0]
    assert (row["requests_unknown"], row["lead"]) == (1, "volume")
    assert not [name for name in row if "per_request" in name or name == "requests_ratio"]


def test_a_common_factor_is_told_by_keys_with_counts() -> None:
    scopes = [{"key_id": "k1"}, {"key_id": "k2"}]
    silent = Use(0, tokens=(5000, 0, 0, 0, 5))
    leaves = leaves_of(scopes, [use(10), silent], [use(10, sent=2000, answered=400), silent])  # type: ignore[arg-type]
    facts = driver_facts(leaves, np.array([True, True]))
    assert (facts["keys"], facts["common_length_ratio"], facts["requests_unknown"]) == (2, 2.0, 1)


def test_the_shape_of_the_day_is_read_from_tokens() -> None:
    facts = key_activity(grown(SILENT, COUNTED), DAY, where=K1).facts
    assert float(str(facts["shape"])) > 0.9
    assert facts["active_hours_share"] == 1


def test_moves_between_models_are_shares_of_tokens() -> None:
    reader = changed(SILENT, COUNTED, model="gpt-mini")
    facts = mix(reader, DAY, dimension="model", where=K1).facts
    assert (facts["moved_share"], facts["switchers"]) == (1, 1)
    assert "cost_per_request_ratio" not in facts
    assert switchers(reader, DAY, where=K1).status == "no_data"


def test_the_onset_is_told_in_tokens() -> None:
    found = onset(grown(SILENT, COUNTED), DAY, where=K1, lead="volume")
    assert found.facts["driver"] == "tokens per hour"
    assert (
        onset(grown(COUNTED, replace(COUNTED, key_id="k1")), DAY, where=K1, lead="volume").facts["driver"]
        == "requests per hour"
    )


def test_peaks_are_told_in_tokens_alone() -> None:
    facts = peaks(grown(SILENT, COUNTED), DAY, where=K1).facts
    assert facts["peak_tokens_per_hour"]
    assert not [name for name in facts if "requests" in name]


def test_how_many_requests_a_limit_refuses_is_left_open() -> None:
    facts = simulate(grown(SILENT, COUNTED), at(31), where=K1, measure=Measure(tokens_per_minute=3000)).facts
    assert float(str(facts["saving_usd_per_day"])) > 0
    assert facts["hours_limited"]
    assert not {"requests_per_day", "requests_refused_per_day"} & set(facts)


def test_a_limit_on_requests_tells_no_saving() -> None:
    facts = simulate(grown(SILENT), at(31), where=K1, measure=Measure(requests_per_minute=1)).facts
    assert not {"saving_usd_per_day", "requests_refused_per_day", "hours_limited"} & set(facts)


def test_a_cheaper_model_refuses_nothing_whatever_is_counted() -> None:
    facts = simulate(grown(SILENT), at(31), where=K1, measure=Measure(price_ratio=0.5)).facts
    assert facts["requests_refused_per_day"] == 0
