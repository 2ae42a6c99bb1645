"""The inbox on a real socket."""

import http.client
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ledger.errors import UnreachableError
from tests.web_site import casebook_in, parts_over
from tokensleuth.web import create_app
from tokensleuth.web.serving import served


def answer_of(address: str, request: bytes) -> bytes:
    """The raw answer to a raw request."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_it_serves_on_a_free_port_until_the_block_ends(tmp_path: Path) -> None:
    with casebook_in(tmp_path) as casebook:
        with served(create_app(parts_over(casebook)), "127.0.0.1", 0) as address:
            place = urlsplit(address)
            connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=10)
            connection.request("GET", "/login")
            answer = connection.getresponse()
            assert (answer.status, answer.getheader("server")) == (200, None)
            connection.close()
        with pytest.raises(ConnectionError):
            socket.create_connection((place.hostname, place.port), timeout=1)


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with casebook_in(tmp_path) as casebook, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(UnreachableError, match=f"cannot listen on 127.0.0.1:{port}"),
            served(create_app(parts_over(casebook)), "127.0.0.1", port),
        ):
            pass


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    ],
)
def test_a_request_without_one_host_of_ours_is_refused(tmp_path: Path, request_bytes: bytes) -> None:
    with (
        casebook_in(tmp_path) as casebook,
        served(create_app(parts_over(casebook)), "127.0.0.1", 0) as address,
    ):
        assert answer_of(address, request_bytes).split(b" ")[1] == b"400"
