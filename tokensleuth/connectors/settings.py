"""Settings of live sources: the `[[source]]` tables, and their keys from the environment."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from ledger.errors import RefusedError
from tokensleuth.settings_acts import web_address

SourceKind = Literal["openai", "anthropic", "litellm", "langfuse", "bedrock", "copilot"]

KEY_OF: Mapping[SourceKind, str] = {
    "openai": "OPENAI_ADMIN_KEY",
    "anthropic": "ANTHROPIC_ADMIN_KEY",
    "litellm": "LITELLM_MASTER_KEY",
    "langfuse": "LANGFUSE_SECRET_KEY",
    "bedrock": "",
    "copilot": "GITHUB_BILLING_TOKEN",
}
"""The environment variable of a kind's key, where the table names no other; boto3 finds those of AWS."""
PUBLIC_KEY_OF: Mapping[SourceKind, str] = {"langfuse": "LANGFUSE_PUBLIC_KEY"}
"""The variable of the half of a key that is no secret, where a kind's key has two."""
ADDRESS_OF: Mapping[SourceKind, str] = {
    "openai": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
    "litellm": "http://127.0.0.1:4000",
    "langfuse": "https://cloud.langfuse.com",
    "bedrock": "",
    "copilot": "https://api.github.com",
}


class SourceSettings(BaseModel):
    """One `[[source]]`: a provider or gateway that is asked for its usage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: SourceKind
    name: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,64}$")
    """Part of every record's identity: with another name the same usage counts again. Default: the kind."""
    base_url: str = ""
    """Default: the kind's public address."""
    location: str = Field(default="", max_length=1024)
    """Of Bedrock's logs: `s3://BUCKET/PREFIX`, or a folder of the same layout."""
    organization: str = Field(default="", pattern=r"^(enterprises/)?[A-Za-z0-9-]{0,100}$")
    """Of Copilot: the GitHub organisation whose billing is read, or `enterprises/NAME`."""
    lookback_hours: int = Field(default=48, ge=1, le=744)
    """Pulled again every time, for data that comes late or is corrected."""
    first_days: int = Field(default=30, ge=1, le=366)
    """How far back the first pull goes; `sync --since` goes further."""
    page_hours: int = Field(default=24, ge=1, le=168)
    """Hours asked for and loaded at once; fewer make smaller answers and need less memory."""
    timeout_s: float = Field(default=60.0, gt=0, le=600)
    """Of one answer, whole."""
    except_keys: tuple[str, ...] = ()
    """Globs of key ids or names whose usage is left out: those of a gateway that is a source itself."""
    secret_env: str = Field(default="", pattern=r"^[A-Za-z0-9_]*$")
    """The environment variable that holds the key; default: the kind's."""
    secret: SecretStr | None = Field(default=None, exclude=True)
    """From the environment, never from the file."""
    public_key_env: str = Field(default="", pattern=r"^[A-Za-z0-9_]*$")
    """The environment variable of the public half of a key that has two; default: the kind's."""
    public_key: SecretStr | None = Field(default=None, exclude=True)
    """From the environment, never from the file."""

    @field_validator("base_url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        return web_address(url) if url else url

    @property
    def called(self) -> str:
        return self.name or self.kind

    @property
    def address(self) -> str:
        return self.base_url or ADDRESS_OF[self.kind]

    @property
    def key_variable(self) -> str:
        return self.secret_env or KEY_OF[self.kind]

    @property
    def public_key_variable(self) -> str:
        return self.public_key_env or PUBLIC_KEY_OF.get(self.kind, "")


def different_names(sources: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
    """The same; raises ValueError where two would be one, or where the file holds a key."""
    names = [source.called for source in sources]
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"two sources are called {doubled}; give each a name of its own")
    for source in sources:
        if source.secret is not None:
            raise RefusedError(f"source.secret is no setting; set {source.key_variable} in the environment")
        if source.public_key is not None:
            raise RefusedError(
                f"source.public_key is no setting; set {source.public_key_variable} in the environment"
            )
    return sources


def with_secrets(
    sources: Sequence[SourceSettings], environment: Mapping[str, str]
) -> tuple[SourceSettings, ...]:
    """The sources with their keys, where the environment has them."""

    def found(variable: str) -> SecretStr | None:
        text = environment.get(variable, "").strip()
        return SecretStr(text) if text else None

    return tuple(
        source.model_copy(
            update={"secret": found(source.key_variable), "public_key": found(source.public_key_variable)}
        )
        for source in sources
    )


def needed_secret(source: SourceSettings) -> SecretStr:
    """Its key; raises RefusedError where the environment has none."""
    if source.secret is None:
        raise RefusedError(f"{source.called}: no key; set {source.key_variable} in the environment")
    return source.secret


def needed_public_key(source: SourceSettings) -> SecretStr:
    """The public half of its key; raises RefusedError where the environment has none."""
    if source.public_key is None:
        raise RefusedError(
            f"{source.called}: no public key; set {source.public_key_variable} in the environment"
        )
    return source.public_key
