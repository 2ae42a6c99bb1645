"""Buckets of OpenAI's usage endpoints as rows of the usage contract (`/organization/usage/{kind}`)."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from ledger.sources.told import Bucket, Cells, Told, ToldRow, Wrong, named, shaped
from ledger.window import instant_text

Kind = Literal[
    "completions", "embeddings", "moderations", "images", "audio_speeches", "audio_transcriptions"
]  # fmt: skip

Count = Annotated[int, Field(ge=0)]


class _Result(Told):
    """What all kinds have; a dimension is null where it was not asked for."""

    num_model_requests: Count
    project_id: str | None = None
    user_id: str | None = None
    api_key_id: str | None = None
    model: str | None = None
    batch: bool | None = None
    service_tier: str | None = None


class _Tokens(_Result):
    input_tokens: Count
    """All input: cached, written to the cache, and neither; for completions also audio and images."""
    input_cached_tokens: Count | None = None
    input_cache_write_tokens: Count | None = None
    input_uncached_tokens: Count | None = None


class _Completions(_Tokens):
    output_tokens: Count


class _Speeches(_Result):
    characters: Count | None = None


_KINDS: dict[Kind, type[_Result]] = {
    "completions": _Completions,
    "embeddings": _Tokens,
    "moderations": _Tokens,
    "images": _Result,
    "audio_speeches": _Speeches,
    "audio_transcriptions": _Result,
}


def usage_rows(bucket: Bucket, kind: Kind) -> Iterator[ToldRow | Wrong]:
    """One row a result; what has another shape or does not add up is told with its place."""
    for number, result in enumerate(bucket.results):
        dims = _dims(result)
        place = bucket.place(dims) if dims else f"{bucket.place({})} result {number + 1}"
        found = shaped(_KINDS[kind], result, place)
        record_id = bucket.record_id(dims)
        if isinstance(found, Wrong):
            yield Wrong(found.place, found.column, found.value, found.reason, record_id)
        elif wrong := _not_adding_up(found, place, record_id):
            yield wrong
        else:
            yield ToldRow(place, {**_scope(bucket, found, record_id), **_measures(found)})


_DIMS = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")


def _dims(result: JsonValue) -> dict[str, str | None]:
    if not isinstance(result, dict):
        return {}
    return {name: str(value) for name in _DIMS if (value := result.get(name)) is not None}


def _not_adding_up(found: _Result, place: str, record_id: str) -> Wrong | None:
    """OpenAI's `input_tokens` is the sum of its three parts; where it is not, none of them can be trusted."""
    if not isinstance(found, _Tokens):
        return None
    cached, written = found.input_cached_tokens or 0, found.input_cache_write_tokens or 0
    rest = found.input_tokens - cached - written
    uncached = found.input_uncached_tokens
    if rest < 0 or (uncached is not None and uncached != rest):
        told = "unknown" if uncached is None else f"{uncached:,}"
        reason = f"is not cached {cached:,} + cache write {written:,} + uncached {told}"
        return Wrong(place, "input_tokens", str(found.input_tokens), reason, record_id)
    return None


def _scope(bucket: Bucket, found: _Result, record_id: str) -> Cells:
    tier = "batch" if found.batch else found.service_tier
    given = {
        "project": found.project_id,
        "key_id": found.api_key_id,
        "user": found.user_id,
        "service_tier": tier,
    }
    return {
        "started_at": instant_text(bucket.window.start_at),
        "provider": "openai",
        "model": named(found.model),
        **{name: text for name, text in given.items() if text},
        "record_id": record_id,
        "requests": found.num_model_requests,
    }


def _measures(found: _Result) -> Cells:
    """Images and audio have no tokens here: what they cost comes with the daily costs."""
    match found:
        case _Tokens():
            cached, written = found.input_cached_tokens or 0, found.input_cache_write_tokens or 0
            output = found.output_tokens if isinstance(found, _Completions) else 0
            return {
                "input_tokens": found.input_tokens - cached - written,
                "cache_read_tokens": cached,
                "cache_write_5m_tokens": written,
                "output_tokens": output,
            }
        case _Speeches() if found.characters is not None:
            return {"input_characters": found.characters}
        case _:
            return {}
