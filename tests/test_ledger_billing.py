"""Every kind of bill is counted once: totals of the samples by hand, and what no bill may do to them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.billing import billing_summary
from ledger.bills import BILLING_KINDS, BillingKind
from ledger.grants import CreditGrant
from ledger.money import usd_from_pico
from ledger.owners import OwnerRule
from ledger.window import Window
from tests.billing_cases import NAMES, OCTOBER, PICO, SAMPLES, billed, sample_rows, summary, write_bill
from tests.usage_builder import TestLedger, memory_ledger, usage, write

DATASET = [
    ("tokens", {"tokens": ("4.5", "4.5"), "other": ("1.23", "1.23")}),
    ("copilot", {"tokens": ("0", "0"), "credits": ("15", "965"), "seats": ("950", "0")}),
    ("watsonx", {"resource_units": ("1.90006", "1.90006")}),
    ("seats", {"seats": ("3000", "200")}),
    ("provisioned", {"tokens": ("0.25", "0.25"), "commitments": ("72000", "100")}),
    ("promo", {"promo": ("-35.5", "-35.5")}),
    ("prepaid", {"tokens": ("0", "0"), "credits": ("4000", "15")}),
]
"""Billed and effective dollars of each sample by kind, added by hand from its rows."""


def kinds(ledger: TestLedger, window: Window = OCTOBER) -> dict[BillingKind, tuple[Decimal, Decimal]]:
    return {
        kind: (usd_from_pico(of.billed_pico), usd_from_pico(of.effective_pico))
        for kind, of in summary(ledger, window).by_kind.items()
    }


def quantities(*values: Decimal | None) -> list[Decimal | None]:
    return list(values)


def file_sums(*names: str) -> tuple[Decimal, Decimal]:
    """BilledCost and EffectiveCost of the rows as they stand in the files."""
    rows = [row for name in names for row in sample_rows(name)]
    billed_cost = sum((Decimal(row["BilledCost"]) for row in rows), Decimal(0))
    return billed_cost, sum((Decimal(row["EffectiveCost"]) for row in rows), Decimal(0))


@pytest.mark.parametrize(("name", "expected"), DATASET)
def test_each_kind_of_bill_has_the_dollars_of_its_rows(
    name: str, expected: dict[BillingKind, tuple[str, str]]
) -> None:
    with billed(name) as ledger:
        found = kinds(ledger)
    assert found == {kind: (Decimal(a), Decimal(b)) for kind, (a, b) in expected.items()}


def test_all_together_are_the_sum_of_the_files() -> None:
    with billed() as ledger:
        found = summary(ledger)
    assert usd_from_pico(found.billed_pico) == file_sums(*NAMES)[0] == Decimal("79937.38006")
    assert usd_from_pico(found.effective_pico) == file_sums(*NAMES)[1] == Decimal("1252.38006")
    assert not found.warnings


def test_usage_and_what_stands_beside_it_are_the_effective_cost_of_everything() -> None:
    with billed() as ledger:
        usage_pico = sum(m.cost_pico for m in ledger.ledger.reader.totals([OCTOBER]).values())
        found = summary(ledger)
    assert usage_pico + found.beside_usage_pico == found.effective_pico
    assert usd_from_pico(usage_pico) == Decimal("24.75")


def test_sums_by_kind_provider_and_team_are_those_of_the_lines() -> None:
    with billed() as ledger:
        found = summary(ledger)
    for sums in (found.by_kind, found.by_provider, found.by_team):
        assert sum(of.billed_pico for of in sums.values()) == found.billed_pico
        assert sum(of.effective_pico for of in sums.values()) == found.effective_pico
    assert set(found.by_kind) == set(BILLING_KINDS)


def test_loading_all_bills_again_changes_nothing() -> None:
    with billed() as ledger:
        before = summary(ledger)
        for name in NAMES:
            again = ledger.load(SAMPLES / f"{name}.csv", as_format="focus")
            assert (again.new, again.restated) == (0, 0)
        assert summary(ledger) == before


def test_a_pool_knows_what_was_granted_drawn_and_billed_beyond_it() -> None:
    with billed("copilot", "prepaid") as ledger:
        copilot, codex = summary(ledger).pools
    assert (copilot.currency, copilot.used_share, codex.currency) == ("AIC", 1.0, "CDX")
    assert quantities(copilot.granted, copilot.drawn, copilot.overage, copilot.remaining) == [
        95_000, 96_500, 1500, 0,
    ]  # fmt: skip
    assert usd_from_pico(copilot.overage_billed_pico) == 15
    assert quantities(codex.granted, codex.remaining, codex.overage) == [100_000, 99_625, 0]


def test_a_pool_is_of_the_month_to_date_whatever_the_window() -> None:
    week = Window(datetime(2026, 10, 6, tzinfo=UTC), datetime(2026, 10, 7, tzinfo=UTC))
    with billed("copilot") as ledger:
        (pool,) = summary(ledger, week).pools
        assert kinds(ledger, week) == {"credits": (Decimal(15), Decimal(765))}
        before = Window(datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 10, 6, tzinfo=UTC))
        (earlier,) = summary(ledger, before).pools
    assert quantities(pool.granted, pool.drawn) == [95_000, 96_500]
    assert quantities(earlier.granted, earlier.drawn, earlier.remaining) == [95_000, 20_000, 75_000]


def test_terms_of_the_settings_grant_what_no_bill_says() -> None:
    grants = [
        CreditGrant(provider="ibm", currency="WRU", credits_per_month=Decimal(5000), valid_from=at)
        for at in (date(2026, 1, 1), date(2026, 10, 1), date(2026, 10, 2))
    ]
    with billed("watsonx") as ledger:
        (pool,) = billing_summary(ledger.ledger.reader, OCTOBER, grants=grants).pools
        (unknown,) = summary(ledger).pools
    assert pool.granted == 10_000
    assert (unknown.granted, unknown.remaining, unknown.used_share) == (None, None, None)


def test_a_commitment_shows_what_was_used_and_what_was_wasted() -> None:
    with billed("provisioned") as ledger:
        (found,) = summary(ledger).commitments
    assert (found.unit, found.utilisation) == ("PTU-Hours", 0.6)
    assert quantities(found.purchased, found.used, found.unused) == [72_000, 60, 40]
    assert [found.used_pico, found.unused_pico] == [60 * PICO, 40 * PICO]


def test_tokens_under_a_commitment_are_usage_that_costs_nothing() -> None:
    with billed("provisioned") as ledger:
        by_tier = "select service_tier, sum(tokens), sum(cost) from spend group by 1 order by 1"
        assert ledger.rows(by_tier) == [
            ("provisioned", 2_000_000, 0), ("standard", 100_000, 250_000_000_000),
        ]  # fmt: skip


def test_resource_units_are_a_thousand_tokens_each_where_the_bill_counts_in_them() -> None:
    with billed("watsonx") as ledger:
        assert summary(ledger).by_kind["resource_units"].tokens == 4_000_000


def test_the_owner_map_gives_a_team_to_charges_that_name_none() -> None:
    with billed("copilot", owners=(OwnerRule(team="platform", project="acme"),)) as ledger:
        assert set(summary(ledger).by_team) == {"platform"}


def test_a_change_of_the_invoice_alone_is_a_restatement(tmp_path: Path) -> None:
    rows = [row | {"BilledCost": str(Decimal(row["BilledCost"]) + 1)} for row in sample_rows("prepaid")]
    changed = write_bill(tmp_path / "prepaid.csv", rows)
    with billed("prepaid") as ledger:
        result = ledger.load(changed, as_format="focus")
        assert (result.new, result.duplicate, result.restated) == (0, 0, 2)
        assert kinds(ledger)["credits"] == (Decimal(4002), Decimal(15))


def test_purchases_that_are_amortised_twice_are_warned_of(tmp_path: Path) -> None:
    rows = sample_rows("seats")
    rows[0]["EffectiveCost"] = "3000"
    path = write_bill(tmp_path / "seats.csv", rows)
    with memory_ledger() as ledger:
        ledger.load(path, as_format="focus")
        (warning,) = summary(ledger).warnings
    assert warning.startswith("azure: purchases of seats carry an effective cost")


def test_the_same_bill_from_a_source_and_from_a_file_is_warned_of(tmp_path: Path) -> None:
    rows = [
        row | {"x_Source": "copilot", "ChargeDescription": f"{row['ChargeDescription']}, pulled"}
        for row in sample_rows("copilot")
        if row["ConsumedUnit"] == "AI Credits"
    ]
    path = write_bill(tmp_path / "pulled.csv", rows)
    with billed("copilot") as ledger:
        ledger.load(path, as_format="focus")
        warnings = summary(ledger).warnings
    assert len(warnings) == 1
    assert "credits of 2 days (2026-10-05 to 2026-10-06) come from more than one source" in warnings[0]


def test_computed_tokens_beside_what_pays_for_them_are_warned_of(tmp_path: Path) -> None:
    row = usage("2026-10-05T10:00:00Z", provider="azure", model="gpt-4o")
    with billed("provisioned") as ledger:
        ledger.load(write(tmp_path / "gateway.jsonl", [row]))
        warnings = summary(ledger).warnings
    assert any("computed from the price book while commitments are billed too" in text for text in warnings)
    assert any(
        "usage of gpt-4o in 1 hours comes from bills and from another source" in text for text in warnings
    )


def test_an_empty_window_has_no_lines() -> None:
    august = Window(datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC))
    with billed() as ledger:
        found = summary(ledger, august)
    assert (found.lines, found.pools, found.commitments, found.billed_pico) == ([], [], [], 0)


AMOUNTS = st.decimals(-1000, 1000, places=6)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "ChargeCategory": st.sampled_from(("Usage", "Purchase", "Tax", "Credit", "Adjustment")),
            "BilledCost": AMOUNTS.map(str),
            "EffectiveCost": AMOUNTS.map(str),
            "ConsumedUnit": st.sampled_from(
                ("", "Tokens", "AI Credits", "User-Days", "Resource Units", "PTU-Hours")
            ),
            "ConsumedQuantity": st.integers(0, 10**6).map(str),
            "PricingCurrency": st.sampled_from(("USD", "EUR", "AIC", "WRU")),
            "PricingCurrencyEffectiveCost": st.just("") | st.integers(0, 10**6).map(str),
            "PricingCategory": st.sampled_from(("", "Standard", "Committed")),
            "CommitmentDiscountId": st.sampled_from(("", "c-1")),
            "SkuMeter": st.sampled_from(("Input Tokens", "Output Tokens", "Seats", "")),
            "x_Model": st.sampled_from(("gpt-4o", "")),
            "Tags": st.sampled_from(("", '{"team": "search"}')),
            "ServiceProviderName": st.sampled_from(("OpenAI", "GitHub", "IBM")),
        }
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS)
def test_the_kinds_add_up_to_the_rows_of_any_bill(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    fixed = {
        "BillingCurrency": "USD", "ChargeClass": "", "ServiceName": "s",
        "ChargePeriodStart": "2026-10-05T10:00:00Z", "ChargePeriodEnd": "2026-10-05T11:00:00Z",
    }  # fmt: skip
    numbered = [
        {**fixed, **row, "ChargeDescription": f"row {i}", "SkuId": f"s{i}"} for i, row in enumerate(rows)
    ]
    path = write_bill(tmp_path / "bill.csv", numbered)
    with memory_ledger() as ledger:
        assert ledger.load(path, as_format="focus").rejected == 0
        found = summary(ledger)
    assert usd_from_pico(found.billed_pico) == sum(Decimal(row["BilledCost"]) for row in rows)
    assert usd_from_pico(found.effective_pico) == sum(Decimal(row["EffectiveCost"]) for row in rows)
