"""What is exported and loaded again has the same totals to the last digit, and exports the same."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evals.focus_validators import toolkit_verdict
from evals.unavailable import Unavailable
from ledger.synthetic.demo import write_demo
from ledger.window import Window
from tests.focus_exports import TOTALS, export
from tests.usage_builder import TestLedger, UsageRow, memory_ledger, usage, write
from tokensleuth.focus_export.columns import FocusVersion


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder, file_format="parquet")
    return folder


def load_demo(ledger: TestLedger, folder: Path) -> None:
    for file in sorted(folder.glob("*.parquet")):
        ledger.load(file)


@pytest.mark.parametrize(("name", "version"), [("bill.csv.gz", "1.4"), ("bill.parquet", "1.2")])
def test_the_demo_organisation_comes_back_to_the_last_digit(
    tmp_path: Path, demo: Path, name: str, version: FocusVersion
) -> None:
    with memory_ledger() as ledger, memory_ledger() as again:
        load_demo(ledger, demo)
        first = export(ledger, tmp_path / name, version=version)
        loaded = again.load(tmp_path / name, as_format="focus")
        assert (loaded.new, loaded.rejected, loaded.charges) == (len(first.rows), 0, 0)
        assert again.rows(TOTALS) == ledger.rows(TOTALS)
        second = export(again, folder(tmp_path) / name, version=version)
    assert first.result == second.result == "passed"
    assert first.rows == second.rows


def test_an_export_of_an_export_is_the_same_file_to_the_byte(tmp_path: Path) -> None:
    with memory_ledger() as ledger:
        ledger.load(write(tmp_path / "usage.jsonl", mixed()))
        export(ledger, tmp_path / "bill.csv")
    files = []
    source = tmp_path / "bill.csv"
    for generation in ("second", "third"):
        with memory_ledger() as ledger:
            assert ledger.load(source, as_format="focus").rejected == 0
            source = folder(tmp_path, generation) / "bill.csv"
            export(ledger, source)
            files.append(source.read_bytes())
    assert files[0] == files[1]


CREDIT = {
    "BilledCost": "-25.5", "BillingAccountId": "acct-9", "BillingCurrency": "USD", "ChargeCategory": "Credit",
    "ChargeClass": "", "ChargeDescription": "promo", "ChargePeriodStart": "2026-11-01T00:00:00Z",
    "ChargePeriodEnd": "2026-12-01T00:00:00Z", "EffectiveCost": "-25.5", "ServiceName": "Claude API",
    "ServiceProviderName": "Anthropic", "SubAccountId": "proj-1", "PricingCurrency": "AIC",
}  # fmt: skip

DAY = Window(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))


def test_charges_are_in_the_file_and_come_back_as_charges(tmp_path: Path) -> None:
    header, values = ",".join(CREDIT), ",".join(CREDIT.values())
    bill = tmp_path / "bill.csv"
    bill.write_text(f"{header}\n{values}\n", "utf-8")
    kept = "select start_at, end_at, category, provider, project, billed_cost, effective_cost from charges"
    with memory_ledger() as ledger, memory_ledger() as again:
        ledger.load(bill, as_format="focus")
        ledger.load(write(tmp_path / "usage.jsonl", [usage()]))
        out = export(ledger, folder(tmp_path) / "bill.csv", window=DAY)
        assert again.load(out.path, as_format="focus").charges == 1
        assert again.rows(kept) == ledger.rows(kept)
        assert again.rows(TOTALS) == ledger.rows(TOTALS)
    assert out.result == "passed_with_waivers"
    assert out.document["rows"] == {
        "total": 3, "usage": 2, "charges": 1, "unpriced": 0, "billed": 0, "computed": 2,
    }  # fmt: skip


names = st.sampled_from(["a", "b-1h", "c 60m", 'd"1_hour', "UNALLOCATED", "ß,\u4e00"])
counts = st.integers(0, 10**7)
tiers = st.sampled_from(["standard", "batch", "1h"])
TOKENS = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")


@st.composite
def usages(draw: st.DrawFn) -> UsageRow:
    tokens = {f"{name}_tokens": draw(counts) for name in TOKENS}
    model = draw(st.sampled_from(["claude-opus-4-6", "gpt-4o", "our-1h-model", "write 1 hour"]))
    cost = draw(st.none() | st.integers(0, 10**14).map(lambda pico: str(Decimal(pico).scaleb(-12))))
    requests = draw(st.integers(0, 9))
    row = usage(
        f"2026-11-01T{draw(st.integers(0, 3)):02}:30:00Z",
        model=model, team=draw(names), key_id=draw(names), project=draw(names), user=draw(names),
        feature=draw(names), region=draw(names), service_tier=draw(tiers),
        client=draw(names), requests=requests, failed_requests=draw(st.integers(0, requests)), **tokens,
    )  # fmt: skip
    return row | ({"cost_usd": cost} if cost is not None else {})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(usages(), min_size=1, max_size=8))
def test_any_usage_comes_back_to_the_last_digit(tmp_path: Path, rows: list[UsageRow]) -> None:
    numbered = [row | {"record_id": f"r{i}"} for i, row in enumerate(rows)]
    with memory_ledger() as ledger, memory_ledger() as again:
        assert ledger.load(write(tmp_path / "usage.jsonl", numbered)).rejected == 0
        bill = export(ledger, tmp_path / "bill.csv")
        assert bill.document["failures"] == []
        assert again.load(bill.path, as_format="focus").rejected == 0
        assert again.rows(TOTALS) == ledger.rows(TOTALS)


@pytest.mark.parametrize("priced", [True, False])
def test_the_toolkit_finds_only_the_prices_that_nobody_knows(tmp_path: Path, priced: bool) -> None:
    with memory_ledger() as ledger:
        rows = [row for row in mixed() if not priced or row["model"] != "our-own"]
        ledger.load(write(tmp_path / "usage.jsonl", rows))
        export(ledger, tmp_path / "bill.csv")
    try:
        verdict = toolkit_verdict(tmp_path / "bill.csv")
    except Unavailable as missing:
        pytest.skip(str(missing))
    kinds = {failure.partition("]")[0] for failure in verdict.failures}
    assert kinds == (set() if priced else {"[SEMANTIC_VALID:required_with_sku_price_id"})


def mixed() -> list[UsageRow]:
    """Billed, computed and unpriced usage of one key and hour, and failed requests without tokens."""
    return [
        usage(cache_read_tokens=30, requests=7, failed_requests=2, retried_requests=1),
        usage(cost_usd="0.000000000011", user="ann"),
        usage(model="our-own"),
        usage(model="our-own", cost_usd="0.5", user="bob"),
        usage(input_tokens=0, output_tokens=0, requests=3, failed_requests=3, key_id="k2"),
    ]


def folder(parent: Path, name: str = "again") -> Path:
    made = parent / name
    made.mkdir()
    return made
