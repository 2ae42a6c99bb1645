"""Letters become messages from the casebook as it is when they are sent."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.slack_desk import INCIDENT, KEY, LIMIT, NOON, RULES, Desk, desk_at, record
from tokensleuth.casebook.telling import Message, add_message
from tokensleuth.slackapp.letters import LetterRendering

LINE = {
    "start_at": "2026-11-22T10:00:00Z", "end_at": "2026-11-22T12:00:00Z", "actual": [1.0, None],
    "expected": [1.0, 1.0], "low": [0.5, None], "high": [1.5, 1.5], "flagged": [False, True],
}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_at(tmp_path) as made:
        made.sender.render = LetterRendering(KEY, RULES, made.clock, link_base="https://spend.example.com")
        yield made


def write_storm(desk: Desk, count: int) -> None:
    for number in range(count):
        first = record()
        incident = {**first.incident, "id": f"inc_{number}", "proposals": [], "delta_usd": f"{number}.50"}
        desk.casebook.save(replace(first, incident=incident, touched={}))
        with desk.casebook.writing() as connection:
            add_message(connection, Message(f"inc_{number}", "C2", "storm", None, "out_storm", NOON))
    desk.write("out_storm", "storm", channel="C2", incident_id=None, mention=["UADA"])


def test_an_alert_is_charted_where_its_hours_were_kept(desk: Desk) -> None:
    desk.casebook.save(replace(record(), timeline=LINE))
    desk.write("out_2", channel="C2", incident_id=INCIDENT)
    desk.send_all()
    [file] = desk.slack.workspace.of("file")
    [message] = desk.posted("C2")
    assert str(file["file_id"]) in str(message["blocks"])
    assert int(str(file["bytes"])) > 10_000


def test_a_storm_tells_of_all_its_incidents_in_one_message_and_is_kept_up_to_date(desk: Desk) -> None:
    write_storm(desk, 12)
    desk.send_all()
    assert desk.texts("C2") == ["12 incidents: +$72.00 together"]
    with desk.casebook.writing() as connection:
        ts = str(desk.posted("C2")[0]["ts"])
        add_message(connection, Message(INCIDENT, "C2", "storm", ts, "out_storm", NOON))
    desk.write("out_renew", "renew", channel="C2", incident_id="inc_3", outbox_id="out_storm")
    desk.send_all()
    [message] = desk.posted("C2")
    assert str(message["text"]).startswith("13 incidents")
    assert "<@UADA>" in str(message["blocks"])


def test_what_somebody_asked_for_is_answered(desk: Desk) -> None:
    found = [INCIDENT, "inc_gone"]
    desk.write("out_1", "result", channel="C2", incident_id=None, range="last-24h", incidents=found)
    desk.write("out_2", "result", channel="C2", incident_id=None, range="last-9d", error="no usage")
    desk.send_all()
    first, second = desk.texts("C2")
    assert first == "1 incident in last-24h"
    assert "no usage" in str(second)


def test_an_owner_is_asked(desk: Desk) -> None:
    desk.write("out_1", "notice", channel="C2", incident_id=INCIDENT, owner="search", message="Is it you?")
    desk.send_all()
    assert desk.texts("C2") == ["To the owner, search: Is it you?"]


def test_details_of_what_is_no_longer_proposed_are_not_shown(desk: Desk) -> None:
    for letter_id, proposal_id in (("out_1", LIMIT), ("out_2", "prop_gone")):
        desk.write(
            letter_id,
            "ephemeral",
            incident_id=INCIDENT,
            user="UADA",
            about="details",
            proposal_id=proposal_id,
        )
    told = [text for _, text in desk.whispers()]
    assert told[0].startswith("Details: ")
    assert "superseded" in told[1]


def test_an_incident_that_is_gone_has_no_message(desk: Desk) -> None:
    desk.write("out_1", channel="C2", incident_id="inc_gone")
    desk.send_all()
    assert desk.row("out_1")["error"] == "there is nothing to say any more"


def test_the_key_is_not_shown() -> None:
    assert KEY.decode() not in repr(LetterRendering(KEY, RULES, lambda: NOON))
