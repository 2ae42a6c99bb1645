"""A day of Copilot credits as rows of a bill: the pool's share costs no cash, what is beyond it does."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import JsonValue

from evals.fake_copilot import item
from ledger.sources.copilot import copilot_rows
from ledger.sources.told import Bucket, Cells, Wrong
from ledger.window import Window

DAY = Window(datetime(2026, 10, 6, tzinfo=UTC), datetime(2026, 10, 7, tzinfo=UTC))
SAMPLE = Path(__file__).parent / "samples" / "copilot_ai_credits.json"


def bucket(*items: JsonValue) -> Bucket:
    return Bucket("copilot", "ai-credits", DAY, items)


def cells(*items: JsonValue) -> list[Cells]:
    return [row.cells for row in copilot_rows(bucket(*items), "acme") if not isinstance(row, Wrong)]


def sampled() -> list[Cells]:
    return cells(*json.loads(SAMPLE.read_text("utf-8"))["usageItems"])


def test_credits_of_the_pool_and_beyond_it_are_rows_of_their_own() -> None:
    told = [
        (row["x_Model"], row["PricingCurrencyEffectiveCost"], row["BilledCost"], row["EffectiveCost"])
        for row in sampled()
    ]
    assert told == [
        ("Auto: Claude Haiku 4.5", "3956.18", "0", "39.56"),
        ("Claude Opus 4.7", "1000.0", "0", "10.0"),
        ("Claude Opus 4.7", "1500.0", "15.0", "15.0"),
    ]


def test_a_row_says_what_was_used_when_and_by_whom() -> None:
    row = sampled()[0]
    assert row["ChargePeriodStart"] == "2026-10-06T00:00:00Z"
    assert row["ChargePeriodEnd"] == "2026-10-07T00:00:00Z"
    assert (row["ServiceProviderName"], row["SubAccountId"], row["x_Source"]) == ("GitHub", "acme", "copilot")
    assert (row["PricingCurrency"], row["ConsumedUnit"]) == ("AIC", "AI Credits")


def test_a_list_cost_is_its_price_times_its_quantity_to_the_last_digit() -> None:
    for row in sampled():
        product = Decimal(str(row["ListUnitPrice"])) * Decimal(str(row["PricingQuantity"]))
        assert Decimal(str(row["ListCost"])) == Decimal(str(row["ContractedCost"])) == product


def test_a_discount_that_is_not_told_is_what_is_not_billed() -> None:
    bare = {k: v for k, v in item("m", gross=10, net=4).items() if not k.startswith("discount")}
    assert cells(bare)[0]["PricingCurrencyEffectiveCost"] == "6.0"
    assert Decimal(str(cells(bare)[0]["EffectiveCost"])) == Decimal("0.06")


def test_a_day_without_use_is_no_row() -> None:
    assert cells(item("m", gross=0)) == []


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"unitType": "requests"}, "unitType", "only ai-credits is read"),
        ({"netAmount": -1.0}, "netAmount", "is negative"),
        ({"netQuantity": 11.0}, "netQuantity", "is more than `grossQuantity`"),
        ({"grossQuantity": "10"}, "grossQuantity", "valid number"),
        ({"sku": None}, "sku", "valid string"),
    ],
)
def test_a_wrong_item_is_told_and_touches_neither_of_its_rows(
    change: dict[str, JsonValue], column: str, reason: str
) -> None:
    wrong = list(copilot_rows(bucket({**item("m", gross=10), **change}), "acme"))
    assert all(isinstance(row, Wrong) and row.column == column and reason in row.reason for row in wrong)
    assert len({row.record_id for row in wrong}) == 2


def test_what_is_no_item_is_told() -> None:
    (first, _) = copilot_rows(bucket(7), "acme")
    assert isinstance(first, Wrong)
    assert first.place == "copilot ai-credits 2026-10-06T00:00:00Z item 1"
