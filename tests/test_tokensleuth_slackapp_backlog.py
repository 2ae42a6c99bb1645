"""Health tells what did not reach Slack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slack_letters import Office, office_at
from tokensleuth.slackapp.backlog import backlog


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_at(tmp_path) as made:
        yield made


def told(office: Office) -> str | None:
    with office.casebook.reading() as connection:
        return backlog(connection, office.clock())


def test_where_everything_went_out_there_is_nothing_to_tell(office: Office) -> None:
    office.write("out_1")
    office.send_all()
    assert told(office) is None


def test_what_slack_refused_is_told_for_a_day(office: Office) -> None:
    office.write("out_1")
    office.slack.fail("chat.postMessage", "refuse", word="not_in_channel")
    office.send_all()
    refused = "1 letter could not be sent in the last 24 h; the last: Slack refused it: not_in_channel"
    assert told(office) == refused
    office.clock.tick(86_401)
    assert told(office) is None


def test_what_waits_for_long_is_told_with_the_reason(office: Office) -> None:
    office.write("out_1")
    office.slack.fail("*", "refuse", word="invalid_auth", times=9)
    office.send_all()
    assert told(office) is None
    office.clock.tick(3600)
    assert told(office) == "letters wait for 1 h: Slack does not let the bot in: invalid_auth"
