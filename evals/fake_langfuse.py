"""Langfuse's metrics v2 on loopback: observations, grouped as its ClickHouse groups them, cut at a row limit.

Shapes are those of its published definition and its query builder; the real service has not been seen.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from evals.fake_openai import Reply, json_reply
from evals.loopback import Loopback, Request, serving

PUBLIC_KEY = "pk-lf-fake-0123456789"
SECRET_KEY = "sk-lf-fake-0123456789"  # noqa: S105
PROJECT = "assistants"
_FIELDS = (
    "environment", "type", "name", "level", "version", "tags", "release", "traceName", "providedModelName",
    "promptName", "promptVersion", "usageType", "costType",
)  # fmt: skip
_TOO_MANY = ("id", "traceId", "userId", "sessionId", "parentObservationId")
Row = dict[str, JsonValue]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Field(_Strict):
    field: str


class _Metric(_Strict):
    measure: Literal["count", "totalCost", "usageByType", "inputTokens", "outputTokens", "totalTokens"]
    aggregation: Literal["count", "sum"]


class _Filter(_Strict):
    column: str
    operator: Literal["any of", "none of"]
    value: list[str]
    type: Literal["stringOptions"]


class _Time(_Strict):
    granularity: Literal["minute", "hour", "day"]


class _Config(_Strict):
    row_limit: int = Field(default=100, ge=1, le=1000)


class _Query(_Strict):
    view: Literal["observations"]
    dimensions: list[_Field]
    metrics: list[_Metric]
    filters: list[_Filter]
    timeDimension: _Time | None
    fromTimestamp: str
    toTimestamp: str
    orderBy: None
    config: _Config = _Config()


@dataclass(frozen=True, slots=True)
class Observation:
    """One call, or a span around it."""

    at: datetime
    facts: Mapping[str, JsonValue]
    usage: Mapping[str, int]
    cost: Decimal | None


@dataclass(slots=True)
class FakeLangfuse:
    """One project."""

    observations: list[Observation] = field(default_factory=list)
    most: int = 1000
    """Rows of an answer, however many are asked for."""
    fills: bool = True
    """Adds rows of nothing for hours without any, as ClickHouse does."""
    changed: dict[str, JsonValue] = field(default_factory=dict)
    """Values that every row has instead of its own."""
    projects: int = 1

    def add(
        self,
        at: datetime,
        usage: Mapping[str, int] | None = None,
        cost: str | None = None,
        **facts: JsonValue,
    ) -> None:
        """A generation by gpt-4o, unless it is said otherwise."""
        usual: Row = {"type": "GENERATION", "level": "DEFAULT", "providedModelName": "gpt-4o", "tags": []}
        told = {"input": 100, "output": 10, "total": 110} if usage is None else usage
        self.observations.append(
            Observation(at, usual | facts, told, None if cost is None else Decimal(cost))
        )

    def answer(self, request: Request) -> Reply:
        pair = b64encode(f"{PUBLIC_KEY}:{SECRET_KEY}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            return _refusal(401, "Invalid credentials. Confirm that you've configured the correct host.")
        match request.path:
            case "/api/public/projects":
                project: JsonValue = {"id": "clx0", "name": PROJECT, "metadata": {}}
                return json_reply({"data": [project] * self.projects})
            case "/api/public/v2/metrics":
                return self._metrics(request.query.get("query", [""])[0])
        return _refusal(404, "Not Found")

    def _metrics(self, text: str) -> Reply:
        try:
            query = _Query.model_validate_json(text)
        except ValidationError as error:
            return _refusal(400, f"Invalid request data: {error.errors()[0]['msg']}")
        for asked in query.dimensions:
            if asked.field in _TOO_MANY:
                return _refusal(400, f"{asked.field} has too many values to group by; filter on it")
            if asked.field not in _FIELDS:
                return _refusal(400, f"Invalid dimension {asked.field}. Must be one of {_FIELDS}")
        rows: list[JsonValue] = [*self._rows(query)]
        return json_reply({"data": rows[: min(query.config.row_limit, self.most)]})

    def _rows(self, query: _Query) -> Iterator[Row]:
        first, last = (datetime.fromisoformat(text) for text in (query.fromTimestamp, query.toTimestamp))
        groups: dict[str, tuple[Row, list[tuple[Observation, int]]]] = {}
        for found in self.observations:
            # Both ends are included.
            if first <= found.at <= last and all(_passes(found, asked) for asked in query.filters):
                for dims, value in _expanded(found, [asked.field for asked in query.dimensions]):
                    row: Row = {**_bucket(found.at, query.timeDimension), **dims}
                    groups.setdefault(json.dumps(row, sort_keys=True), (row, []))[1].append((found, value))
        for row, members in groups.values():
            yield {**row, **_sums(query.metrics, members), **self.changed}
        if self.fills and query.timeDimension and query.timeDimension.granularity == "hour":
            told = {str(row["time_dimension"]) for row, _ in groups.values()}
            yield from _filled(first, last, query, told)


@contextmanager
def fake_langfuse() -> Iterator[tuple[FakeLangfuse, Loopback]]:
    """Serve on a free port until the block ends."""
    fake = FakeLangfuse()
    with serving(fake.answer) as served:
        yield fake, served


def _passes(found: Observation, asked: _Filter) -> bool:
    return (found.facts.get(asked.column) in asked.value) == (asked.operator == "any of")


def _expanded(found: Observation, fields: Sequence[str]) -> Iterator[tuple[Row, int]]:
    """Once, or once for each usage type where it is grouped by: an ARRAY JOIN."""
    dims: Row = {name: found.facts.get(name) for name in fields if name != "usageType"}
    if "usageType" not in fields:
        yield dims, 0
    else:
        for usage_type, value in found.usage.items():
            yield {**dims, "usageType": usage_type}, value


def _sums(metrics: Sequence[_Metric], members: Sequence[tuple[Observation, int]]) -> Row:
    """Counts are written as text, as ClickHouse writes 64-bit integers."""
    sums: Row = {}
    costs = [found.cost for found, _ in members if found.cost is not None]
    for metric in metrics:
        match metric.measure:
            case "count":
                sums["count_count"] = str(len(members))
            case "totalCost":
                sums["sum_totalCost"] = float(sum(costs)) if costs else None
            case "usageByType":
                sums["sum_usageByType"] = str(sum(value for _, value in members))
            case _:
                raise NotImplementedError(metric.measure)
    return sums


def _bucket(at: datetime, time: _Time | None) -> Row:
    if time is None:
        return {}
    start = at.replace(second=0, microsecond=0)
    return {"time_dimension": _written(start if time.granularity == "minute" else start.replace(minute=0))}


def _filled(first: datetime, last: datetime, query: _Query, told: set[str]) -> Iterator[Row]:
    at = first.replace(minute=0, second=0, microsecond=0)
    while at <= last:
        if _written(at) not in told:
            empty: Row = {asked.field: [] if asked.field == "tags" else None for asked in query.dimensions}
            counts: Row = {f"{m.aggregation}_{m.measure}": "0" for m in query.metrics}
            yield {"time_dimension": _written(at), **empty, **counts}
        at += timedelta(hours=1)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _refusal(status: int, message: str) -> Reply:
    return json_reply({"message": message, "error": "LangfuseError"}, status=status)
