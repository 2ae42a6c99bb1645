"""Rows of Langfuse's metrics v2 (`/api/public/v2/metrics`) as rows of the usage contract.

One query counts requests and dollars, another the tokens by type; both are grouped by the same dimensions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field, JsonValue

from ledger.ingest.contract import MAX_COUNT
from ledger.ingest.secrets import NOT_AN_ID, masked, masked_text
from ledger.ingest.source import DEFAULT_TAGS
from ledger.sources.langfuse_tokens import Unfit, classed
from ledger.sources.told import Bucket, Cells, Told, ToldRow, Wrong, named, shaped
from ledger.window import HOUR, Window, instant_text

DIMENSIONS = ("providedModelName", "environment", "traceName", "promptName", "promptVersion", "tags")
"""What is asked for; users and sessions cannot be grouped by, Langfuse refuses it."""
_PICO_DIGITS = Decimal("1e-12")


def _whole(value: object) -> object:
    """ClickHouse writes large integers as text, and some sums as 12.0."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:20])
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _dollars(value: object) -> object:
    """A number, also one written as text; what is none is left for the shape to refuse."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return value
    return found if found.is_finite() else value


Count = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=MAX_COUNT)]
Dollars = Annotated[Decimal, BeforeValidator(_dollars), Field(ge=0, le=10**9)]


class _Grouped(Told):
    providedModelName: str | None = None
    environment: str | None = None
    traceName: str | None = None
    promptName: str | None = None
    promptVersion: str | int | None = None
    tags: list[str] | None = None


class _Requests(_Grouped):
    count_count: Count
    sum_totalCost: Dollars | None = None
    level: str | None = None


class _Tokens(_Grouped):
    sum_usageByType: Count
    usageType: str | None = None


_T = TypeVar("_T", bound=_Grouped)


@dataclass(slots=True)
class _Group:
    """What one hour and one combination of dimensions comes to."""

    bucket: Bucket
    dims: Mapping[str, str]
    tags: Sequence[str]
    requests: int = 0
    failed: int = 0
    cost: Decimal = Decimal(0)
    tokens: dict[str, int] = field(default_factory=dict)
    """By usage type, as Langfuse has them."""

    @property
    def is_empty(self) -> bool:
        """Of an hour that Langfuse fills in, and of a tool or a chain that called no model itself."""
        called = "providedModelName" in self.dims and self.requests
        return not (self.tokens or self.cost or called)


@dataclass(slots=True)
class Groups:
    """Rows of both queries put together; minutes of one hour add up."""

    source: str
    stream: str
    project: str
    found: dict[str, _Group] = field(default_factory=dict)
    wrong: dict[str, Wrong] = field(default_factory=dict)
    """By the record that it would have been part of, else by its place."""

    def add_requests(self, row: JsonValue) -> None:
        """A row of the query that counts."""
        if told := self._told(_Requests, row):
            group, counted = told
            group.requests += counted.count_count
            group.failed += counted.count_count if counted.level == "ERROR" else 0
            group.cost += counted.sum_totalCost or 0

    def add_tokens(self, row: JsonValue) -> None:
        """A row of the query by usage type."""
        if told := self._told(_Tokens, row):
            group, counted = told
            if counted.sum_usageByType and counted.usageType:
                before = group.tokens.get(counted.usageType, 0)
                group.tokens[counted.usageType] = before + counted.sum_usageByType

    def rows(self) -> Iterator[tuple[datetime, ToldRow]]:
        """One of each hour and group, once all was added; a group with a wrong part is wrong as a whole."""
        for record_id, group in self.found.items():
            if record_id in self.wrong or group.is_empty:
                continue
            place = group.bucket.place(group.dims)
            tokens = classed(group.tokens)
            if isinstance(tokens, Unfit):
                value = f"{tokens.usage_type} {tokens.tokens}"
                self.wrong[record_id] = Wrong(place, "usageType", value, tokens.reason, record_id)
            else:
                cells = {**self._scope(group), **_measures(group), "record_id": record_id}
                counted = {f"{name}_tokens": count for name, count in tokens.items()}
                yield group.bucket.window.start_at, ToldRow(place, {**cells, **counted})

    def _told(self, kind: type[_T], row: JsonValue) -> tuple[_Group, _T] | None:
        at = instant_of(row)
        if at is None or not isinstance(row, dict):
            place = f"{self.source} {self.stream} row {len(self.wrong) + 1}"
            value = str(row.get("time_dimension")) if isinstance(row, dict) else str(row)
            self.wrong[place] = Wrong(place, "time_dimension", value[:100], "is no instant")
            return None
        hour = at.replace(minute=0, second=0, microsecond=0)
        bucket = Bucket(self.source, self.stream, Window(hour, hour + HOUR), ())
        tags, dims = _tags(row), _dims(row)
        record_id = bucket.record_id(dims)
        told = _without_secrets(shaped(kind, row, bucket.place(dims)), tags, bucket.place(dims))
        if isinstance(told, Wrong):
            self.wrong[record_id] = Wrong(told.place, told.column, told.value, told.reason, record_id)
            return None
        return self.found.setdefault(record_id, _Group(bucket, dims, tags)), told

    def _scope(self, group: _Group) -> Cells:
        dims, tags = group.dims, {name: _tagged(group.tags, tag) for name, tag in DEFAULT_TAGS.items()}
        version = f":{dims['promptVersion']}" if "promptVersion" in dims else ""
        given = {
            "project": self.project,
            "client": dims.get("environment"),
            "team": tags["team"],
            "user": tags["user"],
            "feature": tags["feature"] or dims.get("traceName"),
            "prompt_template": f"{dims['promptName']}{version}" if "promptName" in dims else None,
        }
        return {
            "started_at": instant_text(group.bucket.window.start_at),
            "model": named(dims.get("providedModelName")),
            **{name: text for name, text in given.items() if text},
        }


def instant_of(row: JsonValue) -> datetime | None:
    """Of a row's bucket; Langfuse writes UTC, without saying so."""
    text = row.get("time_dimension") if isinstance(row, dict) else None
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _measures(group: _Group) -> Cells:
    """Langfuse says 0 dollars for a model that it has no price of: then the price book prices it."""
    cost = {"cost_usd": f"{group.cost.quantize(_PICO_DIGITS):f}"} if group.cost or not group.tokens else {}
    return {"requests": group.requests, "failed_requests": group.failed, **cost}


def _dims(row: Mapping[str, JsonValue]) -> dict[str, str]:
    given = {name: row.get(name) for name in DIMENSIONS if name != "tags"}
    dims = {name: str(value) for name, value in given.items() if value not in (None, "")}
    tags = ",".join(_tags(row))
    return {**dims, "tags": tags} if tags else dims


def _tags(row: Mapping[str, JsonValue]) -> list[str]:
    tags = row.get("tags")
    return sorted({str(tag) for tag in tags}) if isinstance(tags, list) else []


def _without_secrets(told: _T | Wrong, tags: Sequence[str], place: str) -> _T | Wrong:
    """What a tag says of a team, a user or a feature is kept, so that it must be no key."""
    for name in DEFAULT_TAGS.values():
        text = _tagged(tags, name)
        if text is not None and masked_text(text) != text:
            return Wrong(place, "tags", f"{name}:{masked(text)}", NOT_AN_ID)
    return told


def _tagged(tags: Sequence[str], name: str) -> str | None:
    """The rest of the first tag `name:...` or `name=...`."""
    starts = (f"{name}:", f"{name}=")
    return next((tag[len(name) + 1 :].strip() for tag in tags if tag.startswith(starts)), None)
