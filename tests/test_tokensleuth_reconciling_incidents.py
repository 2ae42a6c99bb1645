"""Differences as incidents: of the contract, one for days of one reason, updated, settled, never doubled."""

import tomllib
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.prices.overrides import PriceOverride
from ledger.window import instant_text
from tests.cli_runner import contract_errors
from tests.reconciling_cases import (
    BIG,
    CLAUDE,
    NOW,
    SMALL,
    TOKENS,
    Books,
    books_in,
    day,
    days,
    of_day,
    usd_by_class,
    varied,
)
from tokensleuth.casebook import Casebook, JsonObject
from tokensleuth.casebook.records import InvestigationRecord
from tokensleuth.reconciling.reconciled import reconciled_incidents, save_and_list
from tools.split import EFFECTS

DAY = of_day(TOKENS)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with books_in(tmp_path) as found:
        yield found


def dear(books: Books, *numbers: int, usd: float = 40) -> None:
    """Days on which the bill is so much above ours, for no reason."""
    for number in numbers:
        books.use(BIG, day(number))
        books.bill("openai", day(number), BIG, sum(usd_by_class(BIG, DAY)) + Decimal(str(usd + number)))
    books.pull()


def incidents(books: Books, casebook: Casebook, number: int = 7) -> list[InvestigationRecord]:
    return reconciled_incidents(books.ledger, books.parts(), casebook, days(0, number), NOW)


def saved(books: Books, casebook: Casebook, first: int = 0, count: int = 7) -> list[JsonObject]:
    found = save_and_list(books.ledger, books.parts(), casebook, days(first, count), NOW)
    return [dict(record.incident) for record in found]


def summed(incident: JsonObject) -> Decimal:
    effects = cast(list[JsonObject], incident["effects"])
    assert [effect["name"] for effect in effects] == list(EFFECTS)
    return sum((Decimal(str(effect["usd"])) for effect in effects), Decimal())


def of_contract(incident: JsonObject) -> None:
    window = {name: incident[name] for name in ("start_at", "end_at")}
    document = {
        "range": window, "detected": 1, "material_usd": "0.00", "incidents": [incident], "unpriced_tokens": 0,
        "unpriced_models": [], "unpriced_spikes": [],
    }  # fmt: skip
    assert list(contract_errors("investigate", document)) == []


def test_consecutive_days_of_one_reason_are_one_incident(books: Books, casebook: Casebook) -> None:
    dear(books, 0, 1, 2, 4)
    books.use(BIG, day(3))
    books.bill_tokens(BIG, day(3), DAY)
    books.pull()
    found = incidents(books, casebook)
    starts = [record.incident["start_at"] for record in found]
    assert starts == [instant_text(days(0).start_at), instant_text(days(4).start_at)]
    assert found[0].incident["end_at"] == instant_text(days(3).start_at)


def test_an_incident_is_one_of_the_contract_and_adds_up_to_the_cent(books: Books, casebook: Casebook) -> None:
    dear(books, 0, 1)
    (record,) = incidents(books, casebook)
    incident = dict(record.incident)
    of_contract(incident)
    assert (incident["kind"], incident["reason"]) == ("reconciliation", "unexplained")
    assert (incident["verdict"], incident["cause"]) == ("accounting_artifact", "accounting_artifact")
    assert Decimal(str(incident["delta_usd"])) == Decimal("-81.00") == summed(incident)
    assert incident["unsupported_claims"] == 0


def test_the_rows_of_both_sides_are_evidence(books: Books, casebook: Casebook) -> None:
    dear(books, 0, 1)
    (record,) = saved(books, casebook)
    listed = cast(list[JsonObject], record["evidence"])
    stored = casebook.evidence(str(listed[1]["id"]))
    assert stored is not None
    rows = cast(list[JsonObject], stored["rows"])
    assert [row["day"] for row in rows] == ["2026-11-02", "2026-11-03"]
    assert {"billed_usd", "ledger_usd", "difference_usd", "lines", "output_tokens"} <= rows[0].keys()


