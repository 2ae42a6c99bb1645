"""The heartbeat reaches the address outside while the service is healthy, and never stops the service."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest
from pydantic import SecretStr, ValidationError

from ledger.errors import UnreachableError
from tokensleuth.clock import seconds_since, stopwatch
from tokensleuth.observing.heartbeat import Heartbeat
from tokensleuth.observing.settings import HeartbeatSettings, MetricsSettings, heartbeat_with, metrics_with

PING = "/ping/5f1d2c3b-secret"


@dataclass(slots=True)
class Outside:
    """Answers every GET alike and takes down what was asked for."""

    url: str = ""
    status: int = 200
    location: str | None = None
    asked: list[str] = field(default_factory=list)
    silent: bool = False
    over: Event = field(default_factory=Event)

    def beat(self, healthy: Callable[[], bool] = lambda: True, *, timeout_s: float = 5) -> Heartbeat:
        settings = HeartbeatSettings(url=SecretStr(self.url + PING), timeout_s=timeout_s)
        found = Heartbeat.configured(settings, healthy)
        assert found is not None
        return found


@contextmanager
def listening() -> Iterator[Outside]:
    outside = Outside()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            outside.asked.append(self.path)
            if outside.silent:
                outside.over.wait(5)
                return
            self.send_response(outside.status)
            if outside.location:
                self.send_header("Location", outside.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    outside.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield outside
    finally:
        outside.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def outside() -> Iterator[Outside]:
    with listening() as served:
        yield served


def test_a_healthy_service_pings_its_address(outside: Outside) -> None:
    with closing(outside.beat()) as heart:
        assert heart.step() is False
    assert outside.asked == [PING]


def test_one_that_is_not_healthy_says_so_below_it(outside: Outside) -> None:
    def unreadable() -> bool:
        raise UnreachableError("the casebook is locked")

    for healthy in (lambda: False, unreadable):
        with closing(outside.beat(healthy)) as heart:
            heart.step()
    assert outside.asked == [f"{PING}/fail"] * 2


def test_a_redirect_is_not_followed(outside: Outside, caplog: pytest.LogCaptureFixture) -> None:
    with listening() as elsewhere, closing(outside.beat()) as heart:
        outside.status, outside.location = 302, elsewhere.url
        heart.step()
        assert elsewhere.asked == []
    assert "status 302" in caplog.text


def test_a_failure_is_told_once_and_its_end_too_and_the_address_never(
    outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tokensleuth.observing.heartbeat")
    with closing(outside.beat()) as heart:
        for status in (500, 503, 500, 200, 200):
            outside.status = status
            heart.step()
    told = [r.getMessage() for r in caplog.records if r.name == "tokensleuth.observing.heartbeat"]

    assert told == [
        "no heartbeat can be sent: status 500; that the service lives is not known outside",
        "heartbeats are sent again",
    ]
    assert not [line for line in told if "secret" in line]


def test_an_address_that_does_not_answer_costs_the_timeout_and_no_more(outside: Outside) -> None:
    outside.silent = True
    began = stopwatch()
    with closing(outside.beat(timeout_s=0.2)) as heart:
        heart.step()
        assert heart.failing is not None
    assert seconds_since(began) < 2


def test_an_address_nobody_listens_at_is_no_failure_of_the_service() -> None:
    with closing(Outside("http://127.0.0.1:1").beat()) as heart:
        assert heart.step() is False
        assert heart.failing == "ConnectError"


def test_without_an_address_there_is_no_heartbeat() -> None:
    assert Heartbeat.configured(HeartbeatSettings(), lambda: True) is None


def test_the_environment_comes_before_the_file_and_is_checked_like_it() -> None:
    in_file = HeartbeatSettings(url=SecretStr("https://a.test/1"), every_s=30)
    found = heartbeat_with(in_file, {"TOKENSLEUTH_HEARTBEAT_URL": " https://b.test/2 "})

    assert (found.url, found.every_s) == (SecretStr("https://b.test/2"), 30)
    assert heartbeat_with(in_file, {}) == in_file
    assert "b.test" not in repr(found)
    with pytest.raises(ValidationError, match="must start with http"):
        heartbeat_with(in_file, {"TOKENSLEUTH_HEARTBEAT_URL": "ftp://b.test"})


def test_the_token_of_the_metrics_comes_from_the_environment() -> None:
    assert metrics_with(MetricsSettings(), {}).token is None
    assert metrics_with(MetricsSettings(), {"TOKENSLEUTH_METRICS_TOKEN": "abc"}).token == SecretStr("abc")
