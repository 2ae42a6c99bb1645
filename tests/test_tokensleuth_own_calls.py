"""What the investigation spends on its model is usage of team tokensleuth, counted once and to the pico."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from agent.llm.port import CallUsage, Meter, ModelCall
from ledger.own import OWN_USAGE
from ledger.prices.book import PriceBook
from ledger.prices.overrides import PriceOverride
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window
from tests.usage_builder import TestLedger, memory_ledger, usage, write
from tokensleuth.app import App
from tokensleuth.casebook import Casebook
from tokensleuth.clock import utc_now
from tokensleuth.commands import doctor
from tokensleuth.model_checks import model_spend
from tokensleuth.own_calls import FILE_NAME, CasebookMeter, settle_own_calls
from tokensleuth.settings import Settings, Store

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = Window(NOW.replace(hour=0), NOW.replace(hour=0) + timedelta(days=1))
TEAM = Scope.parse(["team=tokensleuth"])
TOKENS = CallUsage(input_tokens=12_345, cache_read_tokens=6_789, output_tokens=321, reasoning_tokens=100)


@pytest.fixture
def ledger() -> Iterator[TestLedger]:
    with memory_ledger() as opened:
        yield opened


def ask(meter: Meter, number: int, *, model: str = "gpt-4.1", at: datetime = NOW) -> ModelCall:
    """A call as the agent makes one: priced, then booked."""
    cost_pico = meter.cost_pico(model, TOKENS, at)
    call = ModelCall(
        id=f"call_{number}", incident_id="inc_1", at=at, model=model, usage=TOKENS, cost_pico=cost_pico
    )
    meter.book(call)
    return call


def settle(ledger: TestLedger, casebook: Casebook, *, app: App | None = None, now: datetime = NOW) -> int:
    return settle_own_calls(app or App(Settings()), ledger.ledger, casebook, now=now)


def loads(ledger: TestLedger) -> list[object]:
    return [source for (source,) in ledger.rows("select source from loads order by load_id")]


def tokens(calls: Sequence[ModelCall]) -> int:
    return sum(call.usage.total for call in calls)


def dollars(calls: Sequence[ModelCall]) -> int:
    return sum(call.cost_pico or 0 for call in calls)


def test_the_ledger_has_the_tokens_and_dollars_of_the_calls_to_the_pico(
    ledger: TestLedger, casebook: Casebook
) -> None:
    meter = CasebookMeter(casebook, PriceBook())
    models = ("gpt-4.1", "claude-sonnet-4-5", "deepseek-chat", "gpt-5")
    calls = [
        ask(meter, i, model=models[i % 4], at=NOW - timedelta(minutes=47 * i, microseconds=i))
        for i in range(24)
    ]
    assert settle(ledger, casebook) == 24
    window = Window(NOW - timedelta(days=2), TODAY.end_at)
    found = ledger.ledger.reader.totals([window], by=["team"])[TEAM]
    assert (found.tokens.total, found.cost_pico) == (tokens(calls), dollars(calls))
    assert (found.requests, found.reasoning_tokens, found.unpriced_tokens) == (24, 2400, 0)
    assert dollars(calls) == meter.spent_pico(window.start_at) > 0


def test_a_price_that_depends_on_the_hour_is_that_of_the_call(casebook: Casebook) -> None:
    meter = CasebookMeter(casebook, PriceBook())
    prices = {meter.cost_pico("deepseek-chat", TOKENS, NOW.replace(hour=hour)) for hour in range(24)}
    assert len(prices) == 2


def test_the_rows_name_team_client_and_feature(ledger: TestLedger, casebook: Casebook) -> None:
    ask(CasebookMeter(casebook, PriceBook()), 1)
    settle(ledger, casebook)
    names = ledger.rows("select provider, model, team, given_team, feature, client, key_id from scopes")
    ours = "tokensleuth"
    assert names == [("openai", "gpt-4.1", ours, ours, "investigation", ours, "UNALLOCATED")]
    assert ledger.rows("select billed from usage_hourly") == [(False,)]


def test_settling_again_changes_nothing_and_loads_nothing(ledger: TestLedger, casebook: Casebook) -> None:
    meter = CasebookMeter(casebook, PriceBook())
    ask(meter, 1)
    assert [settle(ledger, casebook) for _ in range(3)] == [1, 0, 0]
    ask(meter, 2)
    assert [settle(ledger, casebook) for _ in range(2)] == [1, 0]
    assert loads(ledger) == [FILE_NAME, FILE_NAME]
    assert ledger.totals()[:2] == (2, 2)


def test_without_a_call_nothing_is_loaded(ledger: TestLedger, casebook: Casebook) -> None:
    assert settle(ledger, casebook) == 0
    assert loads(ledger) == []


def test_a_call_booked_before_a_crash_is_settled_by_the_next_command(
    casebook_url: str, ledger: TestLedger, casebook: Casebook
) -> None:
    ask(CasebookMeter(casebook, PriceBook()), 1, at=NOW - timedelta(days=9))
    with Casebook.open(casebook_url, key=casebook.key) as next_one:
        ask(CasebookMeter(next_one, PriceBook()), 2)
        assert settle(ledger, next_one) == 2


def test_a_call_another_process_booked_late_is_not_lost(ledger: TestLedger, casebook: Casebook) -> None:
    meter = CasebookMeter(casebook, PriceBook())
    ask(meter, 1)
    settle(ledger, casebook)
    ask(meter, 2, at=NOW - timedelta(hours=3))
    ask(meter, 3, at=NOW - timedelta(seconds=1))
    assert settle(ledger, casebook) == 2


def test_a_ledger_made_anew_gets_all_calls_again(ledger: TestLedger, casebook: Casebook) -> None:
    meter = CasebookMeter(casebook, PriceBook())
    for number in range(3):
        ask(meter, number, at=NOW - timedelta(days=100 * number))
    settle(ledger, casebook)
    with memory_ledger() as anew:
        assert settle(anew, casebook) == 3
        assert anew.totals() == ledger.totals()


def test_a_call_ahead_of_the_clock_waits_for_its_hour(ledger: TestLedger, casebook: Casebook) -> None:
    ask(CasebookMeter(casebook, PriceBook()), 1, at=NOW + timedelta(hours=2))
    assert settle(ledger, casebook) == 0
    assert settle(ledger, casebook, now=NOW + timedelta(hours=2)) == 1


def test_a_model_nobody_prices_is_unpriced_and_not_free(ledger: TestLedger, casebook: Casebook) -> None:
    meter = CasebookMeter(casebook, PriceBook())
    call = ask(meter, 1, model="our-own-llama")
    settle(ledger, casebook)
    found = ledger.ledger.reader.totals([TODAY], where=OWN_USAGE)[EVERYTHING]
    assert (call.cost_pico, meter.spent_pico(TODAY.start_at)) == (None, 0)
    assert (found.cost_pico, found.unpriced_tokens) == (0, call.usage.total)
    assert settle(ledger, casebook) == 0


def test_an_unpriced_model_that_used_no_tokens_cost_nothing(casebook: Casebook) -> None:
    assert CasebookMeter(casebook, PriceBook()).cost_pico("our-own-llama", CallUsage(), NOW) == 0


def test_a_class_without_a_price_adds_nothing_here_as_in_the_ledger(
    ledger: TestLedger, casebook: Casebook
) -> None:
    terms = PriceOverride(
        model="our-own-llama",
        token_class="input",  # noqa: S106
        kind="usd_per_mtok",
        value=Decimal("0.4"),
        valid_from=date(2026, 1, 1),
        source="test",
    )
    app = App(Settings(price_override=(terms,)))
    call = ask(CasebookMeter(casebook, app.price_book()), 1, model="our-own-llama")
    settle(ledger, casebook, app=app)
    found = ledger.ledger.reader.totals([TODAY], where=OWN_USAGE)[EVERYTHING]
    assert call.cost_pico == found.cost_pico == 12_345 * 400_000
    assert found.unpriced_tokens == 6_789 + 321


def test_the_provider_is_the_maker_unless_another_one_is_paid(casebook: Casebook) -> None:
    ask(CasebookMeter(casebook, PriceBook()), 1)
    ask(CasebookMeter(casebook, PriceBook(), provider="azure"), 2)
    ask(CasebookMeter(casebook, PriceBook()), 3, model="our-own-llama")
    assert [booked.provider for booked in casebook.model_calls()] == ["openai", "azure", "UNALLOCATED"]


def test_reasoning_that_a_server_counts_beside_the_answer_is_still_taken(
    ledger: TestLedger, casebook: Casebook
) -> None:
    counted = CallUsage(output_tokens=10, reasoning_tokens=90)
    call = ModelCall(id="c", incident_id="i", at=NOW, model="gpt-4.1", usage=counted, cost_pico=80_000_000)
    CasebookMeter(casebook, PriceBook()).book(call)
    assert settle(ledger, casebook) == 1


def test_own_usage_of_today_does_not_move_the_extent_of_the_organisations_data(
    tmp_path: Path, ledger: TestLedger, casebook: Casebook
) -> None:
    ledger.load(write(tmp_path / "a.csv", [usage(), usage("2026-11-02T09:00:00Z")]))
    before = ledger.ledger.reader.extent()
    for number in range(3):
        ask(CasebookMeter(casebook, PriceBook()), number, at=NOW - timedelta(days=100 * number))
    assert settle(ledger, casebook) == 3
    assert ledger.ledger.reader.extent() == before


def test_a_ledger_of_nothing_but_own_usage_has_its_extent(ledger: TestLedger, casebook: Casebook) -> None:
    ask(CasebookMeter(casebook, PriceBook()), 1)
    settle(ledger, casebook)
    assert ledger.ledger.reader.extent() == Window(NOW, NOW + timedelta(hours=1))


def test_the_doctor_tells_what_the_model_cost_today(casebook: Casebook) -> None:
    meter = CasebookMeter(casebook, PriceBook())
    calls = [ask(meter, 1), ask(meter, 2, model="our-own-llama")]
    found = model_spend(calls, 10.0)
    assert found.status == "ok"
    assert found.detail == "2 calls today, $0.03 of $10.00 a day; 1 unpriced calls do not count"
    assert model_spend(calls, 0.03).status == "warn"
    assert model_spend([], 0.0).status == "ok"


def test_the_doctor_tells_the_spend_of_a_model_even_when_it_is_gone(tmp_path: Path) -> None:
    app = App(Settings(store=Store(ledger=tmp_path / "l.duckdb")))
    with app.casebook() as casebook:
        ask(CasebookMeter(casebook, PriceBook()), 1, at=utc_now())
    checks = {c["name"]: c["detail"] for c in doctor.run(app).document["checks"]}  # type: ignore[attr-defined]
    assert checks["model"] == "none: llm.model is not set, so the rules work alone"
    assert checks["model spend"].startswith("1 calls today")
