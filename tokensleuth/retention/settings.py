"""The `[retention]` table of the settings: days that each kind of row is kept, 0 for ever."""

from datetime import datetime, timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_LEAST = {
    "usage_days": 35, "hourly_days": 400, "inbox_days": 7, "outbox_days": 7, "runs_days": 7,
    "notices_days": 35, "digests_days": 60, "evidence_days": 7, "timelines_days": 7, "messages_days": 35,
    "model_calls_days": 35, "incidents_days": 35,
}  # fmt: skip
"""What the program itself looks back on: late usage, this month's calls, last year's hours."""


class RetentionSettings(BaseModel):
    """Age in days at which closed rows are deleted; the audit trail is never."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    usage_days: int = Field(default=0, ge=0)
    """Raw usage rows. Their hourly sums stay; older usage is not taken any more, it might count twice."""
    hourly_days: int = Field(default=0, ge=0)
    """Hourly sums, and the scopes that are in none any more."""
    inbox_days: int = Field(default=90, ge=0)
    """Clicks and commands that were handled."""
    outbox_days: int = Field(default=90, ge=0)
    """Letters that are out, but for those in whose thread an incident is told of."""
    runs_days: int = Field(default=90, ge=0)
    """Scheduled runs that ended; the last of each duty stays."""
    notices_days: int = Field(default=0, ge=0)
    digests_days: int = Field(default=0, ge=0)
    evidence_days: int = Field(default=0, ge=0)
    """Of investigations that old; the incident and what was concluded stay."""
    timelines_days: int = Field(default=0, ge=0)
    messages_days: int = Field(default=0, ge=0)
    """Which message told of an incident; a deleted one is not renewed any more."""
    model_calls_days: int = Field(default=0, ge=0)
    """Calls to the language model that are in the ledger as usage."""
    incidents_days: int = Field(default=0, ge=0)
    """Incidents with all that hangs on them: investigations, proposals, decisions, executions, feedback."""

    @model_validator(mode="after")
    def _make_sense(self) -> Self:
        for name, least in _LEAST.items():
            if 0 < (days := getattr(self, name)) < least:
                raise ValueError(f"{name} = {days}: must be 0, for ever, or at least {least}")
        if self.hourly_days and not 0 < self.usage_days <= self.hourly_days:
            raise ValueError(
                f"hourly_days = {self.hourly_days}: set usage_days too, to as much or less; "
                "raw usage without its hourly sums is of no use"
            )
        return self

    def edge(self, name: str, now: datetime) -> datetime | None:
        """The midnight since when rows of `NAME_days` are kept; None: for ever."""
        days = int(getattr(self, f"{name}_days"))
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=days) if days else None
