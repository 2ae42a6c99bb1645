"""Spans of GenAI calls as one request each; input tokens include the cached ones, which are taken out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from ledger.ingest.contract import MAX_COUNT
from ledger.sources.otlp_metrics import FIRST_NANOS, HOUR_NANOS
from ledger.sources.otlp_raw import RawSpan, Spans, wrong_span
from ledger.sources.otlp_scope import Naming, OddScope, scope_of
from ledger.sources.told import Cells, Wrong
from ledger.window import instant_text

CALLS = frozenset({"chat", "text_completion", "generate_content", "embeddings"})
"""Operations that are one call of a model. Spans of agents and workflows sum up what calls in them used."""

_OPERATION = "gen_ai.operation.name"
_COUNTS: Mapping[str, tuple[str, ...]] = {
    "input": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "output": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "cache_read": ("gen_ai.usage.cache_read.input_tokens",),
    "cache_write": ("gen_ai.usage.cache_creation.input_tokens",),
    "reasoning": ("gen_ai.usage.reasoning.output_tokens",),
}
"""The name of today, and the deprecated one."""
_WHOLE = re.compile(r"\d{1,16}(\.0+)?", re.ASCII)
_TRACE, _SPAN = 32, 16


@dataclass(frozen=True, slots=True)
class SpanUsage:
    """One call of a model."""

    trace_id: str
    span_id: str
    parent_id: str
    hour: int
    """In which it began, counted since 1970."""
    cells: Cells

    @property
    def tokens(self) -> int:
        return sum(int(self.cells.get(f"{name}_tokens", 0)) for name in _CLASSES)


@dataclass(slots=True)
class SpanReading:
    """What one request told; `left_out` counts spans by an operation that is no call of a model."""

    spans: list[SpanUsage] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)


def read_spans(raw: Spans, naming: Naming, now: int) -> SpanReading:
    """The spans that are calls, and those that cannot be taken; `now` in nanoseconds. Raises Undecodable."""
    reading = SpanReading()
    for span in raw:
        if isinstance(span, Wrong):
            reading.wrong.append(span)
            continue
        told = dict(reversed(span.attributes))
        operation = told.get(_OPERATION, "")
        if operation not in CALLS and (operation or not any(n in told for n in _COUNTS["input"])):
            if operation not in _WITHOUT_CALLS and any(
                n in told for names in _COUNTS.values() for n in names
            ):
                reading.left_out[operation] = reading.left_out.get(operation, 0) + 1
            continue
        found = _usage(span, told, naming, now)
        (reading.wrong if isinstance(found, Wrong) else reading.spans).append(found)  # type: ignore[arg-type]
    return reading


def _usage(span: RawSpan, told: Mapping[str, str], naming: Naming, now: int) -> SpanUsage | Wrong:
    if wrong := _problem(span, now):
        return wrong
    cells = scope_of(span.attributes, span.resource, naming)
    if isinstance(cells, OddScope):
        return wrong_span(span.place, cells.column, cells.value, cells.reason)
    counts = _counts(span.place, told)
    if isinstance(counts, Wrong):
        return counts
    client = cells.get("client", "")
    if any(fnmatchcase(client, glob) for glob in naming.cache_beside_input):
        counts["input"] += counts["cache_read"] + counts["cache_write"]
    uncached = counts["input"] - counts["cache_read"] - counts["cache_write"]
    if uncached < 0:
        reason = "is less than the cached tokens that are part of it; see otlp.cache_beside_input"
        return wrong_span(span.place, _COUNTS["input"][0], counts["input"], reason)
    if counts["reasoning"] > counts["output"]:
        reason = "is more than the output tokens, of which it is a part"
        return wrong_span(span.place, _COUNTS["reasoning"][0], counts["reasoning"], reason)
    return _booked(span, told, dict(cells), {**counts, "input": uncached})


def _booked(span: RawSpan, told: Mapping[str, str], cells: Cells, counts: Mapping[str, int]) -> SpanUsage:
    numbers: Cells = {
        "requests": 1,
        "failed_requests": int(span.failed or bool(told.get("error.type"))),
        "input_tokens": counts["input"],
        "cache_read_tokens": counts["cache_read"],
        "cache_write_5m_tokens": counts["cache_write"],
        "output_tokens": counts["output"],
    }
    if counts["reasoning"]:
        numbers["reasoning_tokens"] = counts["reasoning"]
    started_at = datetime.fromtimestamp(span.start // 10**9, UTC)
    whole: Cells = {
        "started_at": instant_text(started_at.replace(microsecond=span.start % 10**9 // 1000)),
        **cells,
        **numbers,
        "record_id": f"otlp/{span.trace_id}/{span.span_id}",
    }
    return SpanUsage(span.trace_id, span.span_id, span.parent_id, span.start // HOUR_NANOS, whole)


def _counts(place: int, told: Mapping[str, str]) -> dict[str, int] | Wrong:
    found = {}
    for kind, names in _COUNTS.items():
        name = next((n for n in names if n in told), "")
        text = told.get(name, "") or "0"
        if not _WHOLE.fullmatch(text) or float(text) > MAX_COUNT:
            return wrong_span(place, name, text, f"is no whole number from 0 to {MAX_COUNT:,}")
        found[kind] = int(float(text))
    return found


def _problem(span: RawSpan, now: int) -> Wrong | None:
    if len(span.trace_id) != _TRACE or not span.trace_id.strip("0"):
        return wrong_span(span.place, "traceId", span.trace_id, "is not 16 bytes, not all 0")
    if len(span.span_id) != _SPAN or not span.span_id.strip("0"):
        return wrong_span(span.place, "spanId", span.span_id, "is not 8 bytes, not all 0")
    if not FIRST_NANOS <= span.start <= now + HOUR_NANOS:
        reason = "is before 2015 or over 1 hour in the future"
        return wrong_span(span.place, "startTimeUnixNano", span.start, reason)
    return None


_CLASSES = ("input", "cache_read", "cache_write_5m", "output")
_WITHOUT_CALLS = frozenset({"invoke_agent", "create_agent", "invoke_workflow", "execute_tool"})
"""Operations of which it is known that they are not calls: not worth a word."""
