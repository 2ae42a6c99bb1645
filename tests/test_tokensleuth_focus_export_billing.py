"""Bills of every kind are in an export with the columns that FOCUS has for them, and come back the same."""

from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest

from evals.focus_validators import toolkit_verdict
from evals.unavailable import Unavailable
from ledger.money import usd_from_pico
from tests.billing_cases import OCTOBER, billed, summary
from tests.focus_exports import Exported, Row, export
from tests.usage_builder import TestLedger, memory_ledger, usage, write
from tokensleuth.focus_export.columns import FocusVersion


def exported(ledger: TestLedger, folder: Path, version: FocusVersion = "1.4") -> Exported:
    folder.mkdir(exist_ok=True)
    return export(ledger, folder / "bill.csv", version=version, window=OCTOBER)


def only(bill: Exported, **cells: str) -> Row:
    (row,) = [row for row in bill.rows if all(row[name] == value for name, value in cells.items())]
    return row


@pytest.mark.parametrize("version", ["1.4", "1.2"])
def test_every_kind_of_bill_comes_back_with_the_same_money_credits_and_commitments(
    tmp_path: Path, version: FocusVersion
) -> None:
    with billed() as ledger, memory_ledger() as again:
        first = exported(ledger, tmp_path / "first", version)
        assert again.load(first.path, as_format="focus").rejected == 0
        assert summary(again) == summary(ledger)
        second = exported(again, tmp_path / "second", version)
    assert (first.result, first.document["waivers"]) == ("passed", [])
    assert second.rows == first.rows


def test_the_export_has_the_money_of_all_bills(tmp_path: Path) -> None:
    with billed() as ledger:
        bill, found = exported(ledger, tmp_path), summary(ledger)
    assert sum(bill.money("BilledCost")) == usd_from_pico(found.billed_pico) == Decimal("79937.38006")
    assert sum(bill.money("EffectiveCost")) == usd_from_pico(found.effective_pico)


def test_another_validator_finds_nothing_but_credits_that_are_no_national_currency(tmp_path: Path) -> None:
    with billed() as ledger:
        bill = exported(ledger, tmp_path)
    try:
        failures = toolkit_verdict(bill.path).failures
    except Unavailable as missing:
        pytest.skip(str(missing))
    assert all("bad_currency] PricingCurrency" in failure for failure in failures)
    assert {failure.split("'")[1] for failure in failures} == {"AIC", "CDX", "WRU"}


def test_credits_are_in_their_own_currency_and_cost_no_cash_until_the_pool_is_empty(tmp_path: Path) -> None:
    with billed("copilot") as ledger:
        bill = exported(ledger, tmp_path)
    tokens = only(bill, x_TokenClass="output")
    assert (tokens["PricingCurrency"], tokens["PricingCategory"]) == ("AIC", "Standard")
    assert Decimal(str(tokens["BilledCost"])) == 0
    assert Decimal(str(tokens["EffectiveCost"])) == 5
    assert Decimal(str(tokens["PricingCurrencyEffectiveCost"])) == 500
    overage = only(bill, SkuId="copilot-ai-credits-overage")
    assert Decimal(str(overage["BilledCost"])) == Decimal(str(overage["EffectiveCost"])) == 15


def test_seats_are_recurring_purchases_and_say_what_they_grant(tmp_path: Path) -> None:
    with billed("copilot") as ledger:
        seats = only(exported(ledger, tmp_path), ChargeCategory="Purchase")
    assert (seats["ChargeFrequency"], seats["PricingUnit"]) == ("Recurring", "Users/Month")
    assert seats["x_GrantedCurrency"] == "AIC"
    assert Decimal(str(seats["x_GrantedQuantity"])) == 95_000


def test_a_commitment_is_bought_used_and_unused_and_the_tokens_under_it_cost_nothing(tmp_path: Path) -> None:
    with billed("provisioned") as ledger:
        bill = exported(ledger, tmp_path)
    told = {row["CommitmentDiscountStatus"] for row in bill.rows if row["CommitmentDiscountId"]}
    assert told == {None, "Used", "Unused"}
    tokens = only(bill, x_ServiceTier="provisioned")
    assert tokens["PricingCategory"] == "Committed"
    assert [Decimal(str(tokens[name])) for name in ("BilledCost", "EffectiveCost", "ListCost")] == [0, 0, 0]


def test_teams_and_models_of_charges_are_in_the_file(tmp_path: Path) -> None:
    with billed("watsonx") as ledger:
        bill = exported(ledger, tmp_path)
    assert set(bill.column("Tags")) == {'{"team":"search"}'}
    assert {"granite", "granite-tiny"} <= set(bill.column("x_Model"))


def test_charges_that_only_their_amounts_tell_apart_all_come_back(tmp_path: Path) -> None:
    """Two billing accounts with the same seats: the ledger keeps no account, the file has one."""
    text = (Path(__file__).parent / "samples" / "seats.csv").read_text("utf-8")
    other = tmp_path / "other.csv"
    other.write_text(text.replace("acct-1001", "acct-2002").replace(",3000,", ",2700,"), "utf-8")
    with billed("seats") as ledger, memory_ledger() as again:
        ledger.load(other, as_format="focus")
        bill = exported(ledger, tmp_path / "out")
        loaded = again.load(bill.path, as_format="focus")
        assert (loaded.new, loaded.rejected) == (6, 0)
        assert summary(again) == summary(ledger)


def test_usage_of_one_key_and_hour_that_is_paid_in_two_ways_stays_apart(tmp_path: Path) -> None:
    row = usage(
        "2026-10-05T10:00:00Z", provider="openai", model="gpt-4o", key_id="key_1", project="proj-search",
        input_tokens=0, output_tokens=1_000_000, requests=90, cost_usd="10",
    )  # fmt: skip
    with billed("prepaid") as ledger, memory_ledger() as again:
        ledger.load(write(tmp_path / "usage.jsonl", [row]))
        bill = exported(ledger, tmp_path / "out")
        assert bill.document["failures"] == []
        assert again.load(bill.path, as_format="focus").rejected == 0
        assert summary(again).by_kind == summary(ledger).by_kind
    in_tokens = [row for row in bill.rows if row["x_TokenClass"] == "output"]
    assert sorted(cast(str, row["PricingCurrency"]) for row in in_tokens) == ["CDX", "USD"]
