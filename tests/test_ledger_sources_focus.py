"""FOCUS bills: token rows by the hour are usage, everything else is a charge, nothing is lost or guessed."""

import csv
import gzip
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import RefusedError
from ledger.ingest.load import LoadOptions
from ledger.ingest.result import IngestResult
from tests.usage_builder import NOW, TestLedger, memory_ledger

SAMPLES = Path(__file__).parent.parent.parent / "shared" / "reference"

FocusRow = dict[str, str]


def bill(**cells: str) -> FocusRow:
    """A FOCUS 1.4 row: output tokens of one model, key and hour."""
    row = {
        "BilledCost": "0.5",
        "BillingAccountId": "acct-1",
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargeClass": "",
        "ChargeDescription": "Output tokens",
        "ChargePeriodStart": "2026-06-02T10:00:00Z",
        "ChargePeriodEnd": "2026-06-02T11:00:00Z",
        "ConsumedQuantity": "1000.0",
        "ConsumedUnit": "Tokens",
        "CommitmentDiscountStatus": "",
        "EffectiveCost": "0.5",
        "RegionId": "eu-1",
        "ServiceName": "Claude API",
        "ServiceProviderName": "Anthropic",
        "SkuId": "opus-output",
        "SkuMeter": "Output Tokens",
        "SkuPriceDetails": details(direction="Output"),
        "SubAccountId": "proj-1",
        "Tags": json.dumps({"team": "search", "feature": "answers", "env": "prod"}),
        "x_CredentialId": "key_1",
        "x_Requests": "7",
        "x_ServiceTier": "standard",
    }
    return row | cells


def details(*, direction: str | None = None, cache: str | None = None, prefix: str = "x_") -> str:
    facts = {"ModelId": "claude-opus-4-7", "TokenDirection": direction, "TokenCacheAction": cache}
    return json.dumps({f"{prefix}{name}": value for name, value in facts.items() if value})


def focus_csv(path: Path, rows: Iterable[FocusRow]) -> Path:
    every = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(every[0]))
    writer.writeheader()
    writer.writerows(every)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def load(ledger: TestLedger, path: Path, *rows: FocusRow) -> IngestResult:
    return ledger.load(focus_csv(path, rows), as_format="focus")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bill.csv"


def test_a_token_row_becomes_usage_with_every_dimension_the_bill_has(file: Path) -> None:
    with memory_ledger() as ledger:
        result = load(ledger, file, bill(Tags='{"team": "search", "user": "ann", "feature": "answers"}'))
        assert (result.new, result.charges, result.warnings) == (1, 0, ())
        named = "provider, model, team, project, key_id, user, feature, region, service_tier"
        assert ledger.rows(f"select {named} from spend") == [
            (
                "anthropic",
                "claude-opus-4-7",
                "search",
                "proj-1",
                "key_1",
                "ann",
                "answers",
                "eu-1",
                "standard",
            )
        ]
        counted = "hour, requests, output_tokens, tokens, billed_cost"
        hour = datetime(2026, 6, 2, 10, tzinfo=UTC).replace(tzinfo=None)
        assert ledger.rows(f"select {counted} from spend") == [(hour, 7, 1000, 1000, 5 * 10**11)]


@pytest.mark.parametrize(
    ("meter", "facts", "token_class"),
    [
        ("Input Tokens", details(direction="Input", cache="Uncached"), "input"),
        ("", details(direction="Input"), "input"),
        ("", details(direction="Input", cache="Read", prefix=""), "cache_read"),
        ("Cache Write 5m Input Tokens", details(direction="Input", cache="Write"), "cache_write_5m"),
        ("Cache Write 1h Input Tokens", details(direction="Input", cache="Write"), "cache_write_1h"),
        ("Cache Write Input Tokens", details(direction="Input", cache="Write"), "cache_write_5m"),
        ("", details(direction="Output"), "output"),
        ("Cached Input Tokens", details(direction="Input"), "cache_read"),
        ("Uncached prompt tokens", details(), "input"),
        ("Completion tokens", details(), "output"),
        ("Prompt cache creation, 1 hour", details(), "cache_write_1h"),
    ],
)
def test_the_token_class_is_told_from_the_price_details_or_the_meter(
    file: Path, meter: str, facts: str, token_class: str
) -> None:
    with memory_ledger() as ledger:
        result = load(ledger, file, bill(SkuMeter=meter, SkuPriceDetails=facts, SkuId="sku"))
        assert (result.new, result.charges) == (1, 0)
        assert ledger.rows(f"select {token_class}_tokens, tokens from spend") == [(1000, 1000)]