def test_a_second_run_updates_and_never_doubles(books: Books, casebook: Casebook) -> None:
    dear(books, 0, 1)
    first = saved(books, casebook)
    assert saved(books, casebook) == first
    assert len(casebook.incidents(now=NOW)) == 1


def test_one_that_goes_on_keeps_its_id_whatever_the_window(books: Books, casebook: Casebook) -> None:
    dear(books, 0, 1)
    (before,) = saved(books, casebook)
    dear(books, 2, 3)
    (after,) = saved(books, casebook, first=1, count=6)
    assert after["id"] == before["id"]
    assert after["start_at"] == before["start_at"]
    assert len(casebook.incidents(now=NOW)) == 1


def test_one_that_loses_its_first_day_keeps_its_id(books: Books, casebook: Casebook) -> None:
    dear(books, 0, 1)
    (before,) = saved(books, casebook)
    books.lines["openai", day(0)] = []
    books.bill_tokens(BIG, day(0), DAY)
    books.pull()
    (after,) = saved(books, casebook)
    assert after["id"] == before["id"]
    assert after["start_at"] == instant_text(days(1).start_at)


def test_a_gap_that_has_vanished_is_told_as_settled_once(books: Books, casebook: Casebook) -> None:
    dear(books, 0)
    (before,) = saved(books, casebook)
    books.lines["openai", day(0)] = []
    books.bill_tokens(BIG, day(0), DAY)
    books.pull()
    (after,) = saved(books, casebook)
    of_contract(after)
    assert after["id"] == before["id"]
    assert (after["verdict"], after["cause"], after["settled"]) == ("benign", "normal_variation", True)
    assert (after["delta_usd"], summed(after)) == ("0.00", Decimal())
    assert saved(books, casebook) == []


def test_nothing_is_settled_while_its_days_cannot_be_judged(books: Books, casebook: Casebook) -> None:
    dear(books, 0)
    saved(books, casebook)
    books.ledger.pulled.connection.execute("delete from provider_costs")
    assert saved(books, casebook) == []
    (kept,) = casebook.incidents(now=NOW)
    assert kept["verdict"] == "accounting_artifact"


def contract(books: Books) -> None:
    for number in range(3):
        for model in (BIG, SMALL):
            tokens = varied(TOKENS, number + (model == SMALL))
            books.use(model, day(number), tokens)
            books.bill_tokens(model, day(number), of_day(tokens), factor=0.85)
    books.pull()


def test_a_contract_is_one_incident_with_its_models_as_culprits(books: Books, casebook: Casebook) -> None:
    contract(books)
    (record,) = incidents(books, casebook)
    incident = dict(record.incident)
    of_contract(incident)
    assert incident["scope"] == {"provider": "openai"}
    culprits = cast(list[JsonObject], incident["culprits"])
    assert [cast(JsonObject, c["scope"])["model"] for c in culprits] == [BIG, SMALL]
    assert sum(Decimal(str(c["delta_usd"])) for c in culprits) == Decimal(str(incident["delta_usd"]))
    (proposal,) = cast(list[JsonObject], incident["proposals"])
    assert proposal["action"] == "fix_price"


def test_the_lines_to_add_make_the_ledger_agree(books: Books, casebook: Casebook) -> None:
    contract(books)
    (record,) = incidents(books, casebook)
    tables = tomllib.loads(str(record.incident["price_overrides"]))["price_override"]
    overrides = [PriceOverride.model_validate(table) for table in tables]
    book = books.parts(overrides).book
    books.ledger.reprice(book, now=NOW.replace(tzinfo=None), apply=True)
    found = books.reconciled(overrides=overrides)
    assert {judged.status for judged in found.judged} == {"agrees"}


