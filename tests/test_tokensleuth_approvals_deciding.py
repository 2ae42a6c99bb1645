"""The one door: a person's word becomes the one decision of a round, or is refused and kept as such."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event

from tests.decision_builders import (
    asked_for,
    audited,
    click,
    propose,
    rows_by_table,
    rules,
    slack,
    stored,
    told_in_slack,
    unix,
    web,
)
from tests.incident_documents import NOW, START
from tokensleuth.approvals import Request, decide
from tokensleuth.approvals.deciding import expire_lapsed
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import verify_entries
from tokensleuth.casebook.decided import words_of
from tokensleuth.casebook.queues import waiting_letters
from tokensleuth.casebook.records import Touched
from tokensleuth.people import Identity

EXPIRES = START + timedelta(days=1)


def letters(casebook: Casebook) -> list[str]:
    with casebook.reading() as connection:
        return [str(letter["kind"]) for letter in waiting_letters(connection)]


def test_one_word_decides_and_is_kept_told_and_audited(casebook: Casebook) -> None:
    wanted = propose(casebook)
    told_in_slack(casebook)
    answer = click(casebook, wanted, slack("alice"), reason="it burns")
    assert (answer.outcome, answer.told) == ("approved", "alice approved it")
    assert stored(casebook, wanted).state == "approved"
    assert letters(casebook) == ["decided", "renew"]
    assert audited(casebook, wanted) == ["proposed", "approved"]


def test_a_proposal_that_is_none_is_refused_and_audited(casebook: Casebook) -> None:
    answer = decide(casebook, Request("prop_none", "approve", web("alice"), "a" * 64), rules(), NOW)
    assert (answer.outcome, answer.told) == ("refused", "there is no proposal prop_none")
    assert audited(casebook) == ["refused"]


@pytest.mark.parametrize(
    "junk", ["", "x" * 5_000, "prop_\x00", "prop_\udcff", "'; drop table audit; --", "🔥"]
)
def test_an_id_of_junk_is_refused_and_audited(casebook: Casebook, junk: str) -> None:
    answer = decide(casebook, Request(junk, "approve", web("alice"), "a" * 64), rules(), NOW)
    assert answer.outcome == "refused"
    assert audited(casebook) == ["refused"]


@pytest.mark.parametrize("junk", ["nul \x00 inside", "half \udcff of a character", "x" * 100_000, "🔥"])
def test_a_reason_of_junk_does_not_stop_a_decision(casebook: Casebook, junk: str) -> None:
    wanted = propose(casebook)
    assert click(casebook, wanted, web("alice"), "reject", reason=junk).outcome == "rejected"
    with casebook.reading() as connection:
        assert verify_entries(connection, casebook.key, []).whole


@pytest.mark.parametrize("name", ["x" * 1_000, "a\x00b", "a\udcffb"])
def test_an_identity_of_junk_is_refused_and_audited(casebook: Casebook, name: str) -> None:
    wanted = propose(casebook)
    assert click(casebook, wanted, Identity("os", name)).outcome == "refused"
    assert audited(casebook, wanted) == ["proposed", "refused"]


def test_an_action_on_no_list_is_refused_and_audited(casebook: Casebook) -> None:
    wanted = propose(casebook)
    with casebook.writing() as connection:
        connection.exec_driver_sql("update proposals set action = 'delete_everything'")
    assert click(casebook, wanted, web("alice")).outcome == "refused"
    assert audited(casebook, wanted) == ["proposed", "refused"]


def test_who_is_not_listed_is_refused_and_audited(casebook: Casebook) -> None:
    wanted = propose(casebook)
    assert click(casebook, wanted, slack("alice", team="T0OTHER")).outcome == "refused"
    assert stored(casebook, wanted).state == "pending"
    assert audited(casebook, wanted) == ["proposed", "refused"]


def test_a_clock_set_back_does_not_revive_what_was_refused_as_expired(casebook: Casebook) -> None:
    wanted = propose(casebook)
    late = click(casebook, wanted, web("alice"), now=EXPIRES)
    early = click(casebook, wanted, web("alice"), now=EXPIRES - timedelta(hours=2))
    assert (late.outcome, early.outcome) == ("refused", "refused")
    assert stored(casebook, wanted).state == "expired"
    assert "it expired at 2026-11-04 14:00 UTC" in early.told


def test_a_microsecond_before_its_expiry_it_can_be_decided(casebook: Casebook) -> None:
    wanted = propose(casebook)
    just = click(casebook, wanted, web("alice"), now=EXPIRES - timedelta(microseconds=1))
    assert just.outcome == "approved"


def test_what_nobody_decided_is_marked_expired_once(casebook: Casebook) -> None:
    wanted = propose(casebook)
    assert expire_lapsed(casebook, EXPIRES - timedelta(microseconds=1)) == []
    assert [expire_lapsed(casebook, EXPIRES), expire_lapsed(casebook, EXPIRES)] == [[wanted], []]
    assert audited(casebook, wanted) == ["proposed", "expired"]


def test_what_is_superseded_cannot_be_approved(casebook: Casebook) -> None:
    wanted = propose(casebook)
    propose(casebook, asked_for("block_key"))
    answer = click(casebook, wanted, web("alice"))
    assert (answer.outcome, stored(casebook, wanted).state) == ("refused", "superseded")
    assert "a later investigation found something else" in answer.told


def test_the_first_decision_wins_and_the_loser_is_told_who(casebook: Casebook) -> None:
    wanted = propose(casebook)
    click(casebook, wanted, web("alice"), "reject")
    lost = click(casebook, wanted, web("bob"))
    assert (lost.outcome, lost.told) == ("refused", "alice rejected it already")
    assert stored(casebook, wanted).state == "rejected"


def test_five_clicks_of_one_person_are_one_decision(casebook: Casebook) -> None:
    wanted = propose(casebook)
    answers = [click(casebook, wanted, by) for by in (slack("bob"), web("bob"), unix("bob"), slack("bob"))]
    assert [a.outcome for a in answers] == ["approved", "refused", "refused", "refused"]
    assert answers[1].told == "bob approved it already; it is approved"


def test_one_person_through_three_doors_counts_once(casebook: Casebook) -> None:
    wanted = propose(casebook, asked_for("revoke_key"))
    answers = [click(casebook, wanted, by) for by in (slack("bob"), web("bob"), unix("bob"))]
    assert [a.outcome for a in answers] == ["waiting", "refused", "refused"]
    assert stored(casebook, wanted).state == "pending"


@pytest.mark.parametrize(
    ("action", "touched"),
    [
        ("revoke_key", Touched(0.001, "search")),
        ("set_rate_limit", Touched(0.06, "search")),
        ("set_rate_limit", None),
    ],
)
def test_two_people_are_needed_and_suffice(casebook: Casebook, action: str, touched: Touched | None) -> None:
    wanted = propose(casebook, asked_for(action), touched=touched)
    first, second = (click(casebook, wanted, web(name)) for name in ("alice", "bob"))
    assert (first.outcome, first.approvals, first.needed) == ("waiting", 1, 2)
    assert first.told == "alice approved; it takes 2 people, so one more must"
    assert (second.outcome, second.approvals) == ("approved", 2)


def test_one_of_two_can_reject(casebook: Casebook) -> None:
    wanted = propose(casebook, asked_for("revoke_key"))
    click(casebook, wanted, web("alice"))
    assert click(casebook, wanted, web("bob"), "reject").outcome == "rejected"
    lost = click(casebook, wanted, web("carol"))
    assert lost.told == "bob rejected it already"


def test_who_asked_does_not_count_as_the_second(casebook: Casebook) -> None:
    wanted = propose(casebook, asked_for("revoke_key"), requested_by="alice")
    click(casebook, wanted, web("bob"))
    assert click(casebook, wanted, slack("alice")).outcome == "refused"
    assert stored(casebook, wanted).state == "pending"


def test_an_approval_of_other_parameters_does_not_count_in_the_new_round(casebook: Casebook) -> None:
    wanted = propose(casebook, asked_for(), touched=None)
    shown = stored(casebook, wanted).payload_hash
    assert click(casebook, wanted, web("alice")).outcome == "waiting"
    propose(casebook, asked_for(parameters={"tokens_per_minute": 1}), touched=None)
    assert click(casebook, wanted, web("bob"), seen=shown).outcome == "refused"
    second = click(casebook, wanted, web("bob"))
    assert (second.outcome, second.approvals) == ("waiting", 1)
    assert click(casebook, wanted, web("alice")).outcome == "approved"


def test_the_same_proposed_again_keeps_the_round_and_its_first_approval(casebook: Casebook) -> None:
    wanted = propose(casebook, touched=None)
    click(casebook, wanted, web("alice"))
    propose(casebook, touched=None, requested_by="bob")
    assert stored(casebook, wanted).requested_by == "service:schedule"
    assert click(casebook, wanted, web("carol")).outcome == "approved"


def test_the_same_hash_of_an_earlier_round_does_not_decide_a_later_one(casebook: Casebook) -> None:
    wanted = propose(casebook)
    shown = stored(casebook, wanted).payload_hash
    expire_lapsed(casebook, EXPIRES)
    again = {"expires_at": "2026-11-06T00:00:00Z"}
    propose(casebook, asked_for(**again), at=EXPIRES)
    stale = click(casebook, wanted, web("alice"), seen=shown, now=EXPIRES)
    assert "it has changed since it was shown" in stale.told
    assert click(casebook, wanted, web("alice"), now=EXPIRES).outcome == "approved"


@contextmanager
def breaking_after(casebook: Casebook, number: int) -> Iterator[None]:
    """The database fails after so many statements."""
    seen = iter(range(1_000))

    def fail(*_: object) -> None:
        if next(seen) == number:
            raise InterruptedError(f"after statement {number}")

    event.listen(casebook.engine, "after_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(casebook.engine, "after_cursor_execute", fail)


def test_word_move_letters_and_audit_are_there_together_or_not_at_all(casebook: Casebook) -> None:
    wanted = propose(casebook)
    told_in_slack(casebook)
    seen = stored(casebook, wanted).payload_hash
    with casebook.reading() as connection:
        before = rows_by_table(connection)
    broken = 0
    while True:
        try:
            with breaking_after(casebook, broken):
                click(casebook, wanted, web("alice"), seen=seen)
            break
        except InterruptedError:
            broken += 1
        with casebook.reading() as connection:
            assert rows_by_table(connection) == before
        assert stored(casebook, wanted).state == "pending"
    assert broken >= 8
    with casebook.reading() as connection:
        after = rows_by_table(connection)
    grown = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert grown == {"decisions": 1, "outbox": 2, "audit": 1}


def test_a_refused_word_leaves_only_an_audit_entry(casebook: Casebook) -> None:
    wanted = propose(casebook)
    told_in_slack(casebook)
    with casebook.reading() as connection:
        before = rows_by_table(connection)
    click(casebook, wanted, web("mallory"))
    with casebook.reading() as connection:
        assert rows_by_table(connection) == before | {"audit": before["audit"] + 1}
        assert words_of(connection, wanted, 1) == []


def test_each_answer_is_a_document(casebook: Casebook) -> None:
    wanted = propose(casebook)
    document = click(casebook, wanted, web("alice")).as_json()
    assert document == {
        "proposal_id": wanted,
        "incident_id": "inc_1",
        "outcome": "approved",
        "told": "alice approved it",
        "approvals": 1,
        "needed": 1,
    }
