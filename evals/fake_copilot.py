"""GitHub's AI-credit billing report on loopback, a day at a time, with a state that a test may change.

Shapes are those of the vendor's page; the real service has not been seen.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from pydantic import JsonValue

from evals.fake_openai import Reply, json_reply
from evals.loopback import Loopback, Request, serving

TOKEN = "ghp-fake-billing-0123456789"  # noqa: S105
VERSION = "2026-03-10"


@dataclass(slots=True)
class FakeCopilot:
    """One organisation."""

    organization: str = "acme"
    days: dict[date, list[dict[str, JsonValue]]] = field(default_factory=dict)

    def use(self, day: date, model: str, *, gross: float, net: float = 0.0) -> None:
        """So many credits on a day, and how many of them were beyond the pool."""
        self.days.setdefault(day, []).append(item(model, gross=gross, net=net))

    def answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return json_reply({"message": "Bad credentials", "status": "401"}, status=401)
        if request.headers.get("x-github-api-version") != VERSION:
            return json_reply({"message": "Unsupported version", "status": "400"}, status=400)
        if request.path != f"/organizations/{self.organization}/settings/billing/ai_credit/usage":
            return json_reply({"message": "Not Found", "status": "404"}, status=404)
        asked = {name: int(request.query[name][0]) for name in ("year", "month", "day")}
        items: list[JsonValue] = [*self.days.get(date(**asked), [])]
        return json_reply({"timePeriod": {**asked}, "organization": self.organization, "usageItems": items})


def item(model: str, *, gross: float, net: float = 0.0) -> dict[str, JsonValue]:
    """One of `usageItems`, amounts in cents as GitHub rounds them."""
    return {
        "product": "Copilot",
        "sku": "Copilot AI Credits",
        "model": model,
        "unitType": "ai-credits",
        "pricePerUnit": 0.01,
        "grossQuantity": gross,
        "grossAmount": round(gross * 0.01, 2),
        "discountQuantity": round(gross - net, 6),
        "discountAmount": round((gross - net) * 0.01, 2),
        "netQuantity": net,
        "netAmount": round(net * 0.01, 2),
    }


@contextmanager
def fake_copilot() -> Iterator[tuple[FakeCopilot, Loopback]]:
    """Serve on a free port until the block ends."""
    fake = FakeCopilot()
    with serving(fake.answer) as served:
        yield fake, served
