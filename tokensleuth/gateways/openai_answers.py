"""What OpenAI's admin API answers, as far as the gateway reads it; the SDK itself takes anything."""

from typing import Literal

from pydantic import Field, JsonValue

from tokensleuth.gateways.shapes import ProviderAnswer


class Named(ProviderAnswer):
    """Anything with an id."""

    id: str


class Page(ProviderAnswer):
    data: list[JsonValue]
    has_more: bool


class RateLimit(ProviderAnswer):
    id: str
    model: str
    max_requests_per_1_minute: int
    max_tokens_per_1_minute: int

    def value(self, name: str) -> int:
        """By the name that OpenAI has for it."""
        return {
            "max_requests_per_1_minute": self.max_requests_per_1_minute,
            "max_tokens_per_1_minute": self.max_tokens_per_1_minute,
        }[name]


class Permissions(ProviderAnswer):
    """A mode of null is taken for no policy, as a 404 is; the vendor's pages do not say which is sent."""

    mode: Literal["allow_list", "deny_list"] | None
    model_ids: list[str] = Field(default_factory=list)


class SpendLimit(ProviderAnswer):
    threshold_amount: int
    """Cents."""
    currency: str
    interval: str


class Owner(ProviderAnswer):
    type: Literal["user", "service_account"] | None = None


class Key(ProviderAnswer):
    id: str
    owner: Owner
