"""The checker finds what is wrong in a FOCUS file, and says of a right one that it is right."""

import csv
from pathlib import Path

import duckdb
import pytest

from tests.focus_exports import Row, export, rows_of
from tests.usage_builder import memory_ledger, usage, write
from tokensleuth.focus_export.checker import Checked, check_file
from tokensleuth.focus_export.columns import FOCUS_VERSIONS, FocusVersion, columns_of

SAMPLES = Path(__file__).parent.parent.parent / "shared" / "reference"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    folder = tmp_path_factory.mktemp("focus")
    with memory_ledger() as ledger:
        ledger.load(write(folder / "usage.jsonl", [usage(project="p1", region="eu-1", user="ann")]))
        return list(export(ledger, folder / "bill.csv").rows)


def check(path: Path, rows: list[Row], version: FocusVersion = "1.4") -> Checked:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        return check_file(connection, path, "csv", version)


def test_a_right_file_breaks_nothing(tmp_path: Path, good: list[Row]) -> None:
    checked = check(tmp_path / "bill.csv", good)
    assert (checked.failures, checked.broken, checked.rows) == ((), (), 2)
    assert checked.rules > 90


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ({"BilledCost": ""}, "BilledCost is not null"),
        ({"BilledCost": "1,5"}, "BilledCost has the format of Decimal"),
        ({"ChargePeriodStart": "2026-11-01 09:00:00"}, "ChargePeriodStart has the format of Date/Time"),
        ({"ChargeCategory": "Use"}, "ChargeCategory is an allowed value"),
        ({"BillingCurrency": "usd"}, "BillingCurrency is three capitals"),
        ({"ListUnitPrice": "-1"}, "ListUnitPrice is not negative"),
        ({"ListUnitPrice": ""}, "ListUnitPrice is not null of usage and purchases"),
        ({"ListCost": "9"}, "ListCost is ListUnitPrice times PricingQuantity"),
        ({"ContractedCost": "9"}, "ContractedCost is ContractedUnitPrice times PricingQuantity"),
        ({"Tags": "team=search"}, "Tags is a JSON object"),
        ({"Tags": '{"team": {"a": "{"}}'}, "Tags is flat"),
        ({"PricingUnit": ""}, "PricingUnit is null exactly where PricingQuantity is"),
        ({"SubAccountType": ""}, "SubAccountType is null exactly where SubAccountId is"),
        ({"SkuPriceId": ""}, "PricingQuantity is null without SkuPriceId"),
        ({"ServiceSubcategory": "Containers"}, "ServiceSubcategory belongs to ServiceCategory"),
        ({"ChargeCategory": "Credit"}, "ConsumedQuantity is null except of usage"),
        ({"ChargePeriodEnd": "2026-11-01T11:00:00Z"}, "usage is an hour"),
        ({"ChargePeriodEnd": "2026-11-01T09:00:00Z"}, "ChargePeriodEnd is after ChargePeriodStart"),
        ({"BillingPeriodStart": "2026-10-01T00:00:00Z"}, "a billing period is a month"),
        ({"BillingPeriodStart": "2026-12-01T00:00:00Z"}, "a charge begins in its billing period"),
    ],
)
def test_a_wrong_cell_is_found_by_its_rule(
    tmp_path: Path, good: list[Row], cells: dict[str, str], rule: str
) -> None:
    checked = check(tmp_path / "bill.csv", [{**good[0], **cells}, good[1]])
    assert f"1 rows break: {rule}" in checked.failures


def test_a_missing_and_an_unknown_column_are_named(tmp_path: Path, good: list[Row]) -> None:
    rows = [{**{k: v for k, v in row.items() if k != "ListCost"}, "Cost": "1"} for row in good]
    checked = check(tmp_path / "bill.csv", rows)
    assert checked.failures == (
        "column ListCost of FOCUS 1.4 is missing",
        "Cost is no column of FOCUS 1.4 and does not begin with x_",
    )


def test_the_columns_of_a_version_are_those_of_the_specification() -> None:
    assert {version: len(columns_of(version)) for version in FOCUS_VERSIONS} == {"1.4": 65, "1.2": 57}


@pytest.mark.parametrize("version", FOCUS_VERSIONS)
@pytest.mark.skipif(not SAMPLES.exists(), reason="the FOCUS samples are not beside this repository")
def test_our_columns_are_those_of_the_samples(version: FocusVersion) -> None:
    sample = rows_of(SAMPLES / ("focus_ai_sample_1_4.csv" if version == "1.4" else "focus_ai_sample.csv"))
    of_the_sample = {name for name in sample[0] if not name.startswith("x_")}
    assert of_the_sample <= {column.column for column in columns_of(version)}
