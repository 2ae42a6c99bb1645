"""The `[reconciliation]` table of the settings."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field


class ReconciliationSettings(BaseModel):
    """When a difference from the bill is worth telling, and how long data is waited for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_share: float = Field(default=0.01, ge=0, le=1)
    """Of what was billed for a model and day. Rounding stays far below it; the smallest mechanism we know of,
    a region's surcharge of a tenth, is far above."""
    min_usd: Decimal = Field(default=Decimal(1), ge=0, le=10**9, allow_inf_nan=False)
    """And so many dollars a model and day: 30 a month are worth a person's minutes, less is not."""
    settle_hours: int = Field(default=24, ge=0, le=720)
    """After the end of a day before its bill is held against the ledger: costs are corrected for days."""
    wait_hours: int = Field(default=6, ge=1, le=168)
    """So long detection waits for a source that is behind; then it goes on without it, and says so."""
