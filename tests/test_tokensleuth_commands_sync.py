from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from evals.fake_anthropic_usage import FakeAnthropicUsage, fake_anthropic_usage
from evals.fake_litellm_spend import FakeLiteLlmSpend, fake_litellm_spend
from evals.fake_openai_usage import FakeOpenAiUsage, fake_openai_usage
from evals.loopback import Loopback
from tests.cli_runner import Ran, contract_errors, run, run_json
from tests.sync_cases import HOUR, environment_of
from tokensleuth.clock import utc_now


@dataclass
class Company:
    """One organisation at each, and the settings that lead there."""

    openai: FakeOpenAiUsage
    anthropic: FakeAnthropicUsage
    litellm: FakeLiteLlmSpend
    served: dict[str, Loopback]
    folder: Path

    def sync(self, *arguments: str, json: bool = True) -> Ran:
        config = self.folder / "tokensleuth.toml"
        runs = run_json if json else run
        return runs("sync", *arguments, "--config", config, "--ledger", self.folder / "ledger.duckdb")


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    for name, value in environment_of(["openai", "anthropic", "litellm"]).items():
        monkeypatch.setenv(name, value)
    with ExitStack() as stack:
        openai, at_openai = stack.enter_context(fake_openai_usage())
        anthropic, at_anthropic = stack.enter_context(fake_anthropic_usage())
        litellm, at_litellm = stack.enter_context(fake_litellm_spend())
        served = {"openai": at_openai, "anthropic": at_anthropic, "litellm": at_litellm}
        tables = [
            f'[[source]]\nkind = "{kind}"\nfirst_days = 1\n'
            f'base_url = "{at.url}{"/v1" if kind == "openai" else ""}"\n'
            for kind, at in served.items()
        ]
        (tmp_path / "tokensleuth.toml").write_text("\n".join(tables))
        yield Company(openai, anthropic, litellm, served, tmp_path)


def spend(company: Company) -> None:
    at = utc_now().replace(minute=0, second=0) - 3 * HOUR
    company.openai.add(at, project_id="proj_1", model="gpt-4o", input_uncached=5, requests=2)
    company.anthropic.add(at, {"model": "claude-sonnet-4-5"}, output=7)
    company.litellm.add("r1", at)


def items(ran: Ran) -> list[dict[str, object]]:
    return cast(list[dict[str, object]], ran.document["items"])


def test_every_source_is_pulled_and_told(company: Company) -> None:
    spend(company)
    ran = company.sync()
    assert ran.exit_code == 0
    assert {(str(i["source"]), str(i["stream"])) for i in items(ran) if i["new"]} == {
        ("openai", "completions"),
        ("anthropic", "messages"),
        ("litellm", "spend-logs"),
    }
    assert [ran.document[name] for name in ("read", "new", "rejected", "errors")] == [3, 3, 0, []]
    warnings = cast(list[str], ran.document["warnings"])
    assert "openai: what goes through LiteLLM counts twice unless except_keys names its keys" in warnings


def test_the_second_sync_finds_nothing_new(company: Company) -> None:
    spend(company)
    company.sync()
    ran = company.sync()
    assert [ran.document[name] for name in ("new", "duplicate", "restated")] == [0, 3, 0]


def test_what_it_prints_is_the_documented_contract(company: Company) -> None:
    spend(company)
    company.openai.broken_sums = True
    company.litellm.path = "/elsewhere"
    assert list(contract_errors("sync", company.sync().document)) == []


def test_one_source_that_fails_keeps_no_other_out(company: Company) -> None:
    spend(company)
    company.litellm.path = "/elsewhere"
    ran = company.sync()
    assert (ran.exit_code, ran.document["new"]) == (1, 2)
    (failed,) = [i for i in items(ran) if i["error"]]
    assert failed["source"] == "litellm"


def test_a_rejected_row_makes_the_sync_done_in_part(company: Company) -> None:
    spend(company)
    company.openai.broken_sums = True
    ran = company.sync("--source", "openai")
    assert (ran.exit_code, ran.document["rejected"]) == (1, 1)


def test_when_nothing_can_be_reached_the_exit_code_says_so(company: Company) -> None:
    company.litellm.path = "/elsewhere"
    assert company.sync("--source", "litellm").exit_code == 3


def test_a_key_that_is_not_set_is_told_with_its_variable(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_ADMIN_KEY")
    ran = company.sync("--source", "anthropic")
    assert ran.exit_code == 3
    assert items(ran)[0]["error"] == "anthropic: no key; set ANTHROPIC_ADMIN_KEY in the environment"


def test_wrong_use_is_refused(company: Company) -> None:
    assert company.sync("--source", "nobody").exit_code == 2
    assert company.sync("--since", "2026-01-01").exit_code == 2


def test_since_reaches_further_back(company: Company) -> None:
    at = utc_now().replace(minute=0, second=0) - 100 * HOUR
    company.litellm.add("old", at)
    assert company.sync("--source", "litellm").document["new"] == 0
    since = (at - HOUR).strftime("%Y-%m-%dT%H:00Z")
    assert company.sync("--source", "litellm", "--since", since).document["new"] == 1


def test_people_get_a_table(company: Company) -> None:
    spend(company)
    ran = company.sync("--source", "openai", json=False)
    assert ran.exit_code == 0
    assert "completions" in ran.stdout
    assert "1 rows read: 1 new" in ran.stdout


def test_keys_of_a_gateway_that_is_pulled_itself_are_left_out(company: Company) -> None:
    config = company.folder / "tokensleuth.toml"
    config.write_text(
        config.read_text().replace('kind = "openai"', 'kind = "openai"\nexcept_keys = ["key_gate*"]')
    )
    at = utc_now().replace(minute=0, second=0) - 3 * HOUR
    company.openai.add(at, project_id="proj_1", api_key_id="key_gateway", model="gpt-4o", input_uncached=5)
    company.openai.add(at, project_id="proj_1", api_key_id="key_own", model="gpt-4o", input_uncached=7)
    ran = company.sync()
    pulled = [item for item in items(ran) if item["source"] == "openai"]
    assert sum(int(str(item["new"])) for item in pulled) == 1
