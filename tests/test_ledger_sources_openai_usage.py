from datetime import UTC, datetime

from pydantic import JsonValue

from ledger.sources.openai_usage import Kind, usage_rows
from ledger.sources.told import Bucket, ToldRow, Wrong
from ledger.window import Window

AT = Window(datetime(2026, 11, 1, 9, tzinfo=UTC), datetime(2026, 11, 1, 10, tzinfo=UTC))
COMPLETION: dict[str, JsonValue] = {
    "object": "organization.usage.completions.result",
    "input_tokens": 100,
    "input_cached_tokens": 30,
    "input_cache_write_tokens": 20,
    "input_uncached_tokens": 50,
    "output_tokens": 7,
    "num_model_requests": 3,
    "project_id": "proj_1",
    "user_id": None,
    "api_key_id": "key_1",
    "model": "gpt-4o-2024-08-06",
    "batch": False,
    "service_tier": "default",
}


def rows(*results: JsonValue, kind: Kind = "completions") -> list[ToldRow | Wrong]:
    return list(usage_rows(Bucket("openai", kind, AT, results), kind))


def row(kind: Kind = "completions", **changed: JsonValue) -> ToldRow:
    (found,) = rows({**COMPLETION, **changed}, kind=kind)
    assert isinstance(found, ToldRow), found
    return found


def wrong(kind: Kind = "completions", **changed: JsonValue) -> Wrong:
    (found,) = rows({**COMPLETION, **changed}, kind=kind)
    assert isinstance(found, Wrong), found
    return found


def test_input_is_split_into_disjoint_classes() -> None:
    cells = row().cells
    assert (cells["input_tokens"], cells["cache_read_tokens"], cells["cache_write_5m_tokens"]) == (50, 30, 20)
    assert (cells["output_tokens"], cells["requests"]) == (7, 3)


def test_dimensions_that_are_null_are_left_out_and_the_hour_is_the_bucket_s() -> None:
    cells = row().cells
    assert "user" not in cells
    assert (cells["started_at"], cells["provider"]) == ("2026-11-01T09:00:00Z", "openai")


def test_input_that_is_not_the_sum_of_its_parts_is_rejected_with_its_place() -> None:
    found = wrong(input_tokens=101)
    assert found.place == (
        "openai completions 2026-11-01T09:00:00Z project_id=proj_1 api_key_id=key_1 "
        "model=gpt-4o-2024-08-06 batch=False service_tier=default"
    )
    assert (found.column, found.value) == ("input_tokens", "101")
    assert found.reason == "is not cached 30 + cache write 20 + uncached 50"


def test_without_the_uncached_part_it_is_what_remains() -> None:
    assert row(input_uncached_tokens=None).cells["input_tokens"] == 50


def test_without_any_part_all_input_is_uncached() -> None:
    bare = {k: v for k, v in COMPLETION.items() if not k.startswith("input_")} | {"input_tokens": 100}
    (found,) = rows(bare)
    assert isinstance(found, ToldRow)
    assert (found.cells["input_tokens"], found.cells["cache_read_tokens"]) == (100, 0)


def test_more_cached_than_input_is_rejected() -> None:
    assert wrong(input_uncached_tokens=None, input_tokens=40).column == "input_tokens"


def test_fields_nobody_knows_yet_are_ignored() -> None:
    assert row(input_hologram_tokens={"a": 1}).cells == row().cells


def test_batch_is_a_tier_of_its_own() -> None:
    assert row(batch=True).cells["service_tier"] == "batch"
    assert row(batch=None, service_tier="flex").cells["service_tier"] == "flex"


def test_usage_of_no_model_is_kept_as_unallocated() -> None:
    assert row(model=None).cells["model"] == "UNALLOCATED"


def test_counts_that_are_none_are_rejected() -> None:
    for value in (-1, True, 1.5, "7", None):
        assert wrong(output_tokens=value).column == "output_tokens"


def test_a_result_that_is_no_object_is_rejected_by_its_number() -> None:
    _, found = rows(COMPLETION, ["a"])
    assert isinstance(found, Wrong)
    assert found.place == "openai completions 2026-11-01T09:00:00Z result 2"


def test_identity_depends_on_hour_and_dimensions_and_not_on_counts() -> None:
    assert row().record_id == row(output_tokens=9).record_id
    assert row().record_id != row(api_key_id="key_2").record_id
    assert row().record_id != row(batch=True).record_id
    assert row().record_id != row(project_id=None, user_id="proj_1").record_id


def test_embeddings_have_no_output_and_images_no_tokens() -> None:
    assert row("embeddings").cells["output_tokens"] == 0
    assert "input_tokens" not in row("images", images=4).cells


def test_speech_counts_characters() -> None:
    assert row("audio_speeches", characters=1200).cells["input_characters"] == 1200
