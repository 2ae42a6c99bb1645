"""What `doctor` and the settings say of the language model."""

from pathlib import Path

import pytest

from agent.llm.port import Limits
from ledger.errors import RefusedError
from tokensleuth.app import App, Overrides
from tokensleuth.checks import Check
from tokensleuth.investigator import limits_of
from tokensleuth.model_checks import model_checks
from tokensleuth.settings import LlmSettings
from tokensleuth.settings_reading import read_settings

NAMES = ("MODEL", "BASE_URL", "API_KEY")


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*(f"TOKENSLEUTH_LLM_{n}" for n in NAMES), "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def _file(folder: Path, text: str) -> Path:
    path = folder / "tokensleuth.toml"
    path.write_text(text, "utf-8")
    return path


def _checks(folder: Path, text: str = "") -> list[Check]:
    app = App.configured(Overrides(config=_file(folder, text), ledger=folder / "l.duckdb"))
    with app.casebook() as casebook:
        return list(model_checks(app, casebook))


def test_without_a_model_the_rules_work_alone(tmp_path: Path) -> None:
    told = "none: llm.model is not set, so the rules work alone"
    assert _checks(tmp_path) == [Check("model", "ok", told)]


def test_a_model_without_a_key_is_told(tmp_path: Path) -> None:
    (found,) = _checks(tmp_path, '[llm]\nmodel = "gpt-5-mini"')
    assert found.status == "warn"
    assert "TOKENSLEUTH_LLM_API_KEY is not set" in found.detail


def test_a_server_that_is_not_there_and_a_price_nobody_knows_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-shown")
    text = '[llm]\nmodel = "our-own-llama"\nbase_url = "http://127.0.0.1:9/v1"'
    checks = {c.name: c for c in _checks(tmp_path, text)}
    assert "not reachable" in checks["model"].detail
    assert "limits in dollars do not hold" in checks["model price"].detail
    assert not any("sk-never-shown" in c.detail for c in checks.values())


def test_the_environment_overrides_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENSLEUTH_LLM_MODEL", "from-environment")
    monkeypatch.setenv("TOKENSLEUTH_LLM_API_KEY", "sk-1")
    llm = read_settings(_file(tmp_path, '[llm]\nmodel = "from-file"\nusd = 0.25')).llm
    assert (llm.model, llm.usd, llm.is_configured) == ("from-environment", 0.25, True)


def test_a_key_is_not_shown_with_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOKENSLEUTH_LLM_API_KEY", "sk-never-shown")
    settings = read_settings(_file(tmp_path, ""))
    assert "sk-never-shown" not in repr(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[llm]\napi_key = "sk-1"', "llm.api_key is no setting; set TOKENSLEUTH_LLM_API_KEY"),
        ('[llm]\nbase_url = "localhost:1"', "must start with http:// or https://"),
        ("[llm]\nusd = -1", "llm.usd = -1"),
        ("[llm]\nmodel_calls = 0", "llm.model_calls = 0"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told.replace(".", r"\.")):
        read_settings(_file(tmp_path, text))


def test_limits_have_the_same_defaults_in_settings_and_code() -> None:

    assert limits_of(LlmSettings()) == Limits()
