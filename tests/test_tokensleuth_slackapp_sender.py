"""Letters reach Slack once and in order, whatever Slack or the sender does in between."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from evals.fake_slack import How
from evals.fake_workspace import doubled
from tests.slack_letters import Office, office_at
from tokensleuth.casebook.audit import read_entries
from tokensleuth.casebook.queues import LEASE, take_from_outbox
from tokensleuth.casebook.telling import messages_of

POST = "chat.postMessage"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_at(tmp_path) as made:
        yield made


def test_an_alert_is_posted_with_its_outbox_id_and_without_previews(office: Office) -> None:
    office.write("out_1")
    assert office.send_all() == 1
    [message] = office.posted()
    assert message["metadata"] == {
        "event_type": "tokensleuth_letter",
        "event_payload": {"outbox_id": "out_1"},
    }
    assert office.row("out_1")["reply"] == {"channel": "C1", "ts": message["ts"], "chart_file": None}
    [effect] = office.slack.workspace.of("post")
    assert (effect["unfurl_links"], effect["unfurl_media"]) == (False, False)


def test_the_casebook_knows_what_the_message_is_called(office: Office) -> None:
    office.write("out_1")
    office.send_all()
    with office.casebook.reading() as connection:
        [message] = messages_of(connection, "inc_1")
    assert message.ts == office.posted()[0]["ts"]


def test_thread_letters_follow_in_the_thread_and_a_renewal_changes_the_message(office: Office) -> None:
    office.write("out_1")
    office.write("out_2", "decided", outbox_id="out_1")
    office.write("out_3", "renew", outbox_id="out_1")
    office.send_all()
    alert, reply = office.posted()
    assert (alert["text"], reply["text"]) == ("renew out_3 bare", "decided out_2 bare")
    assert reply["thread_ts"] == alert["ts"]


@pytest.mark.parametrize("how", ["lost_reply", "lost_request", "broken", "html"])
def test_an_unknown_outcome_is_looked_up_and_leads_to_one_message(office: Office, how: How) -> None:
    office.write("out_1")
    office.slack.fail(POST, how)
    office.send_all()
    assert office.row("out_1")["state"] == "waiting"
    office.later(600)
    assert office.texts() == ["alert out_1 bare"]
    assert office.row("out_1")["reply"]["ts"] == office.posted()[0]["ts"]


def test_a_lost_reply_in_a_thread_leads_to_one_message(office: Office) -> None:
    office.write("out_1")
    office.write("out_2", "decided", outbox_id="out_1")
    office.sender.send_one(office.clock())
    office.slack.fail(POST, "lost_reply")
    office.send_all()
    office.later(600)
    assert office.texts() == ["alert out_1 bare", "decided out_2 bare"]


def test_an_answer_that_is_too_slow_leads_to_one_message(office: Office) -> None:
    office.write("out_1")
    office.slack.fail(POST, "slow", seconds=1.5)
    office.restart(timeout_s=1)
    office.send_all()
    office.later(600)
    assert office.texts() == ["alert out_1 bare"]


def test_while_nobody_knows_and_nobody_can_look_nothing_is_posted(office: Office) -> None:
    office.write("out_1")
    office.slack.fail(POST, "lost_reply")
    office.send_all()
    office.slack.fail("conversations.history", "broken", times=3)
    for _ in range(3):
        office.later(600)
    assert office.slack.asked.count(POST) == 1
    office.later(600)
    assert office.row("out_1")["state"] == "sent"


def test_a_busy_slack_is_waited_for_as_long_as_it_says_and_the_order_is_kept(office: Office) -> None:
    office.write("out_1")
    office.write("out_2", "result")
    office.slack.fail(POST, "busy", seconds=77)
    assert office.send_all() == 1
    assert office.later(76) == 0
    assert office.later(1) == 2
    assert office.texts() == ["alert out_1 bare", "result out_2 bare"]
    assert "conversations.history" not in office.slack.asked


def test_another_channel_does_not_wait(office: Office) -> None:
    office.write("out_1")
    office.write("out_2", "result", channel="C2")
    office.slack.fail(POST, "busy", seconds=77)
    office.send_all()
    assert (office.texts("C1"), office.texts("C2")) == ([], ["result out_2 bare"])


def test_it_waits_longer_each_time_and_never_more_than_ten_minutes(office: Office) -> None:
    office.write("out_1")
    office.slack.fail("*", "broken", times=12)
    waits = []
    for _ in range(12):
        office.sender.send_one(office.clock())
        waits.append((office.row("out_1")["next_at"] - office.clock()).total_seconds())
        office.clock.tick(waits[-1])
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]


def test_a_bad_token_stops_everything_loses_nothing_and_is_told(office: Office) -> None:
    office.write("out_1")
    office.write("out_2", "result", channel="C2")
    office.slack.fail(POST, "refuse", word="invalid_auth")
    assert office.send_all() == 1
    assert office.sender.problem == "Slack does not let the bot in: invalid_auth"
    assert office.later(60) == 2
    assert office.texts("C1") + office.texts("C2") == ["alert out_1 bare", "result out_2 bare"]


def test_what_works_again_is_no_problem_any_more(office: Office) -> None:
    office.sender.problem = "Slack does not let the bot in: invalid_auth"
    office.write("out_1")
    office.send_all()
    assert office.sender.problem is None


def test_what_slack_refuses_for_good_is_dropped_with_an_entry_and_the_lane_goes_on(office: Office) -> None:
    office.write("out_1", "result")
    office.write("out_2", "result")
    office.slack.fail(POST, "refuse", word="is_archived")
    office.send_all()
    assert (office.row("out_1")["state"], office.row("out_1")["error"]) == (
        "failed", "Slack refused it: is_archived",
    )  # fmt: skip
    assert office.texts() == ["result out_2 bare"]
    with office.casebook.reading() as connection:
        assert [e["what"] for e in read_entries(connection, subject="out_1")] == ["not-sent"]


def test_what_belongs_to_a_message_that_never_came_is_dropped_too(office: Office) -> None:
    office.write("out_1")
    office.write("out_2", "decided", outbox_id="out_1")
    office.slack.fail(POST, "refuse", word="channel_not_found")
    assert office.send_all() == 2
    assert (office.row("out_2")["state"], office.posted()) == ("failed", [])


def test_a_thread_waits_for_its_quiet_alert_and_holds_up_nothing_else(office: Office) -> None:
    morning = office.clock() + timedelta(hours=8)
    office.write("out_1", lane="slack:C1:quiet", not_before=morning)
    office.write("out_2", "decided", outbox_id="out_1")
    office.write("out_3", "result")
    office.send_all()
    assert office.texts() == ["result out_3 bare"]
    office.later(8 * 3600)
    assert office.texts() == ["result out_3 bare", "alert out_1 bare", "decided out_2 bare"]


def test_a_letter_that_has_nothing_to_say_any_more_is_dropped(office: Office) -> None:
    office.write("out_1")
    office.render.silent.add("out_1")
    office.send_all()
    assert office.row("out_1")["error"] == "there is nothing to say any more"


@pytest.mark.parametrize("after_posting", [True, False])
def test_a_sender_that_dies_while_it_sends_leaves_one_message(office: Office, after_posting: bool) -> None:
    office.write("out_1")
    with office.casebook.writing() as connection:
        assert take_from_outbox(connection, "the one that dies", office.clock())
    if after_posting:
        office.sender.api.post("C1", "alert out_1 bare", [], outbox_id="out_1")
    assert office.send_all() == 0
    assert office.later(LEASE.total_seconds()) == 1
    assert office.texts() == ["alert out_1 bare"]
    assert doubled(office.slack.workspace.effects) == []


def test_a_sender_that_held_its_letter_too_long_does_not_post(office: Office) -> None:
    office.write("out_1")
    started = office.clock()
    office.clock.tick(LEASE.total_seconds())
    office.sender.send_one(started)
    assert office.posted() == []
    assert office.later(1) == 1


def test_the_chart_goes_with_the_alert_and_stays_when_it_is_renewed(office: Office) -> None:
    office.render.picture = b"\x89PNG"
    office.write("out_1")
    office.write("out_2", "renew", outbox_id="out_1")
    office.sender.send_one(office.clock())
    file_id = office.slack.workspace.of("file")[0]["file_id"]
    assert office.texts() == [f"alert out_1 {file_id}"]
    office.send_all()
    assert office.texts() == [f"renew out_2 {file_id}"]


@pytest.mark.parametrize("how", ["lost_reply", "broken", "html", "refuse", "busy"])
def test_a_chart_that_cannot_be_uploaded_keeps_nothing_back(office: Office, how: How) -> None:
    office.render.picture = b"\x89PNG"
    office.write("out_1")
    office.slack.fail("files.getUploadURLExternal", how)
    office.send_all()
    assert office.texts() == ["alert out_1 bare"]


def test_what_slack_does_not_take_as_it_looks_goes_plainer(office: Office) -> None:
    office.render.picture = b"\x89PNG"
    office.write("out_1")
    office.slack.fail(POST, "refuse", word="invalid_blocks", times=2)
    office.send_all()
    [message] = office.posted()
    assert (message["text"], message["blocks"]) == ("alert out_1 bare", None)


def test_an_answer_to_a_click_is_tried_once(office: Office) -> None:
    office.write("out_1", "ephemeral", user="U1")
    office.slack.fail("chat.postEphemeral", "lost_reply")
    office.send_all()
    office.later(600)
    assert len(office.slack.workspace.of("whisper")) == 1
    assert office.row("out_1")["state"] == "failed"


def test_an_answer_to_a_click_reaches_the_person_alone(office: Office) -> None:
    office.write("out_1", "ephemeral", user="U1")
    office.send_all()
    [whisper] = office.slack.workspace.of("whisper")
    assert (whisper["user"], whisper["channel"], office.posted()) == ("U1", "C1", [])


def test_a_direct_message_is_sent_looked_for_and_renewed_in_its_conversation(office: Office) -> None:
    office.write("out_1", channel="U7")
    office.slack.fail(POST, "lost_reply")
    office.send_all()
    office.later(600)
    office.write("out_2", "renew", channel="U7", outbox_id="out_1")
    office.send_all()
    assert office.texts("D7") == ["renew out_2 bare"]


def test_a_slack_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    with office_at(tmp_path) as office:
        office.write("out_1")
    with office_at(tmp_path) as again:
        gone, there = office.slack.base_url, again.slack
        again.slack = office.slack
        again.restart()
        assert gone != there.base_url
        assert again.sender.send_one(again.clock())
        assert again.row("out_1")["error"].startswith("Slack cannot be reached: ConnectionRefusedError")
        again.slack = there
        again.restart()
        again.later(10)
        assert again.texts() == ["alert out_1 bare"]
