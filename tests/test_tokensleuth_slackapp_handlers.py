"""A click counts once, for whom it may, on what it was about; everything else is refused and written down."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from evals.signature_mutations import SECRET
from ledger.errors import UnreachableError
from tests.slack_desk import BLOCK, DELETE, INCIDENT, KEY, LIMIT, PEOPLE, Desk, desk_at, record, value_of
from tokensleuth.approvals import Answer
from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.feedback import feedback_of
from tokensleuth.casebook.queues import LEASE, take_from_inbox
from tokensleuth.casebook.telling import add_message, message_is_out, messages_of
from tokensleuth.people import Identity, People
from tokensleuth.slackapp.buttons import button_value
from tokensleuth.slackapp.handlers import InboxWorker
from tokensleuth.slackapp.ingress import SlackIngress
from tokensleuth.slackapp.signing import sign


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_at(tmp_path) as made:
        yield made


@pytest.fixture
def desk_anywhere(tmp_path: Path, casebook: Casebook) -> Iterator[Desk]:
    """In each kind of database."""
    with desk_at(tmp_path, casebook) as made:
        yield made


def kill_while_handling(desk: Desk) -> None:
    """The decision is taken, and the worker dies before it notes so."""

    class Killed(Exception):
        pass

    class Dying(InboxWorker):
        def _note(self, *_: object) -> None:
            raise Killed

    whole = desk.worker
    dying = Dying(whole.casebook, whole.rules, whole.undo, whole.investigate, "dead", whole.clock)
    with pytest.raises(Killed):
        dying.handle_one(desk.clock())
    desk.clock.tick(LEASE.total_seconds())


def test_the_button_of_the_message_decides_and_the_thread_and_message_say_so(desk_anywhere: Desk) -> None:
    desk = desk_anywhere
    assert desk.outcome(desk.click("approve", LIMIT)) == ("done", "ada approved it")
    assert desk.proposal(LIMIT)["state"] == "approved"
    assert desk.audited(LIMIT)[0] == "approved"
    desk.send_all()
    message, reply = desk.posted()
    assert reply["thread_ts"] == message["ts"]
    assert str(reply["text"]).startswith("ada approved it")
    assert f"approve.{LIMIT}" not in str(message["blocks"])
    assert desk.whispers() == []


def test_a_signed_click_on_the_posted_button_decides(desk: Desk) -> None:
    message = desk.posted()[0]
    payload = {
        "type": "block_actions",
        "team": {"id": "T1"},
        "user": {"id": "UADA", "team_id": "T1"},
        "channel": {"id": "C1"},
        "container": {"type": "message", "message_ts": message["ts"]},
        "actions": [{"type": "button", "action_id": "a", "value": value_of(message, "approve", LIMIT)}],
    }
    body = urlencode({"payload": json.dumps(payload)}).encode()
    stamp = str(int(desk.clock().timestamp()))
    headers = [("X-Slack-Request-Timestamp", stamp), ("X-Slack-Signature", sign(body, SECRET, stamp))]
    ingress = SlackIngress(desk.casebook, SecretStr(SECRET), desk.clock)
    assert [ingress.respond(headers, body).status for _ in range(3)] == [200, 200, 200]
    assert desk.handle_all() == 1
    assert desk.proposal(LIMIT)["state"] == "approved"


def test_rejecting_works_alike(desk: Desk) -> None:
    assert desk.outcome(desk.click("reject", LIMIT, user="UBOB")) == ("done", "bob rejected it")
    assert desk.proposal(LIMIT)["state"] == "rejected"


def test_who_comes_second_is_told_alone_who_was_first(desk: Desk) -> None:
    first, second = desk.click("approve", LIMIT), desk.click("reject", LIMIT, user="UBOB")
    assert desk.outcome(first)[0] == "done"
    assert desk.outcome(second) == ("refused", "ada approved it already; it is approved")
    [(user, told)] = desk.whispers()
    assert (user, "ada approved it already" in told) == ("UBOB", True)


def test_who_is_on_no_list_is_refused_in_words(desk: Desk) -> None:
    state, note = desk.outcome(desk.click("approve", LIMIT, user="UEVE"))
    assert (state, "slack:T1/UEVE may not decide" in note) == ("refused", True)
    assert desk.proposal(LIMIT)["state"] == "pending"
    assert [user for user, _ in desk.whispers()] == ["UEVE"]


def test_what_cannot_be_undone_takes_two_people(desk: Desk) -> None:
    first, again = desk.click("approve", DELETE), desk.click("approve", DELETE)
    assert desk.outcome(first)[1].startswith("ada approved; it takes 2 people")
    assert desk.outcome(again)[0] == "refused"
    assert desk.outcome(desk.click("approve", DELETE, user="UBOB")) == ("done", "bob approved it")
    assert desk.proposal(DELETE)["state"] == "approved"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"team": "T2"}, "it comes from the workspace T2; home is T1"),
        ({"user_team": "T2"}, "UADA is a guest from the workspace T2; home is T1"),
        ({"is_bot": True}, "UADA is a bot"),
        ({"user": "USLACKBOT"}, "USLACKBOT is a bot"),
    ],
)
def test_strangers_and_bots_are_refused_and_not_answered(
    desk: Desk, changed: dict[str, object], why: str
) -> None:
    item = desk.click("approve", LIMIT, **changed)
    assert desk.outcome(item) == ("refused", why)
    assert (desk.audited(item), desk.whispers()) == (["refused"], [])


def test_without_a_home_workspace_every_click_is_refused(desk: Desk) -> None:
    desk.rules = ApprovalRules(People(PEOPLE.approvers, None))
    state, note = desk.outcome(desk.click("approve", LIMIT))
    assert (state, "names no home workspace" in note) == ("refused", True)


@pytest.mark.parametrize("where", [{"channel": "C2"}, {"message_ts": "1700000000.000001"}])
def test_a_click_on_a_message_that_we_did_not_post_there_is_refused(
    desk: Desk, where: dict[str, object]
) -> None:
    state, note = desk.outcome(desk.click("approve", LIMIT, **where))
    assert (state, note.startswith("no message of ours in")) == ("refused", True)
    assert desk.proposal(LIMIT)["state"] == "pending"


def test_a_button_of_another_incident_under_our_message_is_refused(desk: Desk) -> None:
    other = record()
    moved = [p | {"id": f"{p['id'][:-1]}x"} for p in other.incident["proposals"]]  # type: ignore[attr-defined]
    incident = {**other.incident, "id": "inc_other", "proposals": moved}
    desk.casebook.save(replace(other, incident=incident, touched={}))
    proposal = desk.proposal(f"{LIMIT[:-1]}x")
    value = button_value("approve", str(proposal["id"]), 1, str(proposal["payload_hash"]), KEY)
    assert desk.outcome(desk.click("approve", LIMIT, value=value))[0] == "refused"
    assert desk.proposal(f"{LIMIT[:-1]}x")["state"] == "pending"


@pytest.mark.parametrize(
    "value", ["", "v1.approve", "approve", f"v1.approve.{LIMIT}.1.{'0' * 16}.{'0' * 32}"]
)
def test_a_button_that_we_did_not_sign_is_refused(desk: Desk, value: str) -> None:
    item = desk.click("approve", LIMIT, value=value)
    assert desk.outcome(item) == ("refused", "the button is not one of ours")


def test_a_click_on_what_was_shown_before_it_changed_is_refused(desk: Desk) -> None:
    item = desk.click("approve", LIMIT)
    changed = record(**{LIMIT: {"parameters": {"tokens_per_minute": 7, "requests_per_minute": None}}})
    desk.casebook.save(changed)
    assert desk.outcome(item) == (
        "refused", "it has changed since it was shown; look at it again and decide then",
    )  # fmt: skip


def test_a_click_after_the_expiry_is_refused(desk: Desk) -> None:
    item = desk.click("approve", LIMIT)
    desk.clock.tick(86400)
    assert desk.outcome(item)[1].startswith("it expired at 2026-11-22 20:52 UTC")


def test_a_winner_whose_worker_was_killed_is_not_told_that_he_lost(desk: Desk) -> None:
    item = desk.click("approve", LIMIT)
    kill_while_handling(desk)
    assert desk.outcome(item) == ("done", "it was done before")
    assert desk.audited(LIMIT).count("approved") == 1
    assert (desk.whispers(), len(desk.posted())) == ([], 2)


def test_a_first_of_two_whose_worker_was_killed_counts_once(desk: Desk) -> None:
    item = desk.click("approve", DELETE)
    kill_while_handling(desk)
    assert desk.outcome(item) == ("done", "it was done before")
    assert desk.proposal(DELETE)["state"] == "pending"


def test_feedback_counts_once_though_its_worker_was_killed(desk: Desk) -> None:
    item = desk.click("expected", INCIDENT, user="UEVE")
    kill_while_handling(desk)
    assert desk.outcome(item)[0] == "done"
    with desk.casebook.reading() as connection:
        assert len(feedback_of(connection, INCIDENT)) == 1


def test_a_killed_worker_loses_no_item(desk: Desk) -> None:
    item = desk.click("approve", LIMIT)
    with desk.casebook.writing() as connection:
        assert take_from_inbox(connection, "dead", desk.clock())
    assert desk.handle_all() == 0
    desk.clock.tick(LEASE.total_seconds())
    assert desk.outcome(item) == ("done", "ada approved it")


def test_anybody_of_the_home_workspace_says_what_it_was_and_it_ends(desk: Desk) -> None:
    assert desk.outcome(desk.click("expected", INCIDENT, user="UEVE")) == ("done", "expected")
    with desk.casebook.reading() as connection:
        [given] = feedback_of(connection, INCIDENT)
    assert (given.given_by, given.verdict) == ("slack:T1/UEVE", "expected")
    assert given.until_at is not None
    assert (given.until_at - desk.clock()).days == 7
    desk.send_all()
    assert desk.posted()[1]["thread_ts"] == desk.posted()[0]["ts"]


def test_details_go_to_the_person_alone_and_their_buttons_count(desk_anywhere: Desk) -> None:
    desk = desk_anywhere
    assert desk.outcome(desk.click("details", LIMIT, user="UEVE"))[0] == "done"
    [(user, told)] = desk.whispers()
    assert (user, told.startswith("Details: ")) == ("UEVE", True)
    ts = desk.slack.workspace.of("whisper")[0]["ts"]
    assert desk.outcome(desk.click("approve", LIMIT, message_ts=ts))[0] == "done"


def test_an_undo_is_asked_for_in_the_name_of_who_clicked(desk: Desk) -> None:
    proposal = desk.proposal(LIMIT)
    value = button_value("undo", LIMIT, 1, str(proposal["payload_hash"]), KEY)
    assert desk.outcome(desk.click("approve", LIMIT, value=value)) == ("done", "it is approved")
    assert desk.undone == [(LIMIT, "slack:T1/UADA")]
    desk.undo_answer = "refused"
    assert desk.outcome(desk.click("approve", LIMIT, value=value)) == ("refused", "it is refused")
    assert len(desk.whispers()) == 1


def test_an_undo_of_a_former_round_is_refused(desk: Desk) -> None:
    value = button_value("undo", LIMIT, 7, "0" * 64, KEY)
    assert desk.outcome(desk.click("approve", LIMIT, value=value))[0] == "refused"
    assert desk.undone == []


def test_a_click_that_is_faster_than_our_note_of_the_message_waits(desk: Desk) -> None:
    with desk.casebook.reading() as connection:
        [message] = messages_of(connection, INCIDENT)
    unnamed = replace(message, channel="C9", ts=None, outbox_id="out_fast")
    with desk.casebook.writing() as connection:
        add_message(connection, unnamed)
    item = desk.click("approve", LIMIT, channel="C9")
    desk.handle_all()
    assert desk.item(item)["state"] == "new"
    with desk.casebook.writing() as connection:
        message_is_out(connection, "out_fast", str(message.ts))
    desk.clock.tick(2)
    assert desk.outcome(item)[0] == "done"


def test_a_click_in_direct_messages_counts(tmp_path: Path) -> None:
    (tmp_path / "direct").mkdir()
    with desk_at(tmp_path / "direct") as desk:
        desk.write("out_direct", channel="UADA", incident_id=INCIDENT)
        desk.send_all()
        ts = desk.posted("DADA")[0]["ts"]
        item = desk.click("approve", BLOCK, channel="DADA", message_ts=ts)
        assert desk.outcome(item)[0] == "done"


def test_the_command_is_handed_on_with_who_asked(desk: Desk) -> None:
    item = desk.slash("last-24h")
    assert desk.outcome(item) == ("done", "asked for")
    assert desk.looked == [("last-24h", "slack:T1/UADA", "C1", item)]
    assert desk.audited(item) == ["slack-slash"]


def test_the_command_alone_looks_at_the_last_days(desk: Desk) -> None:
    desk.outcome(desk.slash(""))
    assert desk.looked[0][0] == "last-7d"


@pytest.mark.parametrize(("text", "team"), [("soon", "T1"), ("last-24h", "T2")])
def test_a_command_that_is_wrong_or_from_elsewhere_looks_at_nothing(desk: Desk, text: str, team: str) -> None:
    assert desk.outcome(desk.slash(text, team=team))[0] == "refused"
    assert desk.looked == []


@pytest.mark.parametrize(
    "body", [{"kind": "odd", "why": "no form"}, {"kind": "click"}, {}, {"kind": 7, "x": None}]
)
def test_what_has_no_form_is_refused_and_audited(desk: Desk, body: dict[str, object]) -> None:
    item = desk.bring(body)
    assert desk.outcome(item)[0] == "refused"
    assert desk.audited(item) == ["refused"]


def test_what_cannot_be_written_now_is_done_later(desk: Desk) -> None:
    failing = [UnreachableError("the ledger is locked")]

    def undo(proposal_id: str, _: Identity) -> Answer:
        if failing:
            raise failing.pop()
        return Answer("approved", "taken back", proposal_id, INCIDENT)

    value = button_value("undo", LIMIT, 1, str(desk.proposal(LIMIT)["payload_hash"]), KEY)
    item = desk.click("approve", LIMIT, value=value)
    worker = replace(desk.worker, undo=undo)
    assert worker.handle_one(desk.clock())
    assert (desk.item(item)["state"], desk.item(item)["note"]) == ("new", "the ledger is locked")
    desk.clock.tick(2)
    assert worker.handle_one(desk.clock())
    assert desk.item(item)["state"] == "done"
