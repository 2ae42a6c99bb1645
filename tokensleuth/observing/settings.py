"""The `[log]`, `[metrics]` and `[heartbeat]` tables of the settings."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

HEARTBEAT_VARIABLE = "TOKENSLEUTH_HEARTBEAT_URL"
METRICS_VARIABLE = "TOKENSLEUTH_METRICS_TOKEN"


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LogSettings(_Table):
    """What is written to stderr."""

    format: Literal["text", "json"] = "text"
    """`json`: one object per line, for machines that collect logs."""
    level: Literal["debug", "info", "warning", "error"] = "info"


class MetricsSettings(_Table):
    """GET /metrics of the web inbox, for Prometheus."""

    enabled: bool = True
    token: SecretStr | None = Field(default=None, exclude=True)
    """From the environment: TOKENSLEUTH_METRICS_TOKEN. Where it is set, only its bearer may scrape."""


class HeartbeatSettings(_Table):
    """An address outside that raises the alarm when it hears nothing; without a url there is none."""

    url: SecretStr | None = None
    """Whoever knows it can keep it quiet; TOKENSLEUTH_HEARTBEAT_URL overrides it."""
    every_s: float = Field(default=60, ge=5, le=3600)
    timeout_s: float = Field(default=10, gt=0, le=60)

    @field_validator("url")
    @classmethod
    def _is_web_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url


def heartbeat_with(settings: HeartbeatSettings, environment: Mapping[str, str]) -> HeartbeatSettings:
    """The settings with the address of the environment; raises ValidationError where it is none."""
    text = environment.get(HEARTBEAT_VARIABLE, "").strip()
    return HeartbeatSettings(**{**dict(settings), "url": SecretStr(text)}) if text else settings


def metrics_with(settings: MetricsSettings, environment: Mapping[str, str]) -> MetricsSettings:
    """The settings with the token of the environment."""
    text = environment.get(METRICS_VARIABLE, "").strip()
    return settings.model_copy(update={"token": SecretStr(text) if text else None})
