"""What forms do, and the forms that do nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.incident_documents import incident_document, save_incidents
from tests.web_site import (
    INCIDENT,
    LIMIT,
    NOTIFY,
    REVOKE,
    Clock,
    Undoer,
    approver,
    browser,
    carried_out,
    casebook_in,
    form_on,
    parts_over,
    press,
    proposals,
    told_on,
    with_incident,
)
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import read_entries
from tokensleuth.settings_acts import Web
from tokensleuth.web import WebParts
from tokensleuth.web.sessions import form_token, session_in
from tokensleuth.web.site import SESSION_COOKIE

APPROVE, REJECT = f"/proposals/{NOTIFY}/approve", f"/proposals/{NOTIFY}/reject"


@pytest.fixture
def casebook(tmp_path: Path) -> Iterator[Casebook]:
    with casebook_in(tmp_path) as opened:
        with_incident(opened)
        yield opened


@pytest.fixture
def parts(casebook: Casebook) -> WebParts:
    return parts_over(casebook)


@pytest.fixture
def alice(parts: WebParts) -> TestClient:
    return browser(parts, "alice")


def state(parts: WebParts, proposal_id: str = NOTIFY) -> object:
    return {p["id"]: p["state"] for p in parts.casebook.proposals(now=parts.clock())}[proposal_id]


def test_one_may_approve_what_only_tells(parts: WebParts, alice: TestClient) -> None:
    assert press(alice, APPROVE, page="/") == ["Alice approved it."]
    assert state(parts) == "approved"


def test_what_was_told_is_told_once(alice: TestClient) -> None:
    press(alice, APPROVE)
    assert told_on(alice, "/") == []


def test_a_rejection_keeps_its_reason(parts: WebParts, alice: TestClient) -> None:
    assert press(alice, REJECT, reason="the <team> is on it") == ["Alice rejected it."]
    assert state(parts) == "rejected"
    assert "the &lt;team&gt; is on it" in alice.get(f"/incidents/{INCIDENT}").text


def test_what_touches_much_waits_for_a_second_person(parts: WebParts, alice: TestClient) -> None:
    action = f"/proposals/{LIMIT}/approve"
    assert "takes 2 people" in press(alice, action)[0]
    assert state(parts, LIMIT) == "pending"
    assert action not in alice.get("/").text
    assert press(browser(parts, "bob"), action) == ["Bob approved it."]
    assert state(parts, LIMIT) == "approved"


def test_the_loser_is_told_who_decided(parts: WebParts, alice: TestClient) -> None:
    bob = browser(parts, "bob")
    late = form_on(bob, "/", REJECT)
    press(alice, APPROVE)
    answer = bob.post(REJECT, data=late)
    assert told_on(bob, answer.headers["location"]) == [
        "Nothing was done: alice approved it already; it is approved."
    ]
    assert state(parts) == "approved"


def test_what_changed_since_it_was_shown_is_not_approved(parts: WebParts, alice: TestClient) -> None:
    shown = form_on(alice, "/", APPROVE)
    changed = [p | {"parameters": {"owner": "somebody", "message": "else"}} for p in proposals()]
    save_incidents(parts.casebook, incident_document(INCIDENT, proposals=changed))
    answer = alice.post(APPROVE, data=shown)
    assert "has changed since" in told_on(alice, answer.headers["location"])[0]
    assert state(parts) == "pending"


@pytest.mark.parametrize("given", [{}, {"payload_hash": ""}, {"payload_hash": "0" * 64}])
def test_a_form_without_the_hash_decides_nothing(
    parts: WebParts, alice: TestClient, given: dict[str, str]
) -> None:
    form = form_on(alice, "/", APPROVE)
    alice.post(APPROVE, data={"form": form["form"], **given})
    assert state(parts) == "pending"


@pytest.mark.parametrize("token", ["", "0" * 64, "é", None])
def test_a_form_without_its_token_is_refused(parts: WebParts, alice: TestClient, token: str | None) -> None:
    form = form_on(alice, "/", APPROVE)
    forged = {name: value for name, value in form.items() if name != "form"}
    answer = alice.post(APPROVE, data=forged | ({} if token is None else {"form": token}))
    assert (answer.status_code, state(parts)) == (403, "pending")


def test_a_form_of_another_path_or_session_is_refused(parts: WebParts, alice: TestClient) -> None:
    of_reject = form_on(alice, "/", REJECT)
    of_bob = form_on(browser(parts, "bob"), "/", APPROVE)
    assert [alice.post(APPROVE, data=form).status_code for form in (of_reject, of_bob)] == [403, 403]
    assert state(parts) == "pending"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "null"},
        {"Sec-Fetch-Site": "none", "Origin": "null"},
    ],
)
def test_a_form_sent_from_elsewhere_is_refused(
    parts: WebParts, alice: TestClient, headers: dict[str, str]
) -> None:
    answer = alice.post(APPROVE, data=form_on(alice, "/", APPROVE), headers=headers)
    assert (answer.status_code, state(parts)) == (403, "pending")


@pytest.mark.parametrize("origin", ["null", "http://127.0.0.1"])
def test_a_form_of_ours_passes_with_the_headers_browsers_send(
    parts: WebParts, alice: TestClient, origin: str
) -> None:
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    alice.post(APPROVE, data=form_on(alice, "/", APPROVE), headers=headers)
    assert state(parts) == "approved"


def test_who_is_not_logged_in_does_nothing(parts: WebParts, alice: TestClient) -> None:
    form = form_on(alice, "/", APPROVE)
    assert browser(parts).post(APPROVE, data=form).headers["location"] == "/login"
    assert state(parts) == "pending"


def test_a_visitor_sees_everything_and_does_nothing(parts: WebParts, alice: TestClient) -> None:
    guest = browser(parts, "guest")
    html = guest.get("/").text + guest.get(f"/incidents/{INCIDENT}").text
    assert "Notify owner" in html
    assert forms_in(html) == {"/logout"}
    form = form_on(alice, "/", APPROVE)
    assert guest.post(APPROVE, data=form).status_code == 403
    assert state(parts) == "pending"


def test_a_visitor_with_a_rightly_signed_form_does_nothing_either(parts: WebParts) -> None:
    guest, key = browser(parts, "guest"), parts.casebook.key
    people = parts.rules.people
    session = session_in(guest.cookies[SESSION_COOKIE], key, people, parts.guest_token, now=parts.clock())
    assert session is not None
    for path in (APPROVE, REJECT, f"/proposals/{LIMIT}/undo", f"/incidents/{INCIDENT}/feedback"):
        form = {"form": form_token(session, key, path), "payload_hash": "0" * 64, "verdict": "real"}
        answer = guest.post(path, data=form)
        assert (answer.status_code, "a token of your own" in answer.text) == (403, True)


def test_an_approver_called_visitor_is_not_the_visitor(casebook: Casebook) -> None:
    parts = parts_over(casebook, approver("visitor"), approver("alice"))
    assert forms_in(browser(parts, "guest").get("/").text) == {"/logout"}


def test_who_may_not_decide_sees_why_and_no_button(casebook: Casebook) -> None:
    parts = parts_over(casebook, approver("alice", "limit"), approver("bob", "tell"))
    html = browser(parts, "alice").get("/").text
    assert "Alice may not decide on tell actions; those who may are bob." in html
    assert f'action="{APPROVE}"' not in html


def test_what_is_final_is_asked_on_a_page_of_its_own(alice: TestClient) -> None:
    action, ask = f"/proposals/{REVOKE}/approve", f"/proposals/{REVOKE}/confirm"
    assert f'action="{action}"' not in alice.get("/").text
    form = form_on(alice, ask, action)
    unconfirmed = alice.post(action, data={"form": form["form"], "payload_hash": form["payload_hash"]})
    assert unconfirmed.headers["location"] == ask
    assert "takes 2 people" in press(alice, action, page=ask)[0]


def test_an_expired_proposal_is_not_approved(casebook: Casebook) -> None:
    clock = Clock()
    parts = parts_over(casebook, clock=clock, web=Web(session_hours=48))
    alice = browser(parts, "alice")
    form = form_on(alice, "/", APPROVE)
    clock.passes(hours=20)
    answer = alice.post(APPROVE, data=form)
    assert "it expired at 2026-11-04 14:00 UTC" in told_on(alice, answer.headers["location"])[0]
    assert state(parts) == "expired"


def test_what_was_done_can_be_taken_back(parts: WebParts, alice: TestClient) -> None:
    carried_out(parts, LIMIT)
    assert press(alice, f"/proposals/{LIMIT}/undo") == ["Alice takes it back."]
    assert isinstance(parts.undo, Undoer)
    assert parts.undo.asked == [(LIMIT, "web:alice")]


def test_a_visitor_gets_no_button_to_take_it_back(parts: WebParts) -> None:
    carried_out(parts, LIMIT)
    html = browser(parts, "guest").get(f"/incidents/{INCIDENT}").text
    assert "done, and read back from litellm" in html
    assert forms_in(html) == {"/logout"}


def test_what_was_rehearsed_is_not_called_done(parts: WebParts, alice: TestClient) -> None:
    carried_out(parts, LIMIT, dry_run=True)
    html = alice.get(f"/incidents/{INCIDENT}").text
    assert ">rehearsed</span>" in html
    assert ">done</span>" not in html
    assert f"/proposals/{LIMIT}/undo" not in html


def test_feedback_is_kept_with_its_audit_entry(parts: WebParts, alice: TestClient) -> None:
    told = press(alice, f"/incidents/{INCIDENT}/feedback", verdict="expected", days="3")
    assert told == ["Alice expected it: quiet until 2026-11-06 20:05 UTC."]
    with parts.casebook.reading() as connection:
        last = read_entries(connection, limit=1)[0]
    assert (last["actor"], last["what"], last["subject"]) == ("alice", "said expected", INCIDENT)


@pytest.mark.parametrize("given", [{"verdict": "nonsense"}, {"verdict": "expected", "days": "365"}, {}])
def test_wrong_feedback_is_refused_by_name(alice: TestClient, given: dict[str, str]) -> None:
    path = f"/incidents/{INCIDENT}/feedback"
    answer = alice.post(path, data=form_on(alice, f"/incidents/{INCIDENT}", path) | given)
    assert answer.status_code == 422
    assert "Verdict: " in answer.text or "Days: " in answer.text


def forms_in(html: str) -> set[str]:
    return {part.partition('action="')[2].partition('"')[0] for part in html.split("<form")[1:]}
