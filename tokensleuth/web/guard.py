"""The door of the server: which hosts it answers to, how much it reads, and the headers of every answer."""

import re
from ipaddress import ip_address
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tokensleuth.settings_acts import Web

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

MOST_BYTES: Final = 64 * 1024
MOST_SLACK_BYTES: Final = 1024 * 1024
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")
_EVERY_ADDRESS: Final = ("0.0.0.0", "::")  # noqa: S104 - told apart, not bound to
_PROBED: Final = ("/healthz", "/metrics")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
_PUBLIC_HOST = re.compile(r"https?://(?:[^/@]*@)?([^/]+)")


def host_name(host: str) -> str | None:
    """The name in a Host header, without the port; None where it is none."""
    found = _HOST.fullmatch(host.lower())
    return found[1] if found else None


def known_hosts(web: Web) -> frozenset[str]:
    """Names under which people reach the inbox; any other is a page elsewhere that rebound its name to us."""
    names = {*_LOOPBACK, *(host.lower() for host in web.hosts)}
    if web.host not in _EVERY_ADDRESS:
        names.add(f"[{web.host}]" if ":" in web.host else web.host.lower())
    if web.public_url and (found := _PUBLIC_HOST.match(web.public_url)):
        names.add(host_name(found[1]) or found[1])
    return frozenset(names)


class Guard:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        guarded = _with_headers(send)
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if not self._is_known(hosts, scope["path"]):
            told = "this host name is not known here; set web.public_url to the address people use\n"
            await PlainTextResponse(told, 400)(scope, receive, guarded)
            return
        most = MOST_SLACK_BYTES if scope["path"].startswith("/slack/") else MOST_BYTES
        body = await _whole_body(receive, most)
        if body is None:
            told = f"the request is larger than {most // 1024} KiB\n"
            await PlainTextResponse(told, 413, {"Connection": "close"})(scope, receive, guarded)
            return
        await self.app(scope, _replayed(body, receive), guarded)

    def _is_known(self, hosts: list[str], path: str) -> bool:
        """Probes and scrapers may ask by address: a page elsewhere can rebind a name to us, no address."""
        name = host_name(hosts[0]) if len(hosts) == 1 else None
        return name is not None and (name in self.hosts or (path in _PROBED and _is_address(name)))


def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


async def _whole_body(receive: Receive, most: int) -> bytes | None:
    """All of the body; None where it is larger than allowed, whatever its header says."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name for name, _ in message["headers"]}
            added = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
            message["headers"] = [*message["headers"], *(a for a in added if a[0] not in own)]
        await send(message)

    return guarded
