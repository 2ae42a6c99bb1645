"""Tells an address outside that the service lives; when it falls silent, that address raises the alarm."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import httpx2
from pydantic import SecretStr

from agent.llm.bounded_transport import BoundedTransport
from ledger.errors import TokensleuthError
from tokensleuth.observing.settings import HeartbeatSettings

MOST_BYTES = 65_536
"""Of an answer nobody reads."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Heartbeat:
    """One beat a step; a beat that fails is told of once, until one comes through again."""

    url: SecretStr
    client: httpx2.Client
    healthy: Callable[[], bool]
    failing: str | None = field(default=None, init=False)

    @classmethod
    def configured(cls, settings: HeartbeatSettings, healthy: Callable[[], bool]) -> Self | None:
        """None where no address is set."""
        if settings.url is None:
            return None
        client = httpx2.Client(
            transport=BoundedTransport(max_bytes=MOST_BYTES),
            headers={"User-Agent": "tokensleuth"},
            timeout=httpx2.Timeout(settings.timeout_s),
            follow_redirects=False,
            trust_env=False,
        )
        return cls(settings.url, client, healthy)

    def step(self) -> bool:
        """Send a beat, to `/fail` below the address where the service is not healthy; never raises."""
        try:
            why = _refusal(self.client.get(self._address()))
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            why = type(error).__name__
        self._note(why)
        return False

    def close(self) -> None:
        self.client.close()

    def _address(self) -> httpx2.URL:
        url = httpx2.URL(self.url.get_secret_value())
        return url if self._is_healthy() else url.copy_with(path=url.path.rstrip("/") + "/fail")

    def _is_healthy(self) -> bool:
        try:
            return self.healthy()
        except TokensleuthError:
            return False

    def _note(self, why: str | None) -> None:
        """Neither the address nor what it answers is told: whoever knows it can keep it quiet."""
        if why is not None and self.failing is None:
            log.warning("no heartbeat can be sent: %s; that the service lives is not known outside", why)
        if why is None and self.failing is not None:
            log.info("heartbeats are sent again")
        self.failing = why


def _refusal(response: httpx2.Response) -> str | None:
    """A redirect is refused too: it may lead to another host."""
    return None if response.is_success else f"status {response.status_code}"
