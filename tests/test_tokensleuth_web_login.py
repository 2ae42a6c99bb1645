"""Logging in: who gets a session, how long it counts, and where it leads."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.web_site import GUEST, Clock, approver, browser, casebook_in, form_on, parts_over
from tokensleuth.casebook import Casebook
from tokensleuth.settings_acts import Web
from tokensleuth.web.site import SESSION_COOKIE
from tokensleuth.web.throttle import MOST_FAILURES


@pytest.fixture
def casebook(tmp_path: Path) -> Iterator[Casebook]:
    with casebook_in(tmp_path) as opened:
        yield opened


def is_logged_in(client: TestClient) -> bool:
    return client.get("/").status_code == 200


def test_a_right_token_logs_in_with_a_cookie_that_no_script_and_no_other_site_gets(
    casebook: Casebook,
) -> None:
    client = browser(parts_over(casebook))
    answer = client.post("/login", data={"token": "alice-token"})
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie
    assert "alice" in client.get("/").text


def test_under_https_the_cookie_is_secure(casebook: Casebook) -> None:
    parts = parts_over(casebook, web=Web(public_url="https://spend.example.com"))
    client = browser(parts, at="https://spend.example.com")
    assert "Secure" in client.post("/login", data={"token": "alice-token"}).headers["set-cookie"]


@pytest.mark.parametrize("token", ["", "wrong", "alice", "Alice-token", "tökén", "x" * 512])
def test_a_wrong_token_gets_no_session(casebook: Casebook, token: str) -> None:
    client = browser(parts_over(casebook))
    answer = client.post("/login", data={"token": token})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert not is_logged_in(client)


def test_without_approvers_and_guest_nobody_logs_in(casebook: Casebook) -> None:
    parts = parts_over(casebook, approver("carol", "tell"), guest_token=None)
    assert browser(parts).post("/login", data={"token": GUEST}).status_code == 401


def test_after_ten_wrong_tokens_a_minute_also_the_right_one_waits(casebook: Casebook) -> None:
    parts = parts_over(casebook)
    client = browser(parts)
    for _ in range(MOST_FAILURES):
        assert client.post("/login", data={"token": "wrong"}).status_code == 401
    assert client.post("/login", data={"token": "alice-token"}).status_code == 429
    assert isinstance(parts.clock, Clock)
    parts.clock.passes(seconds=61)
    assert client.post("/login", data={"token": "alice-token"}).status_code == 303


def test_the_printed_address_logs_in_and_leaves_no_token_in_the_address(casebook: Casebook) -> None:
    client = browser(parts_over(casebook))
    answer = client.get(f"/login?token={GUEST}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert is_logged_in(client)


def test_another_site_cannot_log_somebody_in(casebook: Casebook) -> None:
    client = browser(parts_over(casebook))
    client.get("/login?token=bob-token", headers={"Sec-Fetch-Site": "cross-site"})
    answer = client.post("/login", data={"token": "bob-token"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert not is_logged_in(client)


def test_a_session_ends_with_its_hours(casebook: Casebook) -> None:
    clock = Clock()
    client = browser(parts_over(casebook, clock=clock, web=Web(session_hours=2)), "alice")
    clock.passes(hours=1.9)
    assert is_logged_in(client)
    clock.passes(hours=0.2)
    assert not is_logged_in(client)


@pytest.mark.parametrize(
    "people", [[approver("bob")], [approver("alice", digest_of="another"), approver("bob")]]
)
def test_who_was_removed_or_got_another_token_is_logged_out(casebook: Casebook, people: list[object]) -> None:
    cookie = browser(parts_over(casebook), "alice").cookies[SESSION_COOKIE]
    later = browser(parts_over(casebook, *people))  # type: ignore[arg-type]
    later.cookies.set(SESSION_COOKIE, cookie, domain="127.0.0.1")
    assert not is_logged_in(later)


@pytest.mark.parametrize("place", [0, 20, -1])
def test_a_changed_cookie_is_no_session(casebook: Casebook, place: int) -> None:
    client = browser(parts_over(casebook), "alice")
    cookie = client.cookies[SESSION_COOKIE]
    changed = list(cookie)
    changed[place] = "1" if changed[place] != "1" else "2"
    client.cookies.clear()
    client.cookies.set(SESSION_COOKIE, "".join(changed), domain="127.0.0.1")
    assert not is_logged_in(client)


@pytest.mark.parametrize("cookie", ["x", ".", "1.e30.", "9999999999.e30.00", "%00", "a.b.c.d"])
def test_junk_in_a_cookie_is_no_session(casebook: Casebook, cookie: str) -> None:
    client = browser(parts_over(casebook))
    assert client.get("/", headers={"Cookie": f"{SESSION_COOKIE}={cookie}"}).status_code == 303


def test_the_login_leads_to_the_page_that_was_asked_for(casebook: Casebook) -> None:
    client = browser(parts_over(casebook))
    asked = client.get("/spend?by=model&where=team=a%26b").headers["location"]
    fields = form_on(client, asked, "/login")
    answer = client.post(
        "/login", data={"token": "alice-token", "next": fields["next"].replace("&amp;", "&")}
    )
    assert answer.headers["location"] == "/spend?by=model&where=team=a%26b"


@pytest.mark.parametrize(
    "to", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/login", "é"]
)
def test_the_login_never_leads_elsewhere(casebook: Casebook, to: str) -> None:
    answer = browser(parts_over(casebook)).post("/login", data={"token": "alice-token", "next": to})
    assert answer.headers["location"] == "/"


def test_a_link_on_another_site_is_sent_round_once_for_the_cookie_to_come(casebook: Casebook) -> None:
    client = browser(parts_over(casebook))
    answer = client.get("/incidents?after=x", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert 'http-equiv="refresh" content="0; url=/incidents?after=x"' in answer.text


def test_logging_out_takes_the_form_of_the_page(casebook: Casebook) -> None:
    client = browser(parts_over(casebook), "alice")
    assert client.post("/logout").status_code == 403
    client.post("/logout", data=form_on(client, "/", "/logout"))
    assert not is_logged_in(client)
