"""Queries of Langfuse's metrics v2 that are never cut short: a full answer is asked for in halves."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import JsonValue

from ledger.sources.langfuse import DIMENSIONS, instant_of
from ledger.window import HOUR, Window, instant_text
from tokensleuth.connectors.patience import Patience
from tokensleuth.gateways.http import JsonHttp
from tokensleuth.gateways.port import RefusedCallError
from tokensleuth.gateways.shapes import ProviderAnswer, taken

PATH = "/api/public/v2/metrics"
ROW_LIMIT = 1000
"""The most that Langfuse gives; it says nothing about what it leaves out."""
MINUTE = timedelta(minutes=1)
_NO_CALLS = ("SPAN", "EVENT")
"""Types of observations that call no model."""


class _Page(ProviderAnswer):
    data: list[JsonValue]


@dataclass(frozen=True, slots=True)
class Query:
    """What is grouped by, beside the dimensions of all queries, and what is summed."""

    dimensions: Sequence[str]
    metrics: Sequence[tuple[str, str]]
    """Measure and aggregation."""


REQUESTS = Query(("level",), (("count", "count"), ("totalCost", "sum")))
TOKENS = Query(("usageType",), (("usageByType", "sum"),))


@dataclass(frozen=True, slots=True)
class Metrics:
    """One project's."""

    http: JsonHttp
    patience: Patience

    def rows(self, query: Query, window: Window) -> Iterator[JsonValue]:
        """Of buckets inside the window; a row whose bucket cannot be read comes too, to be told of."""
        found = self._asked(query, window)
        if len(found) >= ROW_LIMIT:
            for half in _halves(window):
                yield from self.rows(query, half)
            return
        for row in found:
            at = instant_of(row)
            # Both ends are included, so that the next bucket begins to come too.
            if at is None or window.start_at <= at < window.end_at:
                yield row

    def _asked(self, query: Query, window: Window) -> list[JsonValue]:
        text = json.dumps({
            "view": "observations",
            "dimensions": [{"field": name} for name in (*DIMENSIONS, *query.dimensions)],
            "metrics": [{"measure": measure, "aggregation": how} for measure, how in query.metrics],
            "filters": [
                {"column": "type", "operator": "none of", "value": list(_NO_CALLS), "type": "stringOptions"}
            ],
            "timeDimension": {"granularity": "hour" if _is_whole(window) else "minute"},
            "fromTimestamp": instant_text(window.start_at),
            "toTimestamp": instant_text(window.end_at),
            "orderBy": None,
            "config": {"row_limit": ROW_LIMIT},
        })  # fmt: skip
        answer = self.patience.read(lambda: self.http.get(PATH, {"query": text}))
        if answer is None:
            raise RefusedCallError(f"{PATH}: not found; this Langfuse is older than its metrics v2")
        return taken(_Page, answer, PATH).data


def _is_whole(window: Window) -> bool:
    """Whether it is made of hours; a part of one is asked for by the minute, so that its ends are exact."""
    return window.start_at.minute == window.end_at.minute == 0


def _halves(window: Window) -> tuple[Window, Window]:
    length = window.end_at - window.start_at
    unit = HOUR if length > HOUR else MINUTE
    middle = window.start_at + max(length // unit // 2, 1) * unit
    if middle >= window.end_at:
        raise RefusedCallError(
            f"{PATH}: {ROW_LIMIT:,} rows or more in the minute from {instant_text(window.start_at)}, and "
            "Langfuse tells no more: fewer different tags, trace names or prompts would make fewer"
        )
    return Window(window.start_at, middle), Window(middle, window.end_at)
