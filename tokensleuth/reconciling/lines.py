"""What a line of a provider's bill is about: a model and a class of its tokens, or no tokens at all."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from ledger.usage import TokenClass

LineKind = Literal["tokens", "not_token_usage", "unmapped"]


@dataclass(frozen=True, slots=True)
class Line:
    """How a line is understood."""

    kind: LineKind
    model: str = ""
    """As the ledger calls it, else as the bill does."""
    token_class: TokenClass | None = None
    """None where the line is of all tokens of the model."""
    why: str = ""
    """What it is instead, or why nobody can tell."""


_PARTS = re.compile(r"\s*(?:,|\||\s[-\u2013]\s)\s*")
"""OpenAI: `gpt-4o-2024-08-06, cached input`; Anthropic: `Claude Sonnet 4 Usage - Input Tokens`."""
_NO_TOKENS = re.compile(
    r"\b(web.?search|file.?search|code.?(interpreter|execution)|containers?|sessions?|storage|vector|seats?|"
    r"subscriptions?|credits?|tax|fees?|training|fine.?tuning|tts|whisper|speech|transcri\w+|dall.?e|sora|"
    r"image (models?|generation)|images?, (low|medium|high|hd|standard)|support|refunds?|discounts?)\b"
)
_TOKEN_UNITS = frozenset({"", "tokens", "1000_tokens"})
_CLASSES: Sequence[tuple[re.Pattern[str], TokenClass]] = (
    (re.compile(r"cache.*(write|creation).*(1 ?h|1 ?hour)|ephemeral 1h"), "cache_write_1h"),
    (re.compile(r"(1 ?h|1 ?hour).*cache.*(write|creation)"), "cache_write_1h"),
    (re.compile(r"cache.*(write|creation)|ephemeral 5m"), "cache_write_5m"),
    (re.compile(r"(?<!un)cache(d|.read|.hit)"), "cache_read"),
    (re.compile(r"\boutput\b|\bcompletion\b"), "output"),
    (re.compile(r"\binput\b|\bprompt\b"), "input"),
)
"""The first that fits; a cache write of no stated life is one of 5 minutes, as the ledger has it."""
_DATE = re.compile(r"^(?:20\d{6}|latest)$")


def line_of(line_item: str, unit: str, models: Collection[str]) -> Line:
    """Understand a line, by the models that the ledger has of the provider."""
    text = line_item.lower().replace("_", " ")
    if unit not in _TOKEN_UNITS:
        return Line("not_token_usage", why=f"{line_item} ({unit.replace('_', ' ')})")
    if _NO_TOKENS.search(text):
        return Line("not_token_usage", why=line_item)
    name, *others = _PARTS.split(line_item.strip())
    rest = " ".join(others).lower().replace("_", " ")
    name = re.sub(r"\s+usage$", "", name, flags=re.IGNORECASE)
    token_class = next((found for pattern, found in _CLASSES if pattern.search(rest)), None)
    fitting = named_alike(name, models)
    if len(fitting) > 1:
        return Line("unmapped", why=f"{name} may be any of {', '.join(fitting)}")
    if not fitting and token_class is None:
        return Line("unmapped", why="names no model of the ledger, and no class of tokens")
    return Line("tokens", fitting[0] if fitting else name, token_class)


def named_alike(name: str, models: Collection[str]) -> list[str]:
    """The models that a name of a bill may mean: the very one, else those that differ in date or spelling."""
    same = sorted(model for model in models if model.lower() == name.lower())
    if same:
        return same[:1]
    stem = _stem(name)
    return sorted(model for model in models if _stem(model) == stem)


def _stem(name: str) -> tuple[str, ...]:
    """`Claude Haiku 3.5` and `claude-3-5-haiku-20241022` alike: the words, without date, in any order."""
    undated = re.sub(r"-20\d\d-\d\d-\d\d$", "", name.strip().lower())
    words = [word for word in re.split(r"[^a-z0-9]+", undated) if word and not _DATE.match(word)]
    if words[:1] == ["claude"]:
        return tuple(sorted(word for word in words if word != "0"))
    return tuple(words)
