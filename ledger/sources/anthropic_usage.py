"""Buckets of Anthropic's `usage_report/messages` as rows of the usage contract."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, JsonValue

from ledger.sources.told import Bucket, Cells, Told, ToldRow, Wrong, named, shaped
from ledger.window import instant_text

Count = Annotated[int, Field(ge=0)]

DEFAULT_WORKSPACE = "default"
"""Anthropic's `workspace_id` is null for it."""
CONSOLE = "console"
"""Anthropic's `api_key_id` is null for the Workbench of its Console."""
_NO_GEO = "not_available"


class _CacheCreation(Told):
    ephemeral_1h_input_tokens: Count = 0
    ephemeral_5m_input_tokens: Count = 0


class _Usage(Told):
    uncached_input_tokens: Count
    output_tokens: Count
    cache_read_input_tokens: Count | None = None
    cache_creation: _CacheCreation | None = None
    api_key_id: str | None = None
    workspace_id: str | None = None
    model: str | None = None
    service_tier: str | None = None
    inference_geo: str | None = None


_DIMS = ("api_key_id", "workspace_id", "model", "service_tier", "inference_geo")
GROUP_BY = _DIMS
"""What is asked for; `context_window` has no column in the ledger, its price is in the daily costs."""


def usage_rows(bucket: Bucket) -> Iterator[ToldRow | Wrong]:
    """One row a result."""
    for number, result in enumerate(bucket.results):
        dims = _dims(result)
        place = bucket.place(dims) if dims else f"{bucket.place({})} result {number + 1}"
        found = shaped(_Usage, result, place)
        record_id = bucket.record_id(dims)
        if isinstance(found, Wrong):
            yield Wrong(found.place, found.column, found.value, found.reason, record_id)
        else:
            yield ToldRow(place, _cells(bucket, found, record_id))


def _dims(result: JsonValue) -> dict[str, str | None]:
    if not isinstance(result, dict):
        return {}
    return {name: str(value) for name in _DIMS if (value := result.get(name)) is not None}


def _cells(bucket: Bucket, found: _Usage, record_id: str) -> Cells:
    """The report counts no requests: 0 says that none are known, 1 an hour would be made up."""
    created = found.cache_creation or _CacheCreation()
    geo = None if found.inference_geo == _NO_GEO else found.inference_geo
    given = {"region": geo, "service_tier": found.service_tier}
    return {
        "started_at": instant_text(bucket.window.start_at),
        "provider": "anthropic",
        "model": named(found.model),
        "project": named(found.workspace_id, DEFAULT_WORKSPACE),
        "key_id": named(found.api_key_id, CONSOLE),
        **{name: text for name, text in given.items() if text},
        "record_id": record_id,
        "requests": 0,
        "input_tokens": found.uncached_input_tokens,
        "cache_read_tokens": found.cache_read_input_tokens or 0,
        "cache_write_5m_tokens": created.ephemeral_5m_input_tokens,
        "cache_write_1h_tokens": created.ephemeral_1h_input_tokens,
        "output_tokens": found.output_tokens,
    }