def test_the_rows_of_one_call_add_up_in_one_cell_with_requests_counted_once(file: Path) -> None:
    classes = (("Uncached", "Input"), ("Read", "Cache read"), ("Write", "Cache Write 1h"))
    inputs = [
        bill(SkuMeter=meter, SkuPriceDetails=details(direction="Input", cache=cache), x_Requests="")
        for cache, meter in classes
    ]
    with memory_ledger() as ledger:
        assert load(ledger, file, bill(), *inputs).new == 4
        tokens = "input_tokens, cache_read_tokens, cache_write_1h_tokens, output_tokens"
        cell = (4, 7, 1000, 1000, 1000, 1000, 2 * 10**12)
        assert ledger.rows(f"select records, requests, {tokens}, billed_cost from spend") == [cell]


@pytest.mark.parametrize(
    "cells",
    [
        {"ChargeCategory": "Credit", "EffectiveCost": "-25", "BilledCost": "-25", "ConsumedUnit": ""},
        {"ChargeCategory": "Purchase", "EffectiveCost": "0", "ChargePeriodEnd": "2026-07-02T10:00:00Z"},
        {"ChargeCategory": "Tax"},
        {"ChargeCategory": "Adjustment"},
        {"ChargeClass": "Correction"},
        {"EffectiveCost": "-0.5"},
        {"ConsumedUnit": "PTU-Hours", "SkuMeter": "Provisioned Throughput"},
        {"CommitmentDiscountStatus": "Unused"},
        {"ConsumedQuantity": "", "ConsumedUnit": "Tokens"},
    ],
)
def test_what_is_no_use_of_tokens_is_a_charge_and_outside_the_series(file: Path, cells: FocusRow) -> None:
    with memory_ledger() as ledger:
        result = load(ledger, file, bill(**cells))
        assert (result.new, result.charges, result.rejected, result.warnings) == (1, 1, 0, ())
        assert ledger.totals()[0] == 0
        effective = round(float(cells.get("EffectiveCost", "0.5")) * 10**12)
        assert ledger.rows("select effective_cost, provider, key_id from charges") == [
            (effective, "anthropic", "key_1")
        ]


@pytest.mark.parametrize(
    ("cells", "warned"),
    [
        (
            {"SkuMeter": "Input and Output Tokens", "SkuPriceDetails": details()},
            "do not say which kind of tokens",
        ),
        ({"SkuPriceDetails": details(direction="Input", cache="Other")}, "do not say which kind of tokens"),
        ({"ChargePeriodEnd": "2026-06-03T10:00:00Z"}, "cover more than an hour"),
        ({"SkuPriceDetails": '{"x_TokenDirection": "Output"}'}, "name no model"),
    ],
)
def test_tokens_that_fit_no_hourly_series_are_charges_and_are_warned_of(
    file: Path, cells: FocusRow, warned: str
) -> None:
    with memory_ledger() as ledger:
        result = load(ledger, file, bill(**cells))
    assert (result.new, result.charges) == (1, 1)
    assert result.warnings == (f"{file}: token rows that {result.warnings[0].split(' that ')[1]}",)
    assert warned in result.warnings[0]
    assert result.warnings[0].endswith(": 1")


def test_loading_a_bill_again_finds_only_duplicates_whatever_the_version_and_the_invoice(file: Path) -> None:
    rows = [bill(), bill(ChargeCategory="Credit", ConsumedUnit=""), bill(ChargeClass="Correction")]
    older = [{**row, "ProviderName": "anthropic", "InvoiceId": "INV-1", "x_Catalog": "v2"} for row in rows]
    for row in older:
        del row["ServiceProviderName"]
        row["SkuPriceDetails"] = details(direction="Output", prefix="")
    with memory_ledger() as ledger:
        assert load(ledger, file, *rows).new == 3
        again = load(ledger, file, *older)
        assert (again.new, again.duplicate, again.restated, again.charges) == (0, 3, 0, 2)


def test_restated_usage_and_restated_charges_replace_what_was_there(file: Path) -> None:
    with memory_ledger() as ledger:
        load(ledger, file, bill(), bill(ChargeCategory="Credit", EffectiveCost="-5"))
        again = load(
            ledger, file, bill(EffectiveCost="0.4"), bill(ChargeCategory="Credit", EffectiveCost="-6")
        )
        assert (again.new, again.duplicate, again.restated) == (0, 0, 2)
        assert ledger.rows("select effective_cost from charges") == [(-6 * 10**12,)]
        assert ledger.totals()[4] == 4 * 10**11


