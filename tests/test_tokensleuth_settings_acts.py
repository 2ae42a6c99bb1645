"""Settings of what may be done: safe by default, and what is written wrongly is refused by its name."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from ledger.errors import RefusedError
from tokensleuth.settings import Settings
from tokensleuth.settings_acts import Actions, Gateways, Route, SlackSettings, Web
from tokensleuth.settings_reading import read_settings

SECRETS: Mapping[str, str] = {
    "secret": "TOKENSLEUTH_SECRET",
    "slack.bot_token": "SLACK_BOT_TOKEN",
    "slack.signing_secret": "SLACK_SIGNING_SECRET",
    "slack.app_token": "SLACK_APP_TOKEN",
    "gateways.litellm.secret": "LITELLM_MASTER_KEY",
    "gateways.openai.secret": "OPENAI_ADMIN_KEY",
    "gateways.anthropic.secret": "ANTHROPIC_ADMIN_KEY",
    "gateways.webhook.secret": "TOKENSLEUTH_WEBHOOK_SECRET",
    "llm.api_key": "TOKENSLEUTH_LLM_API_KEY",
}


def written(folder: Path, text: str) -> Path:
    path = folder / "tokensleuth.toml"
    path.write_text(text, "utf-8")
    return path


def test_without_settings_nothing_is_changed_by_anybody_and_nobody_is_told() -> None:
    settings = Settings()
    assert settings.actions.dry_run
    assert settings.approver == ()
    assert not settings.slack.is_configured
    assert settings.web.host == "127.0.0.1"


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        (Actions, {"limit_hours": -1}),
        (Actions, {"max_revocations_per_day": -1}),
        (Actions, {"max_actions_per_day": -1}),
        (Actions, {"max_spend_share": 1.01}),
        (Actions, {"max_spend_share": float("nan")}),
        (Actions, {"approved_hours": 0}),
        (Actions, {"watch_hours": 0}),
        (Actions, {"dryrun": True}),
        (Route, {"channel": "#alerts"}),
        (Route, {"channel": "C0X", "where": {"planet": "earth"}}),
        (Route, {"channel": "C0X", "min_severity": "dire"}),
        (Route, {"channel": "C0X", "mention": ["<!channel>"]}),
        (SlackSettings, {"team_id": "U0X"}),
        (SlackSettings, {"base_url": "slack.com"}),
        (SlackSettings, {"alerts_per_hour": 0}),
        (SlackSettings, {"quiet_hours": "24:00-07:00"}),
        (SlackSettings, {"quiet_hours": "22-7"}),
        (SlackSettings, {"timezone": "Berlin"}),
        (Web, {"port": 70_000}),
        (Web, {"public_url": "javascript:alert(1)"}),
        (Web, {"session_hours": 0}),
        (Gateways, {"litellm": {"base_url": "file:///etc/passwd"}}),
        (Gateways, {"azure": {}}),
    ],
    ids=str,
)
def test_a_setting_that_is_none_or_out_of_bounds_is_refused(
    table: type[BaseModel], wrong: dict[str, object]
) -> None:
    with pytest.raises(ValidationError):
        table.model_validate(wrong)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_in_the_file_is_refused_and_not_shown(tmp_path: Path, name: str) -> None:
    table, _, key = name.rpartition(".")
    text = f'[{table}]\n{key} = "hunter2"\n' if table else f'{key} = "hunter2"\n'
    with pytest.raises(RefusedError) as raised:
        read_settings(written(tmp_path, text))
    assert f"set {SECRETS[name]} in the environment" in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_secrets_come_from_the_environment_and_are_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, name in enumerate(SECRETS.values()):
        monkeypatch.setenv(name, f" hunter{number}-0123456789abcdef \n")
    settings = read_settings(written(tmp_path, ""))
    assert settings.gateways.litellm.secret is not None
    assert settings.gateways.litellm.secret.get_secret_value() == "hunter4-0123456789abcdef"
    assert "hunter" not in f"{settings!r} {settings.model_dump_json()}"


@pytest.mark.parametrize("name", sorted(set(SECRETS.values()) - {"TOKENSLEUTH_LLM_API_KEY"}))
def test_an_empty_secret_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for other in SECRETS.values():
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "  ")
    settings = read_settings(written(tmp_path, ""))
    gateways = [getattr(settings.gateways, gateway).secret for gateway in Gateways.model_fields]
    slack = settings.slack
    assert {settings.secret, slack.bot_token, slack.signing_secret, slack.app_token, *gateways} == {None}


def test_slack_takes_a_channel_and_a_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = written(tmp_path, '[slack]\nchannel = "C0MAIN"\n')
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    assert not read_settings(path).slack.is_configured
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    assert read_settings(path).slack.is_configured


@pytest.mark.parametrize(
    "twice",
    [
        'name = "alice"',
        'name = "bob"\nslack = "U0ALICE"',
        'name = "bob"\nos_user = "unix-alice"',
        f'name = "bob"\nweb_token_sha256 = "{"a" * 64}"',
    ],
)
def test_two_approvers_cannot_be_the_same_person(tmp_path: Path, twice: str) -> None:
    """Else one human counts as the two people that a deletion takes."""
    alice = f'name = "alice"\nslack = "U0ALICE"\nos_user = "unix-alice"\nweb_token_sha256 = "{"a" * 64}"'
    path = written(tmp_path, f"[[approver]]\n{alice}\n[[approver]]\n{twice}\n")
    with pytest.raises(RefusedError, match="approver"):
        read_settings(path)
