"""Names and habits a synthetic organisation is put together from: teams, offices, features and clients."""

from collections.abc import Mapping
from dataclasses import dataclass

TEAMS: tuple[str, ...] = (
    "search", "support", "checkout", "data-platform", "marketing", "legal", "mobile", "recommendations",
    "fraud", "onboarding", "analytics", "devtools", "sales", "finance", "content", "logistics",
    "security", "billing", "partners", "growth", "catalogue", "payments", "identity", "translation",
    "messaging", "pricing", "research", "quality", "field-service", "people", "learning", "claims",
    "underwriting", "compliance", "maps", "media", "notifications", "procurement", "risk", "studio",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Office:
    """Where a team sits; the offset is the one in force in mid-November and is kept all year."""

    region: str
    utc_offset_hours: int


OFFICES: tuple[Office, ...] = (
    Office("eu-west-1", 0),
    Office("eu-central-1", 1),
    Office("us-east-1", -5),
    Office("us-west-2", -8),
    Office("ap-south-1", 5),
)


@dataclass(frozen=True, slots=True)
class Feature:
    """What a product feature sends and gets back per request, in tokens."""

    name: str
    prompt_tokens: float
    output_tokens: float
    cached_share: float
    """Part of the prompt read from the cache, where the provider caches."""
    characters_per_token: float


FEATURES: tuple[Feature, ...] = (
    Feature("chat-assistant", 2400, 380, 0.45, 4.3),
    Feature("answer-with-sources", 6200, 420, 0.25, 4.2),
    Feature("summarise", 7800, 520, 0.05, 4.4),
    Feature("classify", 900, 40, 0.35, 4.1),
    Feature("extract-fields", 3100, 260, 0.2, 3.6),
    Feature("code-review", 11000, 900, 0.6, 3.3),
    Feature("agent-tasks", 15000, 700, 0.7, 3.8),
    Feature("draft-reply", 1800, 450, 0.4, 4.3),
    Feature("translate", 1300, 1200, 0.1, 3.4),
    Feature("rewrite-query", 500, 60, 0.3, 4.0),
)
BATCH_FEATURES: tuple[Feature, ...] = (
    Feature("nightly-tagging", 2200, 120, 0.0, 4.0),
    Feature("document-index", 5200, 300, 0.0, 4.1),
    Feature("monthly-report", 9500, 1100, 0.0, 4.4),
)

CLIENTS: Mapping[str, tuple[str, ...]] = {
    "openai": ("openai-python/3.54", "openai-node/7.2", "litellm/1.109"),
    "anthropic": ("anthropic-python/1.21", "anthropic-typescript/1.8", "litellm/1.109"),
    "google": ("google-genai-python/2.4", "litellm/1.109"),
}
"""SDKs as gateways log them, most used first."""
