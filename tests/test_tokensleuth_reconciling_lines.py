"""What the lines of a bill are understood as."""

import pytest

from ledger.usage import TokenClass
from tokensleuth.reconciling.lines import line_of, named_alike

MODELS = ("gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18", "gpt-4o-2024-05-13", "o3", "text-embedding-3-small")
CLAUDES = ("claude-sonnet-4-20250514", "claude-3-5-haiku-20241022", "claude-opus-4-6", "claude-opus-4-1")

TOKENS: list[tuple[str, str, TokenClass | None]] = [
    ("gpt-4o-2024-08-06, input", "gpt-4o-2024-08-06", "input"),
    ("GPT-4o-2024-08-06, Cached input", "gpt-4o-2024-08-06", "cache_read"),
    ("gpt-4o-2024-08-06, cache write", "gpt-4o-2024-08-06", "cache_write_5m"),
    ("gpt-4o-2024-08-06, batch, output", "gpt-4o-2024-08-06", "output"),
    ("gpt-4o-mini, output", "gpt-4o-mini-2024-07-18", "output"),
    ("o3", "o3", None),
    ("Claude Sonnet 4 Usage - Input Tokens", "claude-sonnet-4-20250514", "input"),
    ("Claude Sonnet 4 Usage - Output Tokens", "claude-sonnet-4-20250514", "output"),
    ("Claude Haiku 3.5 Usage - Input Tokens, Cache Read", "claude-3-5-haiku-20241022", "cache_read"),
    ("Claude Opus 4.6 Usage - Input Tokens, Cache Write (1h)", "claude-opus-4-6", "cache_write_1h"),
    ("claude-opus-4-6, cache_creation.ephemeral_5m_input_tokens, batch", "claude-opus-4-6", "cache_write_5m"),
    ("claude-opus-4-6, uncached_input_tokens", "claude-opus-4-6", "input"),
    ("claude-opus-4-6, cache_read_input_tokens", "claude-opus-4-6", "cache_read"),
    ("gpt-99, input", "gpt-99", "input"),
]


@pytest.mark.parametrize(("line_item", "model", "token_class"), TOKENS)
def test_a_line_of_tokens_names_its_model_and_class(
    line_item: str, model: str, token_class: TokenClass | None
) -> None:
    found = line_of(line_item, "", (*MODELS, *CLAUDES))
    assert (found.kind, found.model, found.token_class) == ("tokens", model, token_class)


@pytest.mark.parametrize(
    ("line_item", "unit"),
    [
        ("web search tool calls | gpt-4o", ""),
        ("Web Search Usage", ""),
        ("Code Execution Usage", ""),
        ("assistants api | file search", "gibibyte_hours"),
        ("code interpreter sessions", ""),
        ("session_usage", ""),
        ("whisper-1", "duration_seconds"),
        ("gpt-4o-mini-tts, output", "characters"),
        ("dall-e-3, hd", "images"),
        ("ChatGPT seats", ""),
        ("Promotional credit", ""),
        ("gpt-4o-mini-2024-07-18, fine-tuning", "tokens"),
    ],
)
def test_what_is_no_use_of_tokens_is_told_as_that(line_item: str, unit: str) -> None:
    assert line_of(line_item, unit, MODELS).kind == "not_token_usage"


def test_a_name_that_fits_several_models_is_not_guessed() -> None:
    found = line_of("gpt-4o, input", "tokens", MODELS)
    assert found.kind == "unmapped"
    assert found.why == "gpt-4o may be any of gpt-4o-2024-05-13, gpt-4o-2024-08-06"


@pytest.mark.parametrize("line_item", ["UNALLOCATED", "something new", "Priority something"])
def test_a_line_that_says_nothing_known_is_told_as_unmapped(line_item: str) -> None:
    assert line_of(line_item, "", MODELS).kind == "unmapped"


def test_models_of_other_sizes_and_versions_are_not_alike() -> None:
    assert named_alike("gpt-4o-mini", ("gpt-4o-2024-08-06",)) == []
    assert named_alike("Claude Opus 4.1", CLAUDES) == ["claude-opus-4-1"]
    assert named_alike("Claude Sonnet 4.5", CLAUDES) == []
