"""The door: hosts, sizes, headers of every answer, and what is not there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.web_site import browser, casebook_in, parts_over
from tokensleuth.casebook import Casebook
from tokensleuth.settings_acts import Web
from tokensleuth.web.guard import MOST_BYTES, SECURITY_HEADERS, known_hosts

PATHS = ("/", "/login", "/incidents", "/static/style.css", "/healthz", "/nothing", "/api/v1/audit", "/broken")


@pytest.fixture
def casebook(tmp_path: Path) -> Iterator[Casebook]:
    with casebook_in(tmp_path) as opened:
        yield opened


@dataclass(frozen=True)
class Replied:
    status: int = 200
    body: bytes = b"{}"
    content_type: str = "application/json"


@dataclass
class Ingress:
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def respond(self, headers: Sequence[tuple[str, str]], body: bytes) -> Replied:
        self.came.append((dict(headers), body))
        return Replied()


def broken_health() -> Mapping[str, object]:
    raise ZeroDivisionError("a fault")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("person", [None, "alice"])
def test_every_answer_has_the_security_headers(casebook: Casebook, path: str, person: str | None) -> None:
    answer = browser(parts_over(casebook), person).get(path)
    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert "'unsafe" not in answer.headers["content-security-policy"]


def test_a_fault_is_answered_with_the_headers_and_without_its_words(casebook: Casebook) -> None:
    answer = browser(parts_over(casebook, health=broken_health)).get("/healthz")
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"] == SECURITY_HEADERS["Content-Security-Policy"]
    assert "a fault" not in answer.text


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "", "a b"]
)
def test_a_host_that_is_not_ours_is_refused(casebook: Casebook, host: str) -> None:
    assert browser(parts_over(casebook)).get("/healthz", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8377", "localhost", "LOCALHOST:1", "[::1]:8377"])
def test_loopback_is_answered_to(casebook: Casebook, host: str) -> None:
    assert browser(parts_over(casebook)).get("/healthz", headers={"Host": host}).status_code == 200


def test_the_public_and_the_configured_host_are_known_but_not_every_address() -> None:
    known = known_hosts(Web(host="10.0.0.5", public_url="https://Spend.example.com:8443/inbox"))
    assert {"10.0.0.5", "spend.example.com", "localhost"} <= known
    every = "0.0.0.0"  # noqa: S104
    assert every not in known_hosts(Web(host=every))


def test_a_body_over_the_limit_is_refused_whatever_its_header_says(casebook: Casebook) -> None:
    client = browser(parts_over(casebook))
    assert client.post("/login", content=b"x" * (MOST_BYTES + 1)).status_code == 413
    chunks = (b"x" * 1024 for _ in range(80))
    assert client.post("/login", content=chunks).status_code == 413


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/static/../app.py", "/slack/actions"])
def test_what_is_not_there_is_not_there(casebook: Casebook, path: str) -> None:
    assert browser(parts_over(casebook), "alice").get(path).status_code == 404


def test_slack_gets_its_bytes_as_they_were_signed(casebook: Casebook) -> None:
    ingress = Ingress()
    client = browser(parts_over(casebook, slack=ingress))
    body = b"payload=%7B%7D&x=" + b"y" * (2 * MOST_BYTES)
    for path in ("/slack/actions", "/slack/commands"):
        answer = client.post(path, content=body, headers={"X-Slack-Signature": "v0=1"})
        assert (answer.status_code, answer.json()) == (200, {})
    assert [came[1] for came in ingress.came] == [body, body]
    assert ingress.came[0][0]["x-slack-signature"] == "v0=1"


def test_bad_health_is_503(casebook: Casebook) -> None:
    parts = parts_over(casebook, health=lambda: {"ok": False, "failing": {"slack": "invalid_auth"}})
    assert browser(parts).get("/healthz").status_code == 503
