"""The JSON API: its codes, its bearer tokens, and that cookies count for nothing there."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.web_site import (
    INCIDENT,
    LIMIT,
    NOTIFY,
    Undoer,
    approver,
    bearer,
    browser,
    casebook_in,
    parts_over,
    with_incident,
)
from tokensleuth.casebook import Casebook
from tokensleuth.web import WebParts, create_app
from tokensleuth.web.serving import served

APPROVE = f"/api/v1/proposals/{NOTIFY}/approve"
READS = ("/proposals", "/incidents", f"/incidents/{INCIDENT}", "/evidence/ev_1", "/audit")


@pytest.fixture
def casebook(tmp_path: Path) -> Iterator[Casebook]:
    with casebook_in(tmp_path) as opened:
        with_incident(opened)
        yield opened


@pytest.fixture
def parts(casebook: Casebook) -> WebParts:
    return parts_over(casebook)


@pytest.fixture
def client(parts: WebParts) -> TestClient:
    return browser(parts)


def seen(client: TestClient, proposal_id: str = NOTIFY) -> str:
    listed = client.get("/api/v1/proposals", headers=bearer("bob")).json()["items"]
    return str({p["id"]: p["payload_hash"] for p in listed}[proposal_id])


@pytest.mark.parametrize("path", READS)
def test_everything_is_read_with_a_token_also_of_a_guest(client: TestClient, path: str) -> None:
    for person in ("alice", "guest"):
        answer = client.get(f"/api/v1{path}", headers=bearer(person))
        assert answer.status_code == 200
        assert answer.json()


@pytest.mark.parametrize("path", [*(f"/api/v1{path}" for path in READS), APPROVE])
@pytest.mark.parametrize("given", [None, "Bearer wrong", "Bearer ", "Basic alice-token", "alice-token"])
def test_without_a_right_token_it_is_401_also_with_a_session(
    parts: WebParts, path: str, given: str | None
) -> None:
    client = browser(parts, "alice")
    headers = {} if given is None else {"Authorization": given}
    answer = (
        client.post(path, json={}, headers=headers) if path == APPROVE else client.get(path, headers=headers)
    )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "Bearer TOKEN" in answer.json()["error"]


def test_a_decision_is_answered_with_what_became_of_it(client: TestClient) -> None:
    body = {"payload_hash": seen(client), "reason": "seen"}
    answer = client.post(APPROVE, json=body, headers=bearer("alice"))
    assert answer.status_code == 200
    assert (answer.json()["outcome"], answer.json()["told"]) == ("approved", "alice approved it")


def test_who_comes_second_gets_409_and_who_decided(client: TestClient) -> None:
    body = {"payload_hash": seen(client)}
    client.post(APPROVE.replace("approve", "reject"), json=body, headers=bearer("alice"))
    answer = client.post(APPROVE, json=body, headers=bearer("bob"))
    assert answer.status_code == 409
    assert answer.json()["error"] == "alice rejected it already"


def test_a_stale_hash_is_409(client: TestClient) -> None:
    answer = client.post(APPROVE, json={"payload_hash": "0" * 64}, headers=bearer("alice"))
    assert answer.status_code == 409


def test_who_is_not_on_the_list_gets_403(casebook: Casebook) -> None:
    client = browser(parts_over(casebook, approver("alice", "limit"), approver("bob", "tell")))
    answer = client.post(APPROVE, json={"payload_hash": seen(client)}, headers=bearer("alice"))
    assert answer.status_code == 403
    assert "may not decide" in answer.json()["error"]


def test_a_guest_acts_on_nothing(client: TestClient) -> None:
    answer = client.post(APPROVE, json={"payload_hash": seen(client)}, headers=bearer("guest"))
    assert answer.status_code == 403


@pytest.mark.parametrize("act", ["approve", "reject", "undo"])
def test_an_unknown_proposal_is_404(client: TestClient, act: str) -> None:
    path = f"/api/v1/proposals/prop_none/{act}"
    answer = client.post(path, json={"payload_hash": "0" * 64}, headers=bearer("alice"))
    assert (answer.status_code, answer.json()) == (404, {"error": "there is no proposal prop_none"})


@pytest.mark.parametrize("path", ["/incidents/inc_none", "/evidence/ev_none", "/nothing"])
def test_what_there_is_none_of_is_404_as_json(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/v1{path}", headers=bearer("alice"))
    assert (answer.status_code, list(answer.json())) == (404, ["error"])


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"payload_hash": 1}', b'{"payload_hash": "0", "by": "bob"}'],
)
def test_a_wrong_body_is_422_and_named(client: TestClient, body: bytes) -> None:
    headers = {**bearer("alice"), "Content-Type": "application/json"}
    answer = client.post(APPROVE, content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["error"]


def test_a_body_that_is_no_text_is_400(client: TestClient) -> None:
    headers = {**bearer("alice"), "Content-Type": "application/json"}
    assert client.post(APPROVE, content=b"\xff", headers=headers).status_code == 400


def test_undo_is_asked_for_by_the_holder_of_the_token(parts: WebParts, client: TestClient) -> None:
    answer = client.post(f"/api/v1/proposals/{LIMIT}/undo", headers=bearer("bob"))
    assert answer.status_code == 200
    assert isinstance(parts.undo, Undoer)
    assert parts.undo.asked == [(LIMIT, "web:bob")]


def test_of_many_who_press_at_once_one_decides(parts: WebParts, client: TestClient) -> None:
    body = {"payload_hash": seen(client)}

    def press(address: str, number: int) -> int:
        person, act = ("alice", "bob")[number % 2], ("approve", "reject")[number // 4]
        path = f"{address}/api/v1/proposals/{NOTIFY}/{act}"
        return httpx2.post(path, json=body, headers=dict(bearer(person)), timeout=30).status_code

    with served(create_app(parts), "127.0.0.1", 0) as address, ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(press, [address] * 8, range(8)))
    assert codes == [200] + [409] * 7
