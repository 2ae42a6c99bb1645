"""A cell of the ledger becomes a row for each token class, and nothing of its cost or requests is lost."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.prices.book import PriceBook
from ledger.prices.overrides import PriceOverride
from ledger.window import Window
from tests.focus_exports import Exported, export
from tests.usage_builder import HOUR, NOW, UsageRow, memory_ledger, usage, write

CLASSES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")


def exported(folder: Path, *rows: UsageRow, version: str = "1.4") -> Exported:
    with memory_ledger() as ledger:
        assert ledger.load(write(folder / "usage.jsonl", rows)).rejected == 0
        return export(ledger, folder / "bill.csv", version="1.2" if version == "1.2" else "1.4")


def claude(**cells: object) -> UsageRow:
    tokens = {f"{name}_tokens": 1000 * (i + 1) for i, name in enumerate(CLASSES)}
    return usage(model="claude-opus-4-6", key_id="k1") | tokens | cells


def test_each_token_class_with_tokens_is_a_row_of_its_own(tmp_path: Path) -> None:
    bill = exported(tmp_path, claude(cache_write_1h_tokens=0))
    assert bill.column("x_TokenClass") == ["input", "cache_read", "cache_write_5m", "output"]
    assert bill.money("ConsumedQuantity") == [1000, 2000, 3000, 5000]
    assert bill.column("x_OutputTokens") == ["0", "0", "0", "5000"]
    assert set(bill.column("ChargePeriodStart")) == {HOUR}
    assert set(bill.column("ChargePeriodEnd")) == {"2026-11-01T10:00:00Z"}
    assert set(bill.column("BillingPeriodEnd")) == {"2026-12-01T00:00:00Z"}
    assert bill.result == "passed"


def test_a_computed_cost_is_tokens_times_price(tmp_path: Path) -> None:
    bill = exported(tmp_path, claude())
    products = [
        price * quantity
        for price, quantity in zip(bill.money("ListUnitPrice"), bill.money("PricingQuantity"), strict=True)
    ]
    assert bill.money("EffectiveCost") == bill.money("ListCost") == bill.money("ContractedCost") == products
    assert set(bill.column("x_CostBasis")) == {"computed"}


def test_a_billed_cost_is_split_by_computed_cost_and_adds_up_to_the_last_digit(tmp_path: Path) -> None:
    bill = exported(tmp_path, claude(cost_usd="0.100000000001"))
    costs = bill.money("BilledCost")
    assert sum(costs) == Decimal("0.100000000001")
    computed = bill.money("ContractedCost")
    for cost, own in zip(costs, computed, strict=True):
        assert abs(cost - Decimal("0.100000000001") * own / sum(computed)) <= Decimal("0.000000000001")
    assert set(bill.column("x_CostBasis")) == {"billed"}
    assert set(bill.column("AllocatedMethodId")) == {"computed-cost-share-v1"}


def test_a_billed_cost_that_nothing_prices_is_split_by_tokens(tmp_path: Path) -> None:
    bill = exported(
        tmp_path, usage(model="our-own", input_tokens=300, output_tokens=100, cost_usd="0.000000000007")
    )
    assert bill.money("EffectiveCost") == [Decimal("0.000000000005"), Decimal("0.000000000002")]
    assert bill.column("ListUnitPrice") == [None, None]
    assert bill.result == "passed_with_waivers"


def test_unpriced_usage_is_there_with_its_tokens_and_no_price(tmp_path: Path) -> None:
    bill = exported(tmp_path, usage(model="our-own"))
    assert bill.column("x_CostBasis") == ["unpriced", "unpriced"]
    assert bill.money("ConsumedQuantity") == [100, 10]
    assert bill.money("EffectiveCost") == [0, 0]
    assert bill.column("ContractedUnitPrice") == [None, None]
    waived = bill.document["waivers"]
    assert isinstance(waived, list)
    assert {w["rows"] for w in waived} == {2}


def test_failed_and_retried_requests_without_tokens_are_on_an_output_row(tmp_path: Path) -> None:
    bill = exported(
        tmp_path, usage(input_tokens=0, output_tokens=0, requests=5, failed_requests=5, retried_requests=3)
    )
    assert bill.column("x_TokenClass") == ["output"]
    counts = ("x_Requests", "x_FailedRequests", "x_RetriedRequests", "ConsumedQuantity")
    assert [Decimal(str(bill.rows[0][name])) for name in counts] == [5, 5, 3, 0]


def test_requests_count_once_whatever_the_classes_of_a_cell(tmp_path: Path) -> None:
    embedding = usage(model="text-embedding-3-small", output_tokens=0, requests=4, key_id="k2")
    bill = exported(tmp_path, claude(requests=9), embedding)
    assert sum(bill.money("x_Requests")) == 13


def test_what_nobody_owns_is_null(tmp_path: Path) -> None:
    row = usage()
    del row["team"]
    bill = exported(tmp_path, row)
    for name in ("Tags", "SubAccountId", "SubAccountType", "x_CredentialId", "RegionId", "x_ServiceTier"):
        assert set(bill.column(name)) == {None}, name
    assert bill.result == "passed"


def test_names_with_quotes_commas_and_other_scripts_survive(tmp_path: Path) -> None:
    bill = exported(tmp_path, usage(team='a "b", c', key_id="ключ,1", feature="{x: [1]}"))
    assert bill.rows[0]["Tags"] == '{"team":"a \\"b\\", c","feature":"{x: [1]}"}'
    assert bill.rows[0]["x_CredentialId"] == "ключ,1"
    assert bill.result == "passed"


def test_cells_that_differ_only_in_client_and_prompt_template_are_one(tmp_path: Path) -> None:
    bill = exported(tmp_path, usage(client="a"), usage(client="b"), usage(prompt_template="t@1"))
    assert bill.money("ConsumedQuantity") == [300, 30]


def test_the_range_is_half_open(tmp_path: Path) -> None:
    hours = [usage(f"2026-11-01T{hour:02}:30:00Z") for hour in (8, 9, 10)]
    start = datetime(2026, 11, 1, 9, tzinfo=UTC)
    with memory_ledger() as ledger:
        ledger.load(write(tmp_path / "usage.jsonl", hours))
        bill = export(ledger, tmp_path / "bill.csv", window=Window(start, start + timedelta(hours=1)))
    assert set(bill.column("ChargePeriodStart")) == {HOUR}


def test_the_older_version_names_its_provider_otherwise(tmp_path: Path) -> None:
    bill = exported(tmp_path, usage(), version="1.2")
    assert set(bill.column("ProviderName")) == set(bill.column("PublisherName")) == {"openai"}
    assert "ServiceProviderName" not in bill.rows[0]
    assert bill.result == "passed"


def test_contract_terms_show_between_list_and_contracted_cost(tmp_path: Path) -> None:
    terms = PriceOverride(
        model="gpt-4o",
        kind="percent_off",
        value=Decimal(20),
        valid_from=date(2026, 1, 1),
        source="contract 7",
    )
    with memory_ledger() as ledger:
        ledger.load(write(tmp_path / "usage.jsonl", [usage()]))
        ledger.ledger.reprice(PriceBook(overrides=[terms]), now=NOW, apply=True)
        bill = export(ledger, tmp_path / "bill.csv", list_prices=True)
    for contracted, listed in zip(bill.money("ContractedCost"), bill.money("ListCost"), strict=True):
        assert contracted == listed * Decimal("0.8") > 0
    assert bill.result == "passed"


@pytest.mark.parametrize("name", ["bill.csv", "bill.csv.gz", "bill.parquet"])
def test_every_kind_of_file_holds_the_same_rows(tmp_path: Path, name: str) -> None:
    with memory_ledger() as ledger:
        ledger.load(write(tmp_path / "usage.jsonl", [claude(cost_usd="1.5"), usage(model="our-own")]))
        bill = export(ledger, tmp_path / name)
        (tmp_path / "focus-conformance.json").unlink()
        plain = export(ledger, tmp_path / "again.csv")
    assert bill.money("EffectiveCost") == plain.money("EffectiveCost")
    assert bill.column("SkuPriceDetails") == plain.column("SkuPriceDetails")
    assert bill.result == plain.result == "passed_with_waivers"


counts = st.integers(0, 10**9)
costs = st.none() | st.integers(0, 10**15).map(lambda pico: str(Decimal(pico).scaleb(-12)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(costs, *[counts] * 5), min_size=1, max_size=6))
def test_the_parts_of_every_cell_add_up_exactly(
    tmp_path: Path, cells: list[tuple[str | None, int, int, int, int, int]]
) -> None:
    rows = []
    for number, (cost, *tokens) in enumerate(cells):
        counted = {f"{name}_tokens": count for name, count in zip(CLASSES, tokens, strict=True)}
        model = ("claude-opus-4-6", "our-own", "gpt-4o")[number % 3]
        billed = {"cost_usd": cost} if cost else {}
        rows.append(usage(model=model, key_id=f"k{number}") | counted | billed)
    with memory_ledger() as ledger:
        ledger.load(write(tmp_path / "usage.jsonl", rows))
        bill = export(ledger, tmp_path / "bill.csv")
        stored = ledger.rows("select key_id, cast(sum(cost) as bigint) from spend group by all order by all")
    sums: dict[object, Decimal] = {}
    for row in bill.rows:
        key = row["x_CredentialId"]
        sums[key] = sums.get(key, Decimal()) + Decimal(str(row["EffectiveCost"]))
    assert sorted(sums.items(), key=str) == [(k, Decimal(int(str(v or 0))).scaleb(-12)) for k, v in stored]
    assert bill.document["failures"] == []
