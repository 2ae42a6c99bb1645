"""What a provider's reporting API tells, bucket by bucket: rows of the usage contract, and daily costs.

The parsers beside this module are pure: one bucket of an answer in, rows and what is wrong with it out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from ledger.ingest.secrets import shortened
from ledger.money import PICO_PER_USD
from ledger.scope import UNALLOCATED
from ledger.window import Window, instant_text

Cells: TypeAlias = dict[str, str | int]
"""Columns of the usage-file contract by name; one that is absent has its default."""


@dataclass(frozen=True, slots=True)
class ToldRow:
    """One result of one bucket, ready to be loaded."""

    place: str
    """Where it stood, for people: source, stream, bucket, dimensions."""
    cells: Cells

    @property
    def record_id(self) -> str:
        return str(self.cells["record_id"])


@dataclass(frozen=True, slots=True)
class ToldCost:
    """What a provider says a day cost, for one project and line item; credits are negative."""

    place: str
    day: date
    project: str
    key_id: str
    line_item: str
    cost_pico: int
    quantity: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A result that cannot be taken, as `ingest` tells of a row; `record_id` is what it would have been."""

    place: str
    column: str
    value: str | None
    reason: str
    record_id: str | None = None


class Told(BaseModel):
    """Base of a result's shape: strict about what is read, indifferent to what the provider adds."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket of a report and who told it."""

    source: str
    """The name of the configured source: part of every record's identity."""
    stream: str
    window: Window
    results: tuple[JsonValue, ...]

    def place(self, dims: Mapping[str, str | None]) -> str:
        told = " ".join(f"{name}={shortened(value)}" for name, value in dims.items() if value is not None)
        return f"{self.source} {self.stream} {instant_text(self.window.start_at)} {told}".rstrip()

    def record_id(self, dims: Mapping[str, str | None]) -> str:
        """The same for the same source, stream, hour and dimensions, whatever the counts are."""
        text = "\x1f".join(f"{name}={value!r}" for name, value in sorted(dims.items()))
        start = instant_text(self.window.start_at)
        return f"{self.source}/{self.stream}/{start}/{sha256(text.encode()).hexdigest()[:32]}"


_T = TypeVar("_T", bound=Told)


def shaped(kind: type[_T], result: JsonValue, place: str) -> _T | Wrong:
    """The result as that kind, or what is wrong with it."""
    try:
        return kind.model_validate(result)
    except ValidationError as error:
        first = error.errors()[0]
        column = ".".join(str(part) for part in first["loc"]) or "result"
        value = None if first["type"] == "missing" else shortened(repr(first["input"]))
        return Wrong(place, column, value, first["msg"].lower())


def pico_of(amount: Decimal) -> int:
    """Dollars as 1e-12 USD; digits beyond are rounded."""
    return int((amount * PICO_PER_USD).to_integral_value())


def named(value: str | None, absent: str = UNALLOCATED) -> str:
    """A dimension that the provider left out, or gave empty, by the word for it."""
    return value.strip() or absent if value else absent


def hour_of(seconds: int) -> datetime:
    """A UNIX time as an instant; raises ValueError for one beyond the calendar."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{seconds} is no time: {error}") from None
