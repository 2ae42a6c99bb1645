"""What people say of an incident: kept, audited, told, and quiet for a week at most."""

from datetime import timedelta

import pytest

from tests.decision_builders import audited, propose, rows_by_table, told_in_slack
from tests.incident_documents import NOW
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.feedback import FeedbackVerdict, expected_at, feedback_of
from tokensleuth.casebook.queues import waiting_letters
from tokensleuth.casebook.saying import say


@pytest.mark.parametrize("verdict", ["expected", "not-an-issue", "real"])
def test_a_word_is_kept_audited_and_told(casebook: Casebook, verdict: FeedbackVerdict) -> None:
    propose(casebook)
    told_in_slack(casebook)
    given = say(casebook, "inc_1", verdict, "alice", NOW)
    with casebook.reading() as connection:
        assert feedback_of(connection, "inc_1") == [given]
        assert [letter["kind"] for letter in waiting_letters(connection)] == ["feedback", "renew"]
    assert audited(casebook, "inc_1") == [f"said {verdict}"]


def test_of_an_incident_that_is_none_nothing_is_kept(casebook: Casebook) -> None:
    before = rows(casebook)
    assert say(casebook, "inc_none", "expected", "alice", NOW) is None
    assert say(casebook, "inc_\x00\udcff", "expected", "alice", NOW) is None
    assert rows(casebook) == before


def rows(casebook: Casebook) -> dict[str, int]:
    with casebook.reading() as connection:
        return rows_by_table(connection)


@pytest.mark.parametrize(("days", "kept"), [(1, 1), (7, 7), (8, 7), (3_650, 7)])
def test_nothing_is_kept_quiet_for_more_than_a_week(casebook: Casebook, days: int, kept: int) -> None:
    propose(casebook)
    given = say(casebook, "inc_1", "expected", "alice", NOW, quiet_for=timedelta(days=days))
    assert given is not None
    assert given.until_at == NOW + timedelta(days=kept)
    with casebook.reading() as connection:
        assert expected_at(connection, NOW + timedelta(days=kept, microseconds=-1)) == [given]
        assert expected_at(connection, NOW + timedelta(days=kept)) == []


@pytest.mark.parametrize("verdict", ["not-an-issue", "real"])
def test_only_what_is_expected_is_quiet(casebook: Casebook, verdict: FeedbackVerdict) -> None:
    propose(casebook)
    given = say(casebook, "inc_1", verdict, "alice", NOW)
    assert given is not None
    assert given.until_at is None


def test_the_last_word_on_an_incident_counts(casebook: Casebook) -> None:
    propose(casebook)
    say(casebook, "inc_1", "expected", "alice", NOW)
    say(casebook, "inc_1", "real", "bob", NOW)
    with casebook.reading() as connection:
        assert expected_at(connection, NOW) == []