def test_one_charge_with_two_amounts_in_one_file_is_rejected(file: Path) -> None:
    credit = bill(ChargeCategory="Credit", ChargeDescription="Promotion")
    with memory_ledger() as ledger:
        result = load(ledger, file, credit, credit | {"BilledCost": "1"}, bill())
    assert (result.new, result.rejected) == (1, 2)
    assert [(e.line, e.column, e.value) for e in result.errors] == [
        (2, "ChargeDescription", "Promotion"),
        (3, "ChargeDescription", "Promotion"),
    ]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("BillingCurrency", "EUR", "needs a dated rate in the settings; only USD is read"),
        ("ChargeCategory", "Usages", "is none of Usage, Purchase, Tax, Credit, Adjustment"),
        ("ChargeClass", "Corrections", "is neither empty nor Correction"),
        (
            "ChargePeriodStart",
            "2026-06-02 10:00:00",
            "is not RFC 3339 with an offset; write it as 2026-11-01T09:00:00Z",
        ),
        ("ChargePeriodStart", "2026-02-30T10:00:00Z", "is no instant of the calendar"),
        ("ChargePeriodStart", "1999-01-01T10:00:00Z", "is before 2015"),
        ("ChargePeriodEnd", "2026-06-02T10:00:00Z", "is not after ChargePeriodStart"),
        ("EffectiveCost", "NaN", "is not an amount"),
        ("EffectiveCost", "2000000", "is over 1,000,000 USD for one row"),
        ("BilledCost", "9e40", "is more than one row can hold"),
        ("ConsumedQuantity", "many", "is not a quantity"),
        ("ConsumedQuantity", "1.5", "is not a whole number of 0 or more (of at most 12 digits)"),
        ("ConsumedQuantity", "-3", "is not a whole number of 0 or more (of at most 12 digits)"),
        ("x_Requests", "few", "is not a whole number of 0 or more (of at most 12 digits)"),
        ("Tags", "team=search", "is not a JSON object"),
        ("SkuPriceDetails", "[1]", "is not a JSON object"),
    ],
)
def test_a_bad_row_is_told_by_the_name_its_column_has_in_focus(
    file: Path, column: str, value: str, reason: str
) -> None:
    with memory_ledger() as ledger:
        result = load(ledger, file, bill(SubAccountId="p2"), bill(**{column: value}))
    assert result.new == 1
    assert [(e.line, e.column, e.value, e.reason) for e in result.errors] == [(3, column, value, reason)]


def test_a_key_string_in_a_bill_is_rejected_and_not_shown(file: Path) -> None:
    with memory_ledger() as ledger:
        for category in ("Usage", "Credit"):
            result = load(ledger, file, bill(x_CredentialId="sk-ant-abcdefgh", ChargeCategory=category))
            assert (result.errors[0].column, result.errors[0].value) == ("x_CredentialId", "sk-…")


def test_the_settings_say_which_tags_are_team_user_and_feature(file: Path) -> None:
    tags = '{"cost \\"centre\\"": "ads", "app": "chat", "team": "search"}'
    options = LoadOptions(now=NOW, focus_tags={"team": 'cost "centre"', "user": "user", "feature": "app"})
    with memory_ledger() as ledger:
        ledger.load(focus_csv(file, [bill(Tags=tags)]), options, as_format="focus")
        assert ledger.rows("select team, feature from spend") == [("ads", "chat")]


def test_azure_is_the_provider_of_azure_openai(file: Path) -> None:
    with memory_ledger() as ledger:
        load(ledger, file, bill(ServiceProviderName="Microsoft", ServiceName="Azure OpenAI"))
        assert ledger.rows("select provider from spend") == [("azure",)]


def test_the_model_may_stand_in_a_custom_column_or_be_the_resource(file: Path) -> None:
    bare = {"SkuPriceDetails": ""}
    with memory_ledger() as ledger:
        load(ledger, file, bill(**bare, x_Model="model-1", ResourceType="", ResourceName=""))
        load(ledger, file, bill(**bare, x_Model="", ResourceType="Deployment", ResourceName="model-2"))
        assert ledger.rows("select model from spend order by 1") == [("model-1",), ("model-2",)]


@pytest.mark.parametrize(
    ("drop", "add", "said"),
    [
        ("EffectiveCost", "x_other", "required FOCUS column `EffectiveCost` is missing"),
        ("ServiceProviderName", "x_other", "required FOCUS column `ServiceProviderName` is missing"),
        ("Tags", "Team", "`team` is no column of FOCUS 1.2 to 1.4; custom columns begin with x_"),
    ],
)
def test_missing_and_unknown_columns_are_refused_by_name(file: Path, drop: str, add: str, said: str) -> None:
    row = bill() | {add: "1"}
    del row[drop]
    with memory_ledger() as ledger, pytest.raises(RefusedError, match=said):
        load(ledger, file, row)


