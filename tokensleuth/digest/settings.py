"""The `[digest]` table of the settings: when it goes out, and to whom."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
Glob = Annotated[str, Field(min_length=1)]


class DigestSettings(BaseModel):
    """The digest of a week, which is an ISO week in UTC whatever the timezone says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    """Whether `serve` makes one each week, and posts it where Slack is configured."""
    weekday: Weekday = "monday"
    """On which day after the week it goes out."""
    hour: int = Field(default=7, ge=0, le=23)
    timezone: str = "UTC"
    """Of `weekday` and `hour`."""
    channel: str | None = Field(default=None, pattern=r"^[CGDUW][A-Z0-9]{2,}$")
    """Who is told of the whole organisation; absent: slack.channel."""
    teams: tuple[Glob, ...] = ("*",)
    """Globs of the teams that are told of themselves, in the channels of the routes that name them."""
    outcomes: Path | None = None
    """A CSV file of outcomes with the columns day, team, outcome and count, for the cost of each."""

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("is no timezone; write it like Europe/Berlin")
        return name

    @field_validator("outcomes")
    @classmethod
    def _home_expanded(cls, path: Path | None) -> Path | None:
        return path.expanduser() if path else None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)
