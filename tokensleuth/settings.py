"""The settings: every key known, every default here; `settings_reading` reads them."""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from detectors.settings import DetectorSettings
from ledger.errors import RefusedError
from ledger.grants import CreditGrant
from ledger.owners import OwnerRule
from ledger.prices.overrides import ModelAlias, PriceOverride
from tokensleuth.budgets.settings import Budgets
from tokensleuth.connectors.settings import SourceSettings, different_names
from tokensleuth.digest.settings import DigestSettings
from tokensleuth.observing.settings import HeartbeatSettings, LogSettings, MetricsSettings
from tokensleuth.otlp.settings import OtlpSettings
from tokensleuth.people import Approver, shared_marks
from tokensleuth.privacy.settings import PrivacySettings
from tokensleuth.reconciling.settings import ReconciliationSettings
from tokensleuth.retention.settings import RetentionSettings
from tokensleuth.settings_acts import Actions, Gateways, Route, SlackSettings, Web
from tokensleuth.settings_schedule import Schedule
from tools.calendar import CalendarEntry

GatewayName = Literal["litellm", "openai", "anthropic", "webhook", "none"]


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
    gateway: GatewayName = "none"
    """Which gateway executes actions on keys and models; `none` names the action for people to do."""
    gateways: dict[str, GatewayName] = Field(default_factory=dict)
    """By provider, where they differ: openai = "openai"."""
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
    actions: Actions = Actions()
    approver: tuple[Approver, ...] = ()
    """Who may decide; nobody is here by default, so nobody may."""
    slack: SlackSettings = SlackSettings()
    route: tuple[Route, ...] = ()
    web: Web = Web()
    gateways: Gateways = Gateways()
    secret: SecretStr | None = Field(default=None, exclude=True)
    """TOKENSLEUTH_SECRET: signs audit trail, buttons and sessions. Absent: a file beside the casebook."""
    focus_tags: FocusTags = FocusTags()
    source: tuple[SourceSettings, ...] = ()
    """What `sync` pulls from; without any, the gateways whose keys are in the environment."""
    owner: tuple[OwnerRule, ...] = ()
    model_alias: tuple[ModelAlias, ...] = ()
    price_override: tuple[PriceOverride, ...] = ()
    credit_grant: tuple[CreditGrant, ...] = ()
    """Credits that come with what you pay for: pools, which the bills do not tell."""
    budget: Budgets = ()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    schedule: Schedule = Schedule()
    digest: DigestSettings = DigestSettings()
    reconciliation: ReconciliationSettings = ReconciliationSettings()
    retention: RetentionSettings = RetentionSettings()
    privacy: PrivacySettings = PrivacySettings()
    otlp: OtlpSettings = OtlpSettings()
    calendar: tuple[CalendarEntry, ...] = ()
    """What was planned: changes of spend in these hours and scopes have an explanation to check first."""

    @field_validator("approver")
    @classmethod
    def _are_different_people(cls, approvers: tuple[Approver, ...]) -> tuple[Approver, ...]:
        if shared := shared_marks(approvers):
            raise ValueError(f"{shared[0]} is given twice; whoever it is must be one person")
        return approvers

    @field_validator("source")
    @classmethod
    def _have_different_names(cls, sources: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
        return different_names(sources)

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
