"""What Anthropic's admin API answers, as far as the gateway reads it."""

from typing import Literal

from pydantic import JsonValue

from tokensleuth.gateways.shapes import ProviderAnswer


class Page(ProviderAnswer):
    data: list[JsonValue]
    next_page: str | None = None


class Key(ProviderAnswer):
    id: str
    status: Literal["active", "inactive", "archived", "expired"]


class Kind(ProviderAnswer):
    """The tag of a union."""

    type: str


class Limit(ProviderAnswer):
    type: str
    value: int
    source: Kind


class WorkspaceRateLimit(ProviderAnswer):
    rate_limit_id: str
    group: Kind
    models: list[str] | None = None
    limits: list[Limit]

    def override(self, name: str) -> int | None:
        """The workspace's own value; None where it inherits that of the organisation."""
        own = (at.value for at in self.limits if at.type == name and at.source.type == "workspace")
        return next(own, None)


class SpendScope(ProviderAnswer):
    type: str
    workspace_id: str | None = None


class SpendLimit(ProviderAnswer):
    id: str
    amount: str | None = None
    """Cents."""
    currency: str
    period: str
    scope: SpendScope
