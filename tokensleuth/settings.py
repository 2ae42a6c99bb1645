"""The settings: one TOML file, read once, every key known, every default here."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from detectors.settings import DetectorSettings
from ledger.errors import RefusedError
from ledger.owners import OwnerRule
from ledger.prices.overrides import ModelAlias, PriceOverride
from tools.calendar import CalendarEntry

DEFAULT_FILE = Path("tokensleuth.toml")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _data_home() -> Path:
    """Where a program keeps its data by the XDG base directory rules."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "tokensleuth"


class Store(_Table):
    """Where the two stores lie."""

    ledger: Path = Field(default_factory=lambda: _data_home() / "ledger.duckdb")
    """The DuckDB file."""
    casebook: str | None = None
    """An SQLAlchemy URL; by default an SQLite file beside the ledger."""

    @field_validator("ledger")
    @classmethod
    def _home_expanded(cls, path: Path) -> Path:
        return path.expanduser()

    @property
    def casebook_url(self) -> str:
        return self.casebook or f"sqlite:///{self.ledger.absolute().with_suffix('.casebook.sqlite')}"

    @property
    def checkpoints(self) -> Path:
        """Where the graph keeps its steps; may be deleted at any time."""
        return self.ledger.absolute().with_suffix(".checkpoints.sqlite")


class Proposals(_Table):
    """What may be proposed."""

    expire_hours: int = Field(default=4, ge=1, le=168)
    """A proposal not decided by then is void."""
    gateway: Literal["litellm", "openai", "anthropic", "webhook", "none"] = "none"
    """Which gateway executes actions on keys and models; `none` names the action for people to do."""
    protected_keys: tuple[str, ...] = ()
    """Globs of key ids that no action may touch."""


class Playbooks(_Table):
    """Playbooks of your own; see docs/playbooks.md."""

    folder: Path | None = None
    """Its .md files replace the shipped playbook of their name, or stand beside those of their cause."""

    @field_validator("folder")
    @classmethod
    def _home_expanded(cls, path: Path | None) -> Path | None:
        return path.expanduser() if path else None


class LlmSettings(_Table):
    """The language model that questions the rules; without a model and a key the rules work alone."""

    model: str = ""
    """The model id; empty: none. TOKENSLEUTH_LLM_MODEL overrides it."""
    base_url: str = "https://api.openai.com/v1"
    """Any server that speaks Chat Completions. TOKENSLEUTH_LLM_BASE_URL overrides it; where neither says,
    OPENAI_BASE_URL does."""
    provider: str | None = None
    """Whose price list the calls are priced by; absent: found from the model's name."""
    request_seconds: float = Field(default=60, gt=0, le=3600)
    """For one request, its whole answer included."""
    retries: int = Field(default=2, ge=0, le=10)
    """After a failed request, where that may help."""
    model_calls: int = Field(default=12, ge=1, le=100)
    """Per investigation, as all limits but the one per day."""
    tool_calls: int = Field(default=24, ge=0, le=500)
    tokens: int = Field(default=200_000, ge=1_000)
    output_tokens_per_call: int = Field(default=4_000, ge=100)
    usd: float = Field(default=0.50, ge=0)
    usd_per_day: float = Field(default=10.0, ge=0)
    """Per UTC day, over all investigations."""
    seconds: float = Field(default=180, gt=0, le=3600)
    api_key: SecretStr | None = Field(default=None, exclude=True)
    """From the environment: TOKENSLEUTH_LLM_API_KEY, else OPENAI_API_KEY; never from the file."""

    @field_validator("base_url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url

    @property
    def is_configured(self) -> bool:
        return bool(self.model and self.api_key)


class FocusTags(_Table):
    """Which FOCUS tag holds which dimension."""

    team: str = "team"
    user: str = "user"
    feature: str = "feature"


class Reports(_Table):
    """What is told first."""

    material_share: float = Field(default=0.005, ge=0, le=1)
    """An incident of less than this share of an average day's spend is minor: listed, not shown in full."""


_DETECTION_BOUNDS: dict[str, tuple[float, float]] = {
    "fire_score": (0, 1e6),
    "gate_mean_hours": (0, 1e6),
    "gate_day_mean_hours": (0, 1e6),
    "min_usd": (0, 1e9),
    "history_days": (3, 3650),
    "weekly_days": (3, 3650),
    "mask_days": (0, 3650),
    "trees": (1, 10_000),
    "tree_samples": (2, 1_000_000),
    "forest_rows": (100, 10_000_000),
    "slow_refit_days": (1, 3650),
    "max_series": (1, 1_000_000),
    "merge_hours": (0, 8760),
    "explained_share": (0, 1),
    "seed": (0, 2**32 - 1),
}
"""What the detectors can compute with; what they refuse themselves is not repeated here."""


class Settings(_Table):
    """Everything an operator can set; see tokensleuth.example.toml."""

    store: Store = Store()
    detection: DetectorSettings = DetectorSettings()
    reports: Reports = Reports()
    proposals: Proposals = Proposals()
    playbooks: Playbooks = Playbooks()
    llm: LlmSettings = LlmSettings()
    focus_tags: FocusTags = FocusTags()
    owner: tuple[OwnerRule, ...] = ()
    model_alias: tuple[ModelAlias, ...] = ()
    price_override: tuple[PriceOverride, ...] = ()
    calendar: tuple[CalendarEntry, ...] = ()
    """What was planned: changes of spend in these hours and scopes have an explanation to check first."""

    @field_validator("detection")
    @classmethod
    def _within_bounds(cls, detection: DetectorSettings) -> DetectorSettings:
        for name, (least, most) in _DETECTION_BOUNDS.items():
            if not least <= getattr(detection, name) <= most:
                raise RefusedError(
                    f"detection.{name} = {getattr(detection, name)}: must be from {least:,} to {most:,}"
                )
        if detection.history_days < detection.min_days:
            raise RefusedError(
                f"detection.history_days = {detection.history_days}: must be at least min_days, "
                f"{detection.min_days}; else no series is scored"
            )
        return detection


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


_LLM_ENVIRONMENT = {
    "model": ("TOKENSLEUTH_LLM_MODEL",),
    "base_url": ("TOKENSLEUTH_LLM_BASE_URL",),
    "api_key": ("TOKENSLEUTH_LLM_API_KEY", "OPENAI_API_KEY"),
}


def _refuse_secrets(given: Mapping[str, object]) -> None:
    """A key in a file is read by too many."""
    llm = given.get("llm")
    if isinstance(llm, dict) and "api_key" in llm:
        raise RefusedError("llm.api_key is no setting; set TOKENSLEUTH_LLM_API_KEY in the environment")


def _with_environment(settings: Settings) -> Settings:
    """What the environment says of the model: the key only there, the rest instead of the file."""
    said = {
        field: next((n for n in names if os.environ.get(n)), None)
        for field, names in _LLM_ENVIRONMENT.items()
    }
    if said["base_url"] is None and "base_url" not in settings.llm.model_fields_set:
        said["base_url"] = "OPENAI_BASE_URL" if os.environ.get("OPENAI_BASE_URL") else None
    found = {field: os.environ[name] for field, name in said.items() if name}
    try:
        llm = LlmSettings.model_validate({**settings.llm.model_dump(exclude_unset=True), **found})
    except ValidationError as error:
        name = said.get(str(error.errors()[0]["loc"][0])) or "the environment"
        raise RefusedError(f"{name}: {error.errors()[0]['msg'].lower()}") from None
    return settings.model_copy(update={"llm": llm})


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
