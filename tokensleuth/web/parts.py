"""What the web inbox is made of: everything it may ask or do is handed in."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ledger.store import Ledger
from tokensleuth.approvals import Answer
from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.casebook import Casebook
from tokensleuth.people import Identity
from tokensleuth.settings_acts import Actions, Web


class SlackReply(Protocol):
    """What Slack is answered."""

    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...
    @property
    def content_type(self) -> str: ...


class SlackIngress(Protocol):
    """Verifies and stores what Slack posts; see `tokensleuth.slackapp.ingress`."""

    def respond(self, headers: Sequence[tuple[str, str]], body: bytes) -> SlackReply: ...


class Scraped(Protocol):
    """An answer to a scrape of the metrics."""

    @property
    def body(self) -> bytes: ...
    @property
    def content_type(self) -> str: ...


class ScrapedMetrics(Protocol):
    """What /metrics tells; see `tokensleuth.observing.metrics`."""

    def admits(self, authorization: str) -> bool: ...
    def scrape(self, accept: str) -> Scraped: ...


@dataclass(frozen=True, slots=True)
class WebParts:
    """The parts of one running inbox."""

    casebook: Casebook
    rules: ApprovalRules
    web: Web
    actions: Actions
    clock: Callable[[], datetime]
    ledger: Callable[[], AbstractContextManager[Ledger]]
    """Opened for one page; raises UnreachableError or RefusedError."""
    undo: Callable[[str, Identity], Answer]
    health: Callable[[], Mapping[str, object]]
    """For /healthz; `ok: false` answers 503."""
    slack: SlackIngress | None = None
    metrics: ScrapedMetrics | None = None
    """None where the settings turn them off: then there is no such page."""
    guest_token: str | None = field(default=None, repr=False)
    """Lets its holder look at everything and do nothing."""
