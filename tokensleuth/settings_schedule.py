"""The `[schedule]` table of the settings."""

from datetime import time

from pydantic import BaseModel, ConfigDict, Field


class Schedule(BaseModel):
    """What `serve` does by itself, and how often; all times are UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    """Off: `serve` only answers people; data comes and is looked at when somebody runs a command."""
    sync_minutes: int = Field(default=2, ge=1, le=60)
    """How often sources are asked for new usage. A new hour is judged right after it came in."""
    fresh_hours: int = Field(default=3, ge=1, le=168)
    """Hours pulled again each time; once an hour it is all of the source's `lookback_hours`."""
    refit_at: time = time(0, 20)
    """When the models are learnt anew, once the day before is complete."""
    reconcile_at: time = time(6, 0)
    """When computed dollars are held against what providers charge, day by day."""
    reconcile_days: int = Field(default=7, ge=1, le=90)
    """Days looked at each time: providers correct their costs for some days."""
    retention_at: time = time(3, 30)
    """When what is older than the settings keep is deleted."""
    patience_minutes: int = Field(default=15, ge=0, le=1440)
    """A source that fails, or data that stopped, is told of after so long."""
