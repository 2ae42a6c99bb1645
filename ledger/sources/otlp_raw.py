"""What an OTLP request says of token usage, in whichever encoding it came: points and spans, unjudged."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from ledger.ingest.secrets import shortened
from ledger.sources.told import Wrong

Signal = Literal["metrics", "traces"]
Encoding = Literal["protobuf", "json"]
Attributes: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values, as text whatever their type was, in the order in which they came."""

TOKEN_USAGE = "gen_ai.client.token.usage"  # noqa: S105 - the name of a metric
MOST_ATTRIBUTES = 128
"""Of one point, span or resource: the default limit of the SDKs."""
MOST_UINT64 = 2**64 - 1
NO_RECORDED_VALUE = 1
"""The flag of a point that says that its series has ended; it has no value."""
FAILED = 2
"""The code of a span's status that says so."""


class Undecodable(ValueError):
    """The body as a whole is no OTLP request."""


class RawPoint(NamedTuple):
    """One data point of `gen_ai.client.token.usage`."""

    place: int
    """Its number in the request, from 1."""
    resource: Attributes
    scope: str
    """The instrumentation that made it."""
    attributes: Attributes
    temporality: int
    """1 is delta, 2 is cumulative."""
    start: int
    """Nanoseconds since 1970, as `time`."""
    time: int
    calls: int
    total: float | None
    """The sum of the histogram; None where it has none."""


class RawSpan(NamedTuple):
    """One span with a `gen_ai` attribute; ids are hexadecimal."""

    place: int
    resource: Attributes
    attributes: Attributes
    trace_id: str
    span_id: str
    parent_id: str
    start: int
    failed: bool


Points: TypeAlias = Iterator[RawPoint | Wrong]
Spans: TypeAlias = Iterator[RawSpan | Wrong]


def wrong_point(place: int, column: str, value: object, reason: str) -> Wrong:
    return Wrong(f"{TOKEN_USAGE} point {place}", column, shortened(repr(value)), reason)


def wrong_span(place: int, column: str, value: object, reason: str) -> Wrong:
    return Wrong(f"span {place}", column, shortened(repr(value)), reason)


def too_many(count: int) -> str:
    return f"there are {count:,}; at most {MOST_ATTRIBUTES} are read"


def is_read(name: str) -> bool:
    """Whether a span's attribute is of use; prompts, answers and tool calls are not even converted."""
    return name not in _CONTENT and not name.startswith(_CONTENT_PREFIXES)


_CONTENT = frozenset({
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.prompt",
    "gen_ai.completion", "gen_ai.tool.definitions", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result",
})  # fmt: skip
_CONTENT_PREFIXES = ("gen_ai.prompt.", "gen_ai.completion.", "llm.prompts", "llm.completions")
