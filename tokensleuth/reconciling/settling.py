"""How long a source may still change an hour that is over, by its kind."""

from collections.abc import Mapping
from datetime import timedelta

SETTLES: Mapping[str, timedelta] = {
    "openai": timedelta(hours=1),
    "anthropic": timedelta(minutes=5),
    "litellm": timedelta(minutes=1),
    "otlp": timedelta(minutes=2),
}
"""OpenAI: minutes to an hour; Anthropic: some 5 minutes; LiteLLM writes within 7 seconds; OpenTelemetry's
clients export once a minute (all from the vendors' pages or seen at a proxy, see docs/sources.md)."""
OTHERS = timedelta(minutes=15)
"""Langfuse and log files in S3 do not say; AWS delivers its logs within minutes."""
DAILY_STREAMS = frozenset({"costs"})
"""Reports by the day: they say nothing about hours."""


def settle_delay(kind: str) -> timedelta:
    return SETTLES.get(kind, OTHERS)
