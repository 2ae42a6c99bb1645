"""Reads the settings once: one TOML file, and the environment for what must not lie in a file."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr, ValidationError

from ledger.errors import RefusedError
from tokensleuth.connectors.settings import with_secrets
from tokensleuth.observing.settings import heartbeat_with, metrics_with
from tokensleuth.otlp.settings import with_token
from tokensleuth.settings import LlmSettings, Settings

DEFAULT_FILE = Path("tokensleuth.toml")

_LLM_ENVIRONMENT = {
    "model": ("TOKENSLEUTH_LLM_MODEL",),
    "base_url": ("TOKENSLEUTH_LLM_BASE_URL",),
    "api_key": ("TOKENSLEUTH_LLM_API_KEY", "OPENAI_API_KEY"),
}

_SECRETS: Mapping[tuple[str, ...], str] = {
    ("secret",): "TOKENSLEUTH_SECRET",
    ("slack", "bot_token"): "SLACK_BOT_TOKEN",
    ("slack", "signing_secret"): "SLACK_SIGNING_SECRET",
    ("slack", "app_token"): "SLACK_APP_TOKEN",
    ("gateways", "litellm", "secret"): "LITELLM_MASTER_KEY",
    ("gateways", "openai", "secret"): "OPENAI_ADMIN_KEY",
    ("gateways", "anthropic", "secret"): "ANTHROPIC_ADMIN_KEY",
    ("gateways", "webhook", "secret"): "TOKENSLEUTH_WEBHOOK_SECRET",
    ("llm", "api_key"): "TOKENSLEUTH_LLM_API_KEY",
}
"""Where each secret belongs, and the only place it is read from."""


def read_settings(path: Path | None) -> Settings:
    """Settings from `path`, else from ./tokensleuth.toml where it exists, else the defaults."""
    chosen = path or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    if chosen is None:
        return _with_environment(Settings())
    try:
        given = tomllib.loads(chosen.read_text("utf-8"))
        _refuse_secrets(given)
        return _with_environment(Settings.model_validate(given))
    except RefusedError as error:
        raise RefusedError(f"{chosen}: {error}") from None
    except OSError as error:
        raise RefusedError(f"{chosen}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RefusedError(f"{chosen}: not TOML: {error}") from None
    except ValidationError as error:
        raise RefusedError("\n".join(_told(chosen, error))) from None


def _refuse_secrets(given: Mapping[str, object]) -> None:
    """A key in a file is read by too many."""
    for path, name in _SECRETS.items():
        if _holds(given, path):
            raise RefusedError(f"{'.'.join(path)} is no setting; set {name} in the environment")


def _holds(given: object, path: tuple[str, ...]) -> bool:
    for part in path:
        if not isinstance(given, dict) or part not in given:
            return False
        given = given[part]
    return True


def _with_environment(settings: Settings) -> Settings:
    """The settings with what only the environment says."""
    return _with_secrets(settings.model_copy(update={"llm": _llm_with_environment(settings.llm)}))


def _with_secrets(settings: Settings) -> Settings:
    def secret(*path: str) -> SecretStr | None:
        text = os.environ.get(_SECRETS[path], "").strip()
        return SecretStr(text) if text else None

    tokens = {name: secret("slack", name) for name in ("bot_token", "signing_secret", "app_token")}
    gateways = settings.gateways
    addresses = {
        name: getattr(gateways, name).model_copy(update={"secret": secret("gateways", name, "secret")})
        for name in type(gateways).model_fields
    }
    return settings.model_copy(
        update={
            "secret": secret("secret"),
            "slack": settings.slack.model_copy(update=tokens),
            "gateways": gateways.model_copy(update=addresses),
            "source": with_secrets(settings.source, os.environ),
            "otlp": with_token(settings.otlp, os.environ),
            "metrics": metrics_with(settings.metrics, os.environ),
            "heartbeat": heartbeat_with(settings.heartbeat, os.environ),
        }
    )


def _llm_with_environment(llm: LlmSettings) -> LlmSettings:
    """What the environment says of the model: the key only there, the rest instead of the file."""
    said = {
        field: next((n for n in names if os.environ.get(n)), None)
        for field, names in _LLM_ENVIRONMENT.items()
    }
    if said["base_url"] is None and "base_url" not in llm.model_fields_set:
        said["base_url"] = "OPENAI_BASE_URL" if os.environ.get("OPENAI_BASE_URL") else None
    found = {field: os.environ[name] for field, name in said.items() if name}
    try:
        return LlmSettings.model_validate({**llm.model_dump(exclude_unset=True), **found})
    except ValidationError as error:
        name = said.get(str(error.errors()[0]["loc"][0])) or "the environment"
        raise RefusedError(f"{name}: {error.errors()[0]['msg'].lower()}") from None


_UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}
_NOT_A_VALUE = {"missing", *_UNKNOWN}


def _told(path: Path, error: ValidationError) -> list[str]:
    """One line a wrong setting: where it stands, what it holds, what would be right."""
    lines = []
    for wrong in error.errors():
        key = ".".join(str(part) for part in wrong["loc"])
        value = "" if wrong["type"] in _NOT_A_VALUE else f" = {wrong['input']!r}"
        reason = "is no setting" if wrong["type"] in _UNKNOWN else wrong["msg"].lower()
        lines.append(f"{path}: {key}{value}: {reason}")
    return lines
