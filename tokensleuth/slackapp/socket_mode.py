"""Socket Mode: the same inbox, filled over a connection that we open, where there is no public address."""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from socket import SHUT_RDWR
from threading import Event, Thread
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from ledger.errors import TokensleuthError
from tokensleuth.casebook import Casebook
from tokensleuth.slackapp.incoming import Incoming, Odd, Slash, read_command, read_interaction
from tokensleuth.slackapp.ingress import slash_answer, store
from tokensleuth.slackapp.web_api import is_loopback, vendor_logger, web_client

log = logging.getLogger(__name__)

AGAIN_S: Final = 10.0
PING_S: Final = 5.0
"""Also how often the SDK looks whether it is still connected."""


@dataclass(slots=True)
class SocketMode:
    """Connects, stores every envelope before it is acknowledged, and connects again when it is cut off."""

    casebook: Casebook
    app_token: SecretStr = field(repr=False)
    base_url: str
    clock: Callable[[], datetime]
    again_s: float = AGAIN_S
    ping_s: float = PING_S
    problem: str | None = None
    """Why the first connection does not come about."""
    _client: SocketModeClient | None = field(default=None, repr=False)
    _stopping: Event = field(default_factory=Event, repr=False)
    _thread: Thread | None = field(default=None, repr=False)

    @property
    def is_connected(self) -> bool:
        return self._client is not None and self._client.is_connected()

    def start(self) -> None:
        """At once; connecting goes on in a thread of its own."""
        self._client = client = self._made()
        self._thread = Thread(target=self._connect, args=(client,), name="slack socket", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """What was stored is kept; what was not is not acknowledged."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self._client is not None:
            _close(self._client)

    def take(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        """Store first; without an acknowledgement the person sees that it did not work."""
        now, incoming = self.clock(), read_envelope(request)
        try:
            store(self.casebook, envelope_id(request), "slack_socket", incoming, now)
        except TokensleuthError as error:
            log.warning("what Slack sent could not be stored, so it was not taken: %s", error)
            return
        shown = slash_answer(incoming, now) if isinstance(incoming, Slash) else None
        payload = dict(shown) if shown and request.accepts_response_payload else None
        client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))

    def _connect(self, client: SocketModeClient) -> None:
        """The SDK connects again by itself, but only once it was connected."""
        while not self._stopping.is_set():
            try:
                client.connect()
                self.problem = None
                return
            except (SlackClientError, OSError, ValueError, AttributeError) as error:
                self.problem = f"Socket Mode does not connect: {type(error).__name__}"
                log.warning("%s; again in %g s", self.problem, self.again_s)
            self._stopping.wait(self.again_s)

    def _made(self) -> SocketModeClient:
        client = SocketModeClient(
            app_token=self.app_token.get_secret_value(),
            web_client=web_client(self.base_url, None),
            logger=vendor_logger(),
            ping_interval=self.ping_s,
            concurrency=4,
        )
        if is_loopback(urlsplit(self.base_url).hostname):
            client.proxy = None
        client.socket_mode_request_listeners.append(self.take)
        return client


def _close(client: SocketModeClient) -> None:
    """Wakes the SDK's reader first, which would wait three seconds for more and then connect again."""
    client.auto_reconnect_enabled = client.default_auto_reconnect_enabled = False
    session = client.current_session
    if session is not None and session.sock is not None:
        with suppress(OSError):
            session.sock.shutdown(SHUT_RDWR)
    client.close()


def envelope_id(request: SocketModeRequest) -> str:
    """The same for what is delivered again."""
    payload = json.dumps(request.payload, sort_keys=True)
    digest = hashlib.sha256(f"{request.envelope_id}\0{payload}".encode("utf-8", "surrogatepass"))
    return f"slack_{digest.hexdigest()[:48]}"


def read_envelope(request: SocketModeRequest) -> Incoming:
    """What an envelope asks for."""
    payload: Mapping[str, object] = request.payload
    match request.type:
        case "interactive":
            return read_interaction(payload)
        case "slash_commands":
            return read_command(payload)
        case _:
            return Odd(why="an envelope of a type that nothing was asked of")