def test_a_bill_does_not_come_as_json(tmp_path: Path) -> None:
    (tmp_path / "bill.jsonl").write_text("{}\n")
    with memory_ledger() as ledger, pytest.raises(RefusedError, match=r"comes as \.csv, \.parquet"):
        ledger.load(tmp_path / "bill.jsonl", as_format="focus")


@pytest.mark.parametrize("zone", ["UTC", None])
def test_parquet_and_gzip_give_what_csv_gives(tmp_path: Path, file: Path, zone: str | None) -> None:
    rows = [bill(), bill(ChargeCategory="Tax", ConsumedQuantity="")]
    columns: dict[str, pa.Array] = {name: pa.array([row[name] for row in rows]) for name in rows[0]}
    for name in ("ChargePeriodStart", "ChargePeriodEnd"):
        instants = [datetime.fromisoformat(row[name]) for row in rows]
        columns[name] = pa.array(
            [i if zone else i.replace(tzinfo=None) for i in instants], pa.timestamp("ms", zone)
        )
    for name in ("BilledCost", "EffectiveCost", "ConsumedQuantity"):
        columns[name] = pa.array([float(row[name]) if row[name] else None for row in rows])
    tags = [list(json.loads(row["Tags"]).items()) for row in rows]
    columns["Tags"] = pa.array(tags, pa.map_(pa.string(), pa.string()))
    pq.write_table(pa.table(columns), tmp_path / "bill.parquet")
    with memory_ledger() as ledger:
        assert load(ledger, file, *rows).new == 2
        assert ledger.load(tmp_path / "bill.parquet", as_format="focus").duplicate == 2
        assert ledger.load(focus_csv(tmp_path / "bill.csv.gz", rows), as_format="focus").duplicate == 2


def test_instants_without_seconds_are_read_as_azure_writes_them(file: Path) -> None:
    with memory_ledger() as ledger:
        row = bill(ChargePeriodStart="2026-06-02T10:00Z", ChargePeriodEnd="2026-06-02T11:00Z")
        assert load(ledger, file, bill()).new == 1
        assert load(ledger, file, row).duplicate == 1


CELLS = st.sampled_from(
    (
        "",
        "x",
        "-1",
        "NaN",
        "1e30",
        "{}",
        '{"x_TokenDirection": 5, "a\\"b": []}',
        "2026-06-02",
        "\x00",
        "Input",
    )
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(sorted(bill())), CELLS, max_size=5), max_size=4))
def test_any_cells_of_a_bill_give_a_result_that_adds_up(
    tmp_path_factory: pytest.TempPathFactory, rows: list[FocusRow]
) -> None:
    path = tmp_path_factory.mktemp("bill") / "bill.csv"
    with memory_ledger() as ledger:
        result = load(ledger, path, *(bill(**row) for row in rows), bill())
        assert result.read == len(rows) + 1
        assert result.read == result.new + result.duplicate + result.restated + result.rejected
        usage, charges = ledger.totals()[0], ledger.rows("select count(*) from charges")[0][0]
        assert isinstance(usage, int)
        assert isinstance(charges, int)
        assert result.new == usage + charges


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples lie beside the repository")
def test_the_samples_load_without_rejects_and_only_once() -> None:
    with memory_ledger() as ledger:
        first = ledger.load(SAMPLES / "focus_ai_sample.csv", as_format="focus")
        assert (first.read, first.new, first.charges, first.rejected) == (17, 17, 8, 0)
        for name in ("focus_ai_sample.csv", "focus_ai_sample_1_4.csv"):
            assert ledger.load(SAMPLES / name, as_format="focus").duplicate == 17


def test_a_commitment_of_many_millions_is_kept_as_a_charge(file: Path) -> None:
    with memory_ledger() as ledger:
        bought = bill(ChargeCategory="Purchase", BilledCost="36500000.25", EffectiveCost="0")
        assert load(ledger, file, bought).charges == 1


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("BilledCost", "9e17", "is more than one row can hold"),
        ("ConsumedQuantity", "9e17", "is more than one row can hold"),
        ("PricingCurrencyEffectiveCost", "9e17", "is more than one row can hold"),
        ("PricingQuantity", "many", "is not a number"),
    ],
)
def test_amounts_that_could_not_be_added_up_are_rejected(
    file: Path, column: str, value: str, reason: str
) -> None:
    with memory_ledger() as ledger:
        result = load(ledger, file, bill(**{column: value}))
    assert [(e.column, e.value, e.reason) for e in result.errors] == [(column, value, reason)]
