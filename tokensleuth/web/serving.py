"""Serves an application on a socket from a thread of its own, and stops it in good order."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from ledger.errors import UnreachableError

_DRAIN_S = 3
_BACKLOG = 256


@contextmanager
def served(app: ASGIApp, host: str, port: int, what: str = "the web inbox") -> Iterator[str]:
    """Gives the address in use; port 0 takes a free one. Raises UnreachableError where the port is taken."""
    bound = _bound(host, port, what)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, lifespan="off",
        timeout_graceful_shutdown=_DRAIN_S, backlog=_BACKLOG,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, name="web")
    thread.start()
    shown = f"[{host}]" if ":" in host else host
    try:
        yield f"http://{shown}:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def _bound(host: str, port: int, what: str) -> socket.socket:
    """Listens at once, so that whoever is told the address can connect."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise UnreachableError(f"{what} cannot listen on {host}:{port}: {error.strerror}") from None
    return bound
