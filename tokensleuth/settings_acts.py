"""Settings of what people decide and the service does: approvers, actions, Slack, the web inbox, gateways."""

import re
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from ledger.scope import Dimension

Severity = Literal["low", "medium", "high"]

_CHANNEL = r"^[CGDUW][A-Z0-9]{2,}$"
_QUIET = re.compile(r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def web_address(url: str) -> str:
    """The address without a slash at its end; raises ValueError where it is none."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return url.rstrip("/")


class Actions(_Table):
    """What approved actions may do, and the guard rails no approval lifts."""

    dry_run: bool = True
    """Rehearse: say what would be done and change nothing. Turn it off when you trust what you saw."""
    limit_hours: int = Field(default=24, ge=0, le=8760)
    """Limits, budgets and downgrades are taken back after so many hours; 0: they stay until undone."""
    max_revocations_per_day: int = Field(default=3, ge=0)
    """Keys deleted within 24 h."""
    max_actions_per_day: int = Field(default=20, ge=0)
    """Actions of all kinds within 24 h; undoing is always allowed."""
    max_spend_share: float = Field(default=0.05, ge=0, le=1)
    """Of all spend of the last 24 h: an action on more of it takes two people."""
    approved_hours: int = Field(default=1, ge=1, le=168)
    """What was approved longer ago and not begun, because nothing ran, is not done any more."""
    own_keys: tuple[str, ...] = ()
    """Globs of the key ids that tokensleuth itself uses: never touched."""
    watch_hours: int = Field(default=24, ge=1, le=720)
    """How long after an action usage is looked at: did it help, did it hurt."""


class Route(_Table):
    """Who is told of which incidents; every route that fits is told."""

    channel: str = Field(pattern=_CHANNEL)
    """A Slack channel id, or a user id for a direct message."""
    where: dict[Dimension, str] = Field(default_factory=dict)
    """Globs over the incident's scope, such as team = "search*"; empty: every incident."""
    owner: str | None = None
    """A glob over the owner that the incident's proposals name."""
    min_severity: Severity = "low"
    mention: tuple[str, ...] = ()
    """Slack user ids that are named in the message."""

    @field_validator("mention")
    @classmethod
    def _are_users(cls, users: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [user for user in users if not re.fullmatch(r"[UWS][A-Z0-9]{2,}", user)]
        if wrong:
            raise ValueError(f"{wrong[0]} is no Slack user id")
        return users


class SlackSettings(_Table):
    """Where alerts go; without a channel and a token in SLACK_BOT_TOKEN there is no Slack."""

    channel: str | None = Field(default=None, pattern=_CHANNEL)
    """Told of what no route is told of, and of storms."""
    team_id: str | None = Field(default=None, pattern=r"^[TE][A-Z0-9]{2,}$")
    """The home workspace: clicks from any other are refused; without it all clicks are."""
    base_url: str = "https://slack.com/api/"
    alerts_per_hour: int = Field(default=19, ge=1, le=100)
    """Messages of their own; what comes beyond is told together in one that is kept up to date."""
    quiet_hours: str | None = None
    """Such as "22:00-07:00": low severity waits until they end."""
    timezone: str = "UTC"
    bot_token: SecretStr | None = Field(default=None, exclude=True)
    """From the environment: SLACK_BOT_TOKEN."""
    signing_secret: SecretStr | None = Field(default=None, exclude=True)
    """SLACK_SIGNING_SECRET: for the HTTP endpoint."""
    app_token: SecretStr | None = Field(default=None, exclude=True)
    """SLACK_APP_TOKEN: for Socket Mode, which needs no public address."""

    @field_validator("base_url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        return web_address(url) + "/"

    @field_validator("quiet_hours")
    @classmethod
    def _are_hours(cls, hours: str | None) -> str | None:
        if hours is not None and not _QUIET.match(hours):
            raise ValueError("must be like 22:00-07:00")
        return hours

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("is no timezone; write it like Europe/Berlin")
        return name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def is_configured(self) -> bool:
        return bool(self.channel and self.bot_token)


class Web(_Table):
    """The inbox in the browser."""

    host: str = "127.0.0.1"
    port: int = Field(default=8377, ge=0, le=65535)
    public_url: str | None = None
    """How people reach it, for links in messages; also makes cookies secure where it is https."""
    session_hours: int = Field(default=12, ge=1, le=720)
    hosts: tuple[str, ...] = ()
    """Other names under which it is asked, such as the name of its container."""

    @field_validator("public_url")
    @classmethod
    def _is_web_address(cls, url: str | None) -> str | None:
        return url and web_address(url)


class GatewayAddress(_Table):
    """One gateway that can be told to act."""

    base_url: str
    secret: SecretStr | None = Field(default=None, exclude=True)
    """From the environment, never from the file."""

    @field_validator("base_url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        return web_address(url)


class LiteLlmAddress(GatewayAddress):
    """A LiteLLM proxy; its admin key in LITELLM_MASTER_KEY."""

    base_url: str = "http://127.0.0.1:4000"


class OpenAiAdminAddress(GatewayAddress):
    """OpenAI's admin API; key in OPENAI_ADMIN_KEY."""

    base_url: str = "https://api.openai.com/v1"


class AnthropicAdminAddress(GatewayAddress):
    """Anthropic's admin API; key in ANTHROPIC_ADMIN_KEY."""

    base_url: str = "https://api.anthropic.com"


class WebhookAddress(GatewayAddress):
    """Your own gateway behind a signed webhook; secret in TOKENSLEUTH_WEBHOOK_SECRET; see docs/webhook.md."""

    base_url: str = "http://127.0.0.1:9000/tokensleuth"


class Gateways(_Table):
    """What executes approved actions."""

    litellm: LiteLlmAddress = LiteLlmAddress()
    openai: OpenAiAdminAddress = OpenAiAdminAddress()
    anthropic: AnthropicAdminAddress = AnthropicAdminAddress()
    webhook: WebhookAddress = WebhookAddress()
