from pathlib import Path

import pytest
from pydantic import SecretStr

from ledger.errors import RefusedError
from tokensleuth.connectors.choosing import chosen, configured_sources, source_of
from tokensleuth.connectors.settings import SourceSettings
from tokensleuth.settings_acts import Gateways, OpenAiAdminAddress
from tokensleuth.settings_reading import read_settings


def settings_file(folder: Path, text: str) -> Path:
    path = folder / "tokensleuth.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_source_needs_only_its_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_ADMIN_KEY", "sk-ant-admin-1")
    (source,) = read_settings(settings_file(tmp_path, '[[source]]\nkind = "anthropic"\n')).source
    assert (source.called, source.address, source.lookback_hours) == (
        "anthropic",
        "https://api.anthropic.com",
        48,
    )
    assert source.secret == SecretStr("sk-ant-admin-1")


def test_two_organisations_have_a_key_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-1")
    monkeypatch.setenv("KEY_OF_EU", "sk-admin-2")
    text = '[[source]]\nkind = "openai"\n[[source]]\nkind = "openai"\nname = "eu"\nsecret_env = "KEY_OF_EU"\n'
    found = read_settings(settings_file(tmp_path, text)).source
    assert [(s.called, s.secret and s.secret.get_secret_value()) for s in found] == [
        ("openai", "sk-admin-1"),
        ("eu", "sk-admin-2"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[source]]\nkind = "openai"\n[[source]]\nkind = "openai"', "two sources are called openai"),
        ('[[source]]\nkind = "openai"\nsecret = "sk-admin-1"', "secret is no setting; set OPENAI_ADMIN_KEY"),
        ('[[source]]\nkind = "azure"', "source.0.kind = 'azure'"),
        ('[[source]]\nkind = "openai"\nlookback = 3', "source.0.lookback: is no setting"),
        ('[[source]]\nkind = "openai"\nlookback_hours = 0', "source.0.lookback_hours = 0"),
        ('[[source]]\nkind = "openai"\nbase_url = "api"', "must start with http"),
        ('[[source]]\nkind = "openai"\nname = "a/b"', "source.0.name = 'a/b'"),
    ],
)
def test_wrong_settings_say_what_is_wrong(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError) as refused:
        read_settings(settings_file(tmp_path, text))
    assert told in str(refused.value)


def test_without_tables_the_gateways_with_a_key_are_the_sources() -> None:
    address = OpenAiAdminAddress(base_url="http://127.0.0.1:9/v1").model_copy(
        update={"secret": SecretStr("sk-admin-1")}
    )
    (source,) = configured_sources((), Gateways(openai=address))
    assert (source.called, source.address) == ("openai", "http://127.0.0.1:9/v1")


def test_without_anything_it_says_what_to_set() -> None:
    with pytest.raises(RefusedError, match="set one of OPENAI_ADMIN_KEY, ANTHROPIC_ADMIN_KEY"):
        configured_sources((), Gateways())


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    with pytest.raises(RefusedError, match="no source is called 'x'; there are: openai"):
        chosen([SourceSettings(kind="openai")], "x")


def test_a_source_without_its_key_says_which_variable() -> None:
    with pytest.raises(RefusedError, match="eu: no key; set OPENAI_ADMIN_KEY in the environment"):
        source_of(SourceSettings(kind="openai", name="eu"))
