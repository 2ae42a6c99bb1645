"""What people marked as expected is in force until it ends, a week at most, and can be listed."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from ledger.scope import EVERYTHING, Scope
from ledger.window import instant_text
from tests.incident_documents import NOW, incident_document, proposal_document, save_incidents
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.decided import Said, add_word, read_asked
from tokensleuth.casebook.feedback import Feedback, FeedbackVerdict, add_feedback
from tokensleuth.casebook.marks import LONGEST, Mark, marks_in_force
from tokensleuth.casebook.schema import proposals

DAY = timedelta(days=1)
SEARCH, KEY = Scope.parse(["team=search"]), Scope.parse(["team=search", "key_id=k1"])


def say(casebook: Casebook, verdict: FeedbackVerdict, until_at: datetime | None = None) -> None:
    with casebook.writing() as connection:
        add_feedback(connection, Feedback("inc_1", verdict, {"team": "search"}, until_at, "ann", NOW))


def approve(casebook: Casebook, until_at: datetime, *, state: str = "approved") -> None:
    parameters = {"until": instant_text(until_at)}
    save_incidents(casebook, incident_document(proposals=[proposal_document("mark_expected", parameters)]))
    with casebook.writing() as connection:
        asked = read_asked(connection, "prop_mark_expected")
        assert asked is not None
        add_word(connection, asked, Said("approve", "bob", "web:bob", None, NOW))
        connection.execute(update(proposals).values(state=state))


def in_force(casebook: Casebook, now: datetime = NOW) -> list[Mark]:
    with casebook.reading() as connection:
        return list(marks_in_force(connection, now))


def test_feedback_is_in_force_until_it_ends(casebook: Casebook) -> None:
    say(casebook, "expected", NOW + DAY)
    assert in_force(casebook) == [Mark("feedback", "inc_1", SEARCH, NOW + DAY, "ann", NOW)]
    assert in_force(casebook, NOW + DAY) == []


def test_the_last_word_on_an_incident_counts(casebook: Casebook) -> None:
    say(casebook, "expected", NOW + DAY)
    say(casebook, "real")
    assert in_force(casebook) == []


def test_feedback_without_an_end_marks_nothing(casebook: Casebook) -> None:
    say(casebook, "expected")
    assert in_force(casebook) == []


def test_an_approved_proposal_is_in_force_before_it_is_carried_out(casebook: Casebook) -> None:
    approve(casebook, NOW + DAY)
    assert in_force(casebook) == [Mark("proposal", "inc_1", KEY, NOW + DAY, "bob", NOW)]


@pytest.mark.parametrize("state", ["pending", "rejected", "expired", "superseded", "failed", "done"])
def test_a_proposal_in_any_other_state_is_not(casebook: Casebook, state: str) -> None:
    approve(casebook, NOW + DAY, state=state)
    assert in_force(casebook) == []


def test_every_mark_ends_after_a_week_and_the_longest_is_listed_first(casebook: Casebook) -> None:
    approve(casebook, NOW + 365 * DAY)
    say(casebook, "expected", NOW + DAY)
    assert [(m.source, m.until_at) for m in in_force(casebook)] == [
        ("proposal", NOW + LONGEST), ("feedback", NOW + DAY),
    ]  # fmt: skip
    assert in_force(casebook, NOW + LONGEST) == []


def test_a_mark_covers_what_lies_in_its_scope() -> None:
    mark = Mark("feedback", "inc_1", SEARCH, NOW, "ann", NOW)
    assert [mark.covers(scope) for scope in (SEARCH, KEY, EVERYTHING)] == [True, True, False]


def test_a_mark_on_all_spend_covers_nothing_else() -> None:
    mark = Mark("feedback", "inc_1", EVERYTHING, NOW, "ann", NOW)
    assert [mark.covers(scope) for scope in (EVERYTHING, SEARCH)] == [True, False]


def test_a_mark_can_be_listed() -> None:
    listed = Mark("feedback", "inc_1", SEARCH, NOW + DAY, "ann", NOW).as_json()
    assert (listed["scope"], listed["until_at"]) == ({"team": "search"}, "2026-11-04T20:05:00Z")
