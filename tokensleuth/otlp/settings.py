"""Settings of the OTLP receiver: the `[otlp]` table, and its token from the environment."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from ledger.errors import RefusedError
from ledger.scope import Dimension
from ledger.sources.otlp_scope import DEFAULT_ATTRIBUTES, Naming

TOKEN_VARIABLE = "TOKENSLEUTH_OTLP_TOKEN"  # noqa: S105 - the name of a variable

BookedSignal = Literal["auto", "metrics", "spans"]
"""`auto`: metrics where a client sends them for that provider and hour, else its spans."""
_MEGABYTE = 1_000_000


class OtlpSettings(BaseModel):
    """`[otlp]`: clients that push `gen_ai.client.token.usage` or GenAI spans."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = False
    """Whether `serve` listens for OTLP/HTTP."""
    host: str = "127.0.0.1"
    """Another than loopback needs TOKENSLEUTH_OTLP_TOKEN, which clients send as a bearer token."""
    port: int = Field(default=4318, ge=0, le=65535)
    """0 takes a free one."""
    signal: BookedSignal = "auto"
    """Which signal is booked; the other tells the same tokens again. A change holds from the first hour not
    loaded yet."""
    settle_seconds: int = Field(default=120, ge=0, le=3600)
    """An hour is loaded so long after its end: clients export every minute. What comes later restates it."""
    keep_days: int = Field(default=35, ge=2, le=400)
    """How long hours are restated and repeated requests known; later points become rows of their own."""
    max_body_mb: int = Field(default=8, ge=1, le=256)
    """Of one request as it is sent."""
    max_decoded_mb: int = Field(default=32, ge=1, le=1024)
    """Of one request after decompression."""
    max_spool_mb: int = Field(default=1000, ge=1, le=100_000)
    """Of requests stored and not flushed yet; beyond it clients are told to come again later."""
    cache_beside_input: tuple[str, ...] = ()
    """Globs of clients (`service.name`) whose spans count cached tokens beside the input, not in it."""
    attributes: dict[Dimension, tuple[str, ...]] = Field(default_factory=dict)
    """Which attributes hold a dimension, where it is not by the usual ones: team = ["org.team"]."""
    token: SecretStr | None = Field(default=None, exclude=True)
    """From the environment, never from the file."""

    @field_validator("attributes")
    @classmethod
    def _are_told_elsewhere(cls, given: dict[Dimension, tuple[str, ...]]) -> dict[Dimension, tuple[str, ...]]:
        if fixed := [name for name in given if name in ("provider", "model")]:
            raise ValueError(f"{fixed[0]} is always read from the gen_ai attributes")
        return given

    @property
    def naming(self) -> Naming:
        own = {str(name): attributes for name, attributes in self.attributes.items()}
        return Naming({**DEFAULT_ATTRIBUTES, **own}, self.cache_beside_input)

    @property
    def max_body_bytes(self) -> int:
        return self.max_body_mb * _MEGABYTE

    @property
    def max_decoded_bytes(self) -> int:
        return self.max_decoded_mb * _MEGABYTE

    @property
    def max_spool_bytes(self) -> int:
        return self.max_spool_mb * _MEGABYTE


def with_token(settings: OtlpSettings, environment: Mapping[str, str]) -> OtlpSettings:
    """The settings with the token, where the environment has one; raises RefusedError for one in the file."""
    if settings.token is not None:
        raise RefusedError(f"otlp.token is no setting; set {TOKEN_VARIABLE} in the environment")
    text = environment.get(TOKEN_VARIABLE, "").strip()
    return settings.model_copy(update={"token": SecretStr(text) if text else None})


def refuse_open_door(settings: OtlpSettings) -> None:
    """Raises RefusedError where others than this machine could send without a token."""
    if settings.token is None and not _is_loopback(settings.host):
        raise RefusedError(
            f"otlp.host is {settings.host}, which others can reach: set {TOKEN_VARIABLE} in the environment, "
            "or host to 127.0.0.1"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