def test_a_discount_beside_an_override_is_told_off_the_list(books: Books) -> None:
    ten = PriceOverride.model_validate(
        {"model": "*", "kind": "percent_off", "value": 10, "valid_from": day(0), "source": "old contract"}
    )
    books.book = books.parts([ten]).book
    contract(books)
    (run,) = books.reconciled(overrides=[ten]).runs
    assert [f"{o.kind} {o.value:f}" for o in run.overrides] == ["percent_off 15"]


@pytest.mark.parametrize("factor", [0.5, 0.871])
def test_only_what_a_price_can_fix_is_proposed(books: Books, casebook: Casebook, factor: float) -> None:
    books.use(CLAUDE, day(0))
    books.bill("anthropic", day(0), CLAUDE, sum(usd_by_class(CLAUDE, DAY)) * Decimal(str(factor)))
    books.pull()
    (record,) = incidents(books, casebook)
    assert record.incident["proposals"] == []


def test_names_from_a_bill_are_not_read_as_markdown(books: Books, casebook: Casebook) -> None:
    books.use(BIG, day(0))
    books.bill("openai", day(0), "**[x](http://evil)**`, output", 50)
    books.bill_tokens(BIG, day(0), DAY)
    books.pull()
    (record,) = incidents(books, casebook)
    assert "[x](http://evil)" not in str(record.incident["report"])


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(off=st.lists(st.integers(-150_000_000, 150_000_000), min_size=1, max_size=5))
def test_effects_always_add_up_to_the_difference(
    tmp_path_factory: pytest.TempPathFactory, casebook: Casebook, off: list[int]
) -> None:
    """Millionths of a dollar, so that cents are rounded every way."""
    with books_in(tmp_path_factory.mktemp("sums")) as books:
        for number, more in enumerate(off):
            usd = sum(usd_by_class(BIG, DAY)) + Decimal(more) / 1_000_000
            books.use(BIG, day(number))
            books.bill("openai", day(number), BIG, usd)
        books.pull()
        for record in incidents(books, casebook):
            incident = dict(record.incident)
            delta = Decimal(str(incident["actual_usd"])) - Decimal(str(incident["expected_usd"]))
            assert summed(incident) == Decimal(str(incident["delta_usd"])) == delta


def test_days_wait_until_both_sides_are_whole(books: Books) -> None:
    dear(books, 0, 1)
    early = books.reconciled(now=days(1).start_at + timedelta(hours=3))
    assert not early.judged
    assert "costs may still change until 2026-11-04 00:00 UTC" in {each.why for each in early.waiting}
    connection = books.ledger.pulled.connection
    connection.execute(
        "update pulled_streams set complete_until = '2026-11-03 12:00' where stream = 'completions'"
    )
    late = books.reconciled()
    assert {judged.item.day for judged in late.judged} == {day(0)}
    why = {each.day: each.why for each in late.waiting if each.provider == "openai"}
    assert why[day(1)] == "usage of openai completions is complete until 2026-11-03 12:00 UTC"


def test_a_day_without_any_line_waits_for_its_bill(books: Books) -> None:
    dear(books, 0)
    books.use(BIG, day(1))
    found = books.reconciled()
    assert {judged.item.day for judged in found.judged} == {day(0)}
    assert "the provider has told no costs of this day" in {each.why for each in found.waiting}


def test_lines_that_are_no_tokens_are_told_apart_and_are_no_gap(books: Books) -> None:
    books.use(BIG, day(0))
    books.bill_tokens(BIG, day(0), DAY)
    books.bill("openai", day(0), "web search tool calls", 75)
    books.bill("openai", day(0), "a mystery", 12)
    books.pull()
    found = books.reconciled()
    assert [judged.status for judged in found.judged] == ["agrees"]
    assert [aside.line_item for aside in found.sides.not_token_usage] == ["web search tool calls"]
    assert [aside.line_item for aside in found.sides.unmapped] == ["a mystery"]
