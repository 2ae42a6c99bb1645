"""Usage without a price has no dollars, and its spikes are told all the same."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from tests.cli_runner import contract_errors, run, run_json
from tests.usage_builder import UsageRow, usage, write

WEEK = "2026-11-09..2026-11-15"
SPIKE = ("2026-11-13T09:00:00Z", "2026-11-13T15:00:00Z")


def hours_of(model: str, *, spike: int = 8, tokens: int = 100_000) -> list[UsageRow]:
    """Three weeks of one key, with a spike in the last one."""
    rows = []
    for i in range(21 * 24):
        at = f"2026-{10 if i < 6 * 24 else 11}-{(26 + i // 24 - 1) % 31 + 1:02}T{i % 24:02}:00:00Z"
        size = tokens * (3 if 8 <= i % 24 < 20 else 1) + i % 7 * 1000
        many = spike if SPIKE[0] <= at < SPIKE[1] else 1
        rows.append(usage(at, model=model, key_id=f"key-{model}", input_tokens=size * many))
    return rows


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpriced")
    rows = [*hours_of("acme-7b"), *hours_of("gpt-4o", spike=1)]
    assert run("ingest", write(folder / "u.csv", rows), *stores(folder)).exit_code == 0
    return folder


def stores(home: Path) -> list[str]:
    return ["--ledger", str(home / "l.duckdb")]


def listed(document: Mapping[str, object], name: str) -> Sequence[Mapping[str, object]]:
    return cast(Sequence[Mapping[str, object]], document[name])


def test_a_spike_in_tokens_without_a_price_is_found_and_has_no_dollars(home: Path) -> None:
    document = run_json("detect", WEEK, "--scores", *stores(home)).document
    assert not list(contract_errors("detect", document))
    (spike,) = [s for s in listed(document, "spikes") if s["actual_tokens"]]
    assert (spike["start_at"], spike["end_at"]) == SPIKE
    assert cast(Mapping[str, object], spike["series"])["metric"] == "tokens"
    assert spike["excess_usd"] is None
    assert document["unpriced_models"] == ["acme-7b"]


def test_the_scores_hold_every_series_that_was_scored(home: Path) -> None:
    document = run_json("detect", WEEK, "--scores", *stores(home)).document
    assert len(listed(document, "scores")) == document["series_scored"]


def test_an_investigation_names_what_it_could_not_count(home: Path) -> None:
    ran = run_json("investigate", WEEK, *stores(home))
    assert not list(contract_errors("investigate", ran.document))
    assert [s["start_at"] for s in listed(ran.document, "unpriced_spikes")] == [SPIKE[0]]
    assert "acme-7b have no price" in run("investigate", WEEK, *stores(home)).stdout
    assert "acme-7b have no price" in run("investigate", WEEK, "--explain", *stores(home)).stdout


def test_a_scope_in_which_everything_has_a_price_says_nothing_of_it(home: Path) -> None:
    document = run_json("detect", WEEK, "--where", "model=gpt-4o", *stores(home)).document
    assert document["unpriced_tokens"] == 0
    assert "no price" not in run("detect", WEEK, "--where", "model=gpt-4o", *stores(home)).stdout


def test_a_scope_without_usage_is_refused_whatever_is_asked(home: Path) -> None:
    for asked in (["detect"], ["investigate"], ["investigate", "--explain"]):
        ran = run(*asked, WEEK, "--where", "team=nobody", *stores(home))
        assert ran.exit_code == 2
        assert "no usage of team=nobody" in ran.stderr


def test_without_a_range_the_last_week_of_usage_is_looked_at(home: Path) -> None:
    document = run_json("detect", *stores(home)).document
    assert document["range"] == {"start_at": "2026-11-09T00:00:00Z", "end_at": "2026-11-16T00:00:00Z"}
