"""Announcing: an incident is told of once, renewed after that, kept quiet where people said so."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from tests.announcing_runs import DEFAULT, USD, announced, kinds, letters, rules, send_due, spikes, told
from tests.incident_documents import NOW, incident_document, proposal_document, save_incidents
from tokensleuth.announcing import Announced, announce
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import read_entries, verify_entries
from tokensleuth.casebook.feedback import Feedback, add_feedback
from tokensleuth.settings_acts import Route

HOUR = timedelta(hours=1)


def audited(casebook: Casebook, incident_id: str = "inc_1") -> list[object]:
    """What was noted of an incident, earliest first."""
    with casebook.reading() as connection:
        return [entry["what"] for entry in reversed(read_entries(connection, subject=incident_id))]


def save(casebook: Casebook, **changed: object) -> None:
    save_incidents(casebook, incident_document("inc_1", **changed))


def test_a_new_incident_is_told_of_in_a_message_of_its_own(casebook: Casebook) -> None:
    save(casebook)
    assert announced(casebook, "inc_1") == Announced(own=("inc_1",))
    (letter,), (message,) = letters(casebook, "alert"), told(casebook)
    assert letter.body == {
        "channel": DEFAULT, "outbox_id": letter.id, "severity": "medium", "mention": [],
    }  # fmt: skip
    assert (letter.lane, letter.incident_id, letter.at) == (f"slack:{DEFAULT}", "inc_1", NOW)
    assert (message.kind, message.outbox_id, message.ts) == ("alert", letter.id, None)
    assert audited(casebook) == ["alerted"]


def test_every_route_that_fits_is_told_with_its_mentions(casebook: Casebook) -> None:
    save(casebook)
    routes = Route(channel="C111", mention=("U11",)), Route(channel="C222", where={"team": "search"})
    announce(casebook, ["inc_1"], rules(*routes), NOW)
    bodies = [letter.body for letter in letters(casebook, "alert")]
    assert [(body["channel"], body["mention"]) for body in bodies] == [("C111", ["U11"]), ("C222", [])]


def test_without_slack_nothing_is_queued(casebook: Casebook) -> None:
    save(casebook)
    assert announced(casebook, "inc_1", by=rules(channel=None)) == Announced()
    assert announced(casebook, "inc_1", by=rules(bot_token=None)) == Announced()
    assert (kinds(casebook), told(casebook)) == ([], [])


def test_an_unknown_id_is_refused_before_anything_is_written(casebook: Casebook) -> None:
    save(casebook)
    with pytest.raises(ValueError, match="no incident inc_none is in the casebook"):
        announced(casebook, "inc_1", "inc_none")
    assert kinds(casebook) == []


def test_what_is_benign_is_not_alerted(casebook: Casebook) -> None:
    save(casebook, verdict="benign", delta_usd="400.00")
    assert announced(casebook, "inc_1") == Announced(kept_quiet=("inc_1",))
    assert told(casebook) == []


def test_an_alert_that_nobody_has_begun_to_send_needs_no_renewal(casebook: Casebook) -> None:
    save(casebook)
    announced(casebook, "inc_1")
    assert announced(casebook, "inc_1", at=NOW + HOUR) == Announced(renewed=("inc_1",))
    assert kinds(casebook) == ["alert"]


def test_an_alert_that_is_out_is_renewed_and_never_sent_again(casebook: Casebook) -> None:
    save(casebook)
    announced(casebook, "inc_1")
    send_due(casebook, NOW)
    for hours in (1, 2):
        announced(casebook, "inc_1", at=NOW + hours * HOUR)
    assert kinds(casebook) == ["alert", "renew"]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"verdict": "inconclusive"}, "verdict is now inconclusive, was confirmed"),
        ({"cause": "key_leak"}, "cause is now key leak, was retry storm"),
        ({"delta_usd": "1092.08"}, "the change is now +1,092.08 USD, was +83.70 USD"),
        ({"delta_usd": "-83.70"}, "the change is now -83.70 USD, was +83.70 USD"),
        ({"proposals": [proposal_document()]}, "what is proposed has changed"),
    ],
)
def test_news_of_an_incident_goes_to_its_thread_once(
    casebook: Casebook, changed: dict[str, object], text: str
) -> None:
    save(casebook)
    announced(casebook, "inc_1")
    send_due(casebook, NOW)
    save(casebook, **changed)
    for hours in (1, 2):
        announced(casebook, "inc_1", at=NOW + hours * HOUR)
    assert kinds(casebook) == ["alert", "found", "renew"]
    assert letters(casebook, "found")[0].body["text"] == f"Later data: {text}."
    assert audited(casebook) == ["alerted", "told again"]


def test_sums_that_move_by_a_tenth_are_no_news(casebook: Casebook) -> None:
    save(casebook, delta_usd="100.00")
    announced(casebook, "inc_1")
    send_due(casebook, NOW)
    save(casebook, delta_usd="110.00")
    announced(casebook, "inc_1", at=NOW + HOUR)
    assert kinds(casebook) == ["alert", "renew"]


def test_small_moves_add_up_to_news(casebook: Casebook) -> None:
    for usd in ("100.00", "107.00", "114.00"):
        save(casebook, delta_usd=usd)
        announced(casebook, "inc_1")
    assert "found" in kinds(casebook)


def mark(casebook: Casebook, scope: dict[str, str], *, incident_id: str = "inc_seen") -> None:
    with casebook.writing() as connection:
        given = Feedback(incident_id, "expected", scope, NOW + 3 * HOUR, "ann", NOW - HOUR)
        add_feedback(connection, given)


def test_what_is_marked_as_expected_is_kept_quiet_until_the_mark_ends(casebook: Casebook) -> None:
    save(casebook)
    mark(casebook, {"team": "search"})
    for hours in (0, 1):
        assert announced(casebook, "inc_1", at=NOW + hours * HOUR) == Announced(kept_quiet=("inc_1",))
    assert audited(casebook) == ["kept quiet"]
    assert announced(casebook, "inc_1", at=NOW + 3 * HOUR) == Announced(own=("inc_1",))


def test_a_mark_on_another_scope_keeps_nothing_quiet(casebook: Casebook) -> None:
    save(casebook)
    for number, scope in enumerate(({"team": "ads"}, {"team": "search", "model": "gpt-5"}, {})):
        mark(casebook, scope, incident_id=f"inc_seen_{number}")
    assert announced(casebook, "inc_1").own == ("inc_1",)


def test_a_key_that_leaks_is_told_of_unless_that_very_incident_was_marked(casebook: Casebook) -> None:
    save(casebook, cause="key_leak")
    mark(casebook, {"team": "search"})
    assert announced(casebook, "inc_1").own == ("inc_1",)
    save_incidents(casebook, incident_document("inc_2", cause="key_leak"))
    mark(casebook, {"team": "search"}, incident_id="inc_2")
    assert announced(casebook, "inc_2").kept_quiet == ("inc_2",)


def test_an_alert_that_was_marked_afterwards_is_renewed_without_a_word_in_its_thread(
    casebook: Casebook,
) -> None:
    save(casebook)
    announced(casebook, "inc_1")
    send_due(casebook, NOW)
    mark(casebook, {"team": "search"})
    save(casebook, delta_usd="500.00")
    assert announced(casebook, "inc_1").renewed == ("inc_1",)
    assert kinds(casebook) == ["alert", "renew"]


NIGHT = rules(quiet_hours="20:00-07:00")
MORNING = NOW.replace(hour=7, minute=0) + timedelta(days=1)


def test_low_severity_waits_for_the_end_of_quiet_hours_and_holds_up_nothing(casebook: Casebook) -> None:
    save(casebook, delta_usd=USD["low"])
    save_incidents(casebook, incident_document("inc_2", delta_usd=USD["high"]))
    announced(casebook, "inc_1", by=NIGHT)
    assert announced(casebook, "inc_1", "inc_2", by=NIGHT) == Announced(own=("inc_2",), renewed=("inc_1",))
    assert [letter.incident_id for letter in send_due(casebook, NOW)] == ["inc_2"]
    assert send_due(casebook, MORNING - timedelta(seconds=1)) == []
    assert [letter.incident_id for letter in send_due(casebook, MORNING)] == ["inc_1"]


def test_news_of_a_waiting_alert_waits_behind_it(casebook: Casebook) -> None:
    save(casebook, delta_usd=USD["low"])
    announced(casebook, "inc_1", by=NIGHT)
    save(casebook, delta_usd="2.00")
    announced(casebook, "inc_1", by=NIGHT)
    assert send_due(casebook, NOW) == []
    assert [letter.kind for letter in send_due(casebook, MORNING)] == ["alert", "found"]


def test_a_waiting_alert_that_has_become_urgent_is_sent_at_once(casebook: Casebook) -> None:
    save(casebook, delta_usd=USD["low"])
    announced(casebook, "inc_1", by=NIGHT)
    save(casebook, delta_usd=USD["high"])
    assert announced(casebook, "inc_1", by=NIGHT).renewed == ("inc_1",)
    assert [letter.kind for letter in send_due(casebook, NOW)] == ["alert", "found"]


PAGER = rules(Route(channel="CPAGER", min_severity="high"))


@pytest.mark.parametrize("first", ["low", "medium"])
def test_an_incident_that_has_become_urgent_reaches_who_is_told_of_urgent_ones_once(
    casebook: Casebook, first: str
) -> None:
    save(casebook, delta_usd=USD[first])
    announced(casebook, "inc_1", by=PAGER)
    save(casebook, delta_usd=USD["high"])
    for _ in range(2):
        assert announced(casebook, "inc_1", by=PAGER).renewed == ("inc_1",)
    assert [letter.body["channel"] for letter in letters(casebook, "alert")] == [DEFAULT, "CPAGER"]


def test_an_incident_that_has_become_less_urgent_reaches_nobody_new(casebook: Casebook) -> None:
    save(casebook, delta_usd=USD["high"])
    announced(casebook, "inc_1", by=PAGER)
    save(casebook, delta_usd=USD["low"])
    announced(casebook, "inc_1", by=PAGER)
    assert [message.channel for message in told(casebook)] == ["CPAGER"]


def test_two_processes_that_announce_the_same_send_one_message_each(
    casebook: Casebook, casebook_url: str
) -> None:
    ids = spikes(casebook, 60)
    with Casebook.open(casebook_url, key=casebook.key) as other, ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda c: announce(c, ids, rules(), NOW), [casebook, other] * 2))
    assert sorted(i for r in results for i in (*r.own, *r.gathered)) == ids
    assert sum(len(r.renewed) for r in results) == 3 * len(ids)
    assert len(letters(casebook, "alert")) == 16
    assert len(letters(casebook, "storm")) == 1


class KilledError(Exception):
    """Stands for the end of the process."""


@dataclass(frozen=True, slots=True)
class MortalCasebook(Casebook):
    """Dies at the end of its third write transaction, before the commit."""

    lives: Iterator[int] = field(default_factory=lambda: iter(range(2)))

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with Casebook.writing(self) as connection:
            yield connection
            if next(self.lives, None) is None:
                raise KilledError


def test_after_a_kill_the_rest_is_told_of_and_nothing_twice(casebook: Casebook) -> None:
    ids = spikes(casebook, 90)
    with pytest.raises(KilledError):
        announce(MortalCasebook(casebook.engine, casebook.key), ids, rules(), NOW)
    assert len(told(casebook)) == 50
    again = announce(casebook, ids, rules(), NOW + timedelta(minutes=5))
    assert (len(again.renewed), len(again.gathered), len(again.own)) == (50, 40, 0)
    assert [message.incident_id for message in told(casebook)] == ids
    assert (len(letters(casebook, "alert")), len(letters(casebook, "storm"))) == (16, 1)
    with casebook.reading() as connection:
        assert verify_entries(connection, casebook.key, []).whole
