"""Inbox and outbox: in order, one worker at a time, none lost and none doubled."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Table, select

from tests.incident_documents import NOW
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.queues import (
    JOB,
    LEASE,
    Letter,
    Queued,
    drop_from_outbox,
    finish_inbox,
    finish_outbox,
    keep_hold,
    put_in_inbox,
    put_in_outbox,
    put_off,
    release_all,
    take_from_inbox,
    take_from_outbox,
    waiting_letters,
)
from tokensleuth.casebook.schema_acts import inbox, outbox

LATER = NOW + LEASE


def post(
    casebook: Casebook, *ids: str, lane: str = "slack:C1", not_before: datetime | None = None
) -> list[bool]:
    with casebook.writing() as connection:
        letters = [Letter(one, lane, "alert", None, {"says": one}) for one in ids]
        return [put_in_outbox(connection, letter, NOW, not_before=not_before) for letter in letters]


def take(casebook: Casebook, owner: str = "w1", now: datetime = NOW) -> Queued | None:
    with casebook.writing() as connection:
        return take_from_outbox(connection, owner, now)


def taken(casebook: Casebook, owner: str = "w1", now: datetime = NOW) -> str | None:
    found = take(casebook, owner, now)
    return found.id if found else None


def send(casebook: Casebook, letter: Queued, owner: str = "w1", now: datetime = NOW) -> bool:
    with casebook.writing() as connection:
        return finish_outbox(connection, letter.number, owner, reply={"ts": letter.id}, now=now)


def state(casebook: Casebook, table: Table, one: str) -> str:
    with casebook.reading() as connection:
        return str(connection.scalar(select(table.c.state).where(table.c.id == one)))


def test_a_lane_is_sent_in_the_order_it_was_written_in(casebook: Casebook) -> None:
    post(casebook, "z", "a", "m")
    sent = []
    while letter := take(casebook):
        send(casebook, letter)
        sent.append((letter.id, letter.body))
    assert sent == [(one, {"says": one}) for one in ("z", "a", "m")]


def test_a_lane_waits_for_its_first_letter_and_others_go_on(casebook: Casebook) -> None:
    post(casebook, "a1", "a2")
    post(casebook, "b1", lane="slack:C2")
    assert [taken(casebook, owner) for owner in ("w1", "w2", "w3")] == ["a1", "b1", None]


def test_the_next_of_a_lane_comes_once_the_first_is_out_or_given_up(casebook: Casebook) -> None:
    post(casebook, "a1", "a2", "a3")
    first = take(casebook)
    assert first is not None
    assert send(casebook, first)
    second = take(casebook)
    assert second is not None
    with casebook.writing() as connection:
        assert drop_from_outbox(connection, second.number, "w1", error="channel_not_found", now=NOW)
    assert taken(casebook) == "a3"
    assert [state(casebook, outbox, one) for one in ("a1", "a2", "a3")] == ["sent", "failed", "waiting"]


def test_a_letter_of_the_same_id_is_written_once_even_after_it_was_sent(casebook: Casebook) -> None:
    assert post(casebook, "a1", "a1") == [True, False]
    letter = take(casebook)
    assert letter is not None
    send(casebook, letter)
    assert post(casebook, "a1", lane="slack:C9") == [False]
    assert taken(casebook) is None


def test_a_letter_put_off_holds_its_lane_until_it_is_due_again(casebook: Casebook) -> None:
    post(casebook, "a1", "a2")
    letter = take(casebook)
    assert letter is not None
    until = NOW + timedelta(seconds=7)
    with casebook.writing() as connection:
        assert put_off(connection, outbox, letter.number, "w1", until=until, why="ratelimited")
    assert taken(casebook, now=until - timedelta(microseconds=1)) is None
    again = take(casebook, now=until)
    assert again is not None
    assert (again.id, again.tries) == ("a1", 1)


def test_a_try_that_surely_sent_nothing_does_not_count(casebook: Casebook) -> None:
    post(casebook, "a1")
    letter = take(casebook)
    assert letter is not None
    with casebook.writing() as connection:
        put_off(connection, outbox, letter.number, "w1", until=NOW, why="refused", sent=False)
    again = take(casebook)
    assert again is not None
    assert again.tries == 0


def test_what_waits_for_its_time_is_not_taken_before(casebook: Casebook) -> None:
    post(casebook, "q1", lane="quiet", not_before=NOW + timedelta(hours=1))
    post(casebook, "past", lane="other", not_before=NOW - timedelta(hours=1))
    assert [taken(casebook), taken(casebook)] == ["past", None]
    assert taken(casebook, now=NOW + timedelta(hours=1)) == "q1"


def test_a_dead_workers_letter_is_taken_over_when_its_lease_ends(casebook: Casebook) -> None:
    post(casebook, "a1")
    old = take(casebook, "w1")
    assert old is not None
    assert taken(casebook, "w2", LATER - timedelta(microseconds=1)) is None
    new = take(casebook, "w2", LATER)
    assert new is not None
    assert (new.id, new.tries) == ("a1", 1)


def test_who_lost_the_lease_can_neither_finish_drop_put_off_nor_hold(casebook: Casebook) -> None:
    post(casebook, "a1")
    old, _ = take(casebook, "w1"), take(casebook, "w2", LATER)
    assert old is not None
    with casebook.writing() as connection:
        assert not finish_outbox(connection, old.number, "w1", reply={}, now=LATER)
        assert not drop_from_outbox(connection, old.number, "w1", error="no", now=LATER)
        assert not put_off(connection, outbox, old.number, "w1", until=LATER, why="no")
        assert not keep_hold(connection, outbox, old.number, "w1", LATER)
        assert finish_outbox(connection, old.number, "w2", reply={}, now=LATER)
        assert not finish_outbox(connection, old.number, "w2", reply={}, now=LATER)


def test_a_hold_that_is_renewed_is_not_taken_over(casebook: Casebook) -> None:
    post(casebook, "a1")
    letter = take(casebook, "w1")
    assert letter is not None
    with casebook.writing() as connection:
        assert keep_hold(connection, outbox, letter.number, "w1", NOW + LEASE / 2)
    assert taken(casebook, "w2", LATER) is None
    assert taken(casebook, "w2", LATER + LEASE / 2) == "a1"


def test_the_only_process_frees_what_dead_ones_held(casebook: Casebook) -> None:
    post(casebook, "a1")
    with casebook.writing() as connection:
        put_in_inbox(connection, "in_1", "slack", {}, NOW)
        take_from_inbox(connection, "w1", NOW)
        take_from_outbox(connection, "w1", NOW)
        release_all(connection)
        letter, item = take_from_outbox(connection, "w2", NOW), take_from_inbox(connection, "w2", NOW)
    assert letter is not None
    assert item is not None
    assert (letter.tries, item.tries) == (1, 1)


def test_what_came_in_before_is_stored_once(casebook: Casebook) -> None:
    with casebook.writing() as connection:
        stored = [put_in_inbox(connection, "in_1", "slack", {"n": n}, NOW) for n in (1, 2)]
        item = take_from_inbox(connection, "w1", NOW)
    assert stored == [True, False]
    assert item is not None
    assert (item.body, item.kind, item.at) == ({"n": 1}, "slack", NOW)


@pytest.mark.parametrize("closed", ["done", "refused"])
def test_a_closed_item_is_not_taken_again(casebook: Casebook, closed: str) -> None:
    with casebook.writing() as connection:
        put_in_inbox(connection, "in_1", "slack", {}, NOW)
        item = take_from_inbox(connection, "w1", NOW)
        assert item is not None
        assert finish_inbox(connection, item.number, "w1", state=closed, note="told", now=NOW)
        assert take_from_inbox(connection, "w2", LATER) is None
        assert not finish_inbox(connection, item.number, "w1", state="done", note="", now=NOW)
    assert state(casebook, inbox, "in_1") == closed


def test_clicks_do_not_wait_for_jobs_nor_jobs_for_clicks(casebook: Casebook) -> None:
    with casebook.writing() as connection:
        put_in_inbox(connection, "job_1", JOB, {}, NOW)
        put_in_inbox(connection, "click_1", "slack", {}, NOW)
        click = take_from_inbox(connection, "w1", NOW)
        job = take_from_inbox(connection, "w2", NOW, jobs=True)
        assert take_from_inbox(connection, "w3", NOW) is None
        assert take_from_inbox(connection, "w3", NOW, jobs=True) is None
    assert [found and found.id for found in (click, job)] == ["click_1", "job_1"]


def test_an_item_that_is_put_off_does_not_hold_up_the_next(casebook: Casebook) -> None:
    with casebook.writing() as connection:
        for one in ("in_1", "in_2"):
            put_in_inbox(connection, one, "slack", {}, NOW)
        first = take_from_inbox(connection, "w1", NOW)
        assert first is not None
        assert put_off(connection, inbox, first.number, "w1", until=LATER, why="locked")
        second = take_from_inbox(connection, "w1", NOW)
    assert second is not None
    assert second.id == "in_2"


def test_four_workers_send_500_letters_once_each_and_in_order_within_their_lanes(casebook: Casebook) -> None:
    lanes = [f"slack:C{number % 7}" for number in range(500)]
    with casebook.writing() as connection:
        for number, lane in enumerate(lanes):
            put_in_outbox(connection, Letter(f"out_{number:03}", lane, "alert", None, {}), NOW)
    sent: list[tuple[str, str]] = []

    def drain(owner: str) -> None:
        while True:
            letter = take(casebook, owner)
            if letter is not None:
                sent.append((letter.lane, letter.id))  # while it is held: nobody else sends in this lane
                assert send(casebook, letter, owner)
                continue
            with casebook.reading() as connection:
                if not waiting_letters(connection):
                    return

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(drain, ["w1", "w2", "w3", "w4"]))
    assert Counter(one for _, one in sent) == Counter(f"out_{number:03}" for number in range(500))
    for lane in set(lanes):
        of_lane = [one for where, one in sent if where == lane]
        assert of_lane == sorted(of_lane)
