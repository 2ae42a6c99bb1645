"""However incidents arrive, an hour has at most so many messages and every incident is in one of them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.announcing_runs import DEFAULT, USD, announced, kinds, letters, rules, send_due, spikes, told
from tests.incident_documents import NOW, incident_document, save_incidents
from tokensleuth.announcing import announce
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.queues import drop_from_outbox, take_from_outbox
from tokensleuth.casebook.telling import Message, told_in
from tokensleuth.settings_acts import Route

HOUR = timedelta(hours=1)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def fullest_hour(messages: dict[str, datetime]) -> int:
    """The most messages in any hour, by when each goes out."""
    return max(sum(begin <= at < begin + HOUR for at in messages.values()) for begin in messages.values())


def instants(messages: list[Message], *kinds: str) -> dict[str, datetime]:
    return {m.outbox_id: m.asked_at for m in messages if m.kind in kinds}


def check_storm(casebook: Casebook, ids: list[str]) -> None:
    messages = list(told(casebook))
    assert sorted(m.incident_id for m in messages) == sorted(ids)
    assert len(instants(messages, "alert", "storm")) <= 20
    (storm,) = letters(casebook, "storm")
    assert storm.body == {"channel": DEFAULT, "outbox_id": storm.id}
    gathered = sorted(m.incident_id for m in messages if m.kind == "storm")
    with casebook.reading() as connection:
        assert list(told_in(connection, storm.id)) == gathered


def test_a_thousand_spikes_in_one_batch_give_at_most_twenty_messages(casebook: Casebook) -> None:
    ids = spikes(casebook, 1000)
    done = announced(casebook, *ids)
    assert list(done.own) == ids[:-17:-1]
    assert len(done.gathered) == 984
    check_storm(casebook, ids)
    assert kinds(casebook) == ["alert"] * 16 + ["storm"]


def test_a_thousand_spikes_in_fifty_batches_give_at_most_twenty_messages(casebook: Casebook) -> None:
    ids = spikes(casebook, 1000)
    for batch in range(50):
        at = NOW + timedelta(seconds=12 * batch)
        announced(casebook, *ids[20 * batch : 20 * batch + 20], at=at)
        send_due(casebook, at)
    check_storm(casebook, ids)
    assert {m.ts for m in told(casebook) if m.kind == "storm"} != {None}
    assert len({m.ts for m in told(casebook)}) == 17


def test_a_storm_does_not_use_up_what_is_kept_for_high_severity(casebook: Casebook) -> None:
    announced(casebook, *spikes(casebook, 40))
    high = spikes(casebook, 5, prefix="high", usd=USD["high"])
    done = announced(casebook, *high)
    assert (len(done.own), len(done.gathered)) == (3, 2)


def test_messages_to_several_channels_each_count(casebook: Casebook) -> None:
    routes = Route(channel="C111"), Route(channel="C222")
    done = announce(casebook, spikes(casebook, 20), rules(*routes), NOW)
    assert (len(done.own), len(letters(casebook, "alert"))) == (8, 16)


def test_an_hour_later_there_is_room_again_and_a_new_storm(casebook: Casebook) -> None:
    announced(casebook, *spikes(casebook, 30))
    done = announced(casebook, *spikes(casebook, 30, prefix="later"), at=NOW + HOUR)
    assert (len(done.own), len(done.gathered)) == (16, 14)
    assert len(letters(casebook, "storm")) == 2


def test_a_storm_gathers_for_an_hour_from_its_own_beginning(casebook: Casebook) -> None:
    one = rules(alerts_per_hour=1)
    for number, at in enumerate((0, 50, 70, 109)):
        announced(casebook, *spikes(casebook, 2, prefix=f"i{number}"), at=NOW + minutes(at), by=one)
    storms = instants(list(told(casebook)), "storm")
    assert sorted(at - NOW for at in storms.values()) == [minutes(0), minutes(70)]


def test_a_gathered_incident_that_goes_on_renews_its_storm_once(casebook: Casebook) -> None:
    ids = spikes(casebook, 60)
    announced(casebook, *ids)
    send_due(casebook, NOW)
    gathered = [m.incident_id for m in told(casebook) if m.kind == "storm"]
    save_incidents(casebook, *(incident_document(i, cause="key_leak") for i in gathered))
    announced(casebook, *gathered, at=NOW + HOUR)
    assert kinds(casebook)[17:] == ["renew"]


def test_a_storm_that_can_never_be_sent_gathers_nothing_more(casebook: Casebook) -> None:
    announced(casebook, *spikes(casebook, 2), by=rules(alerts_per_hour=1))
    with casebook.writing() as connection:
        while letter := take_from_outbox(connection, "sender", NOW):
            drop_from_outbox(connection, letter.number, "sender", error="channel_not_found", now=NOW)
    announced(casebook, *spikes(casebook, 1, prefix="later"), by=rules(alerts_per_hour=1))
    assert len(letters(casebook, "storm")) == 2


NIGHT = rules(quiet_hours="20:00-21:00", alerts_per_hour=2)
END = NOW.replace(hour=21, minute=0)


def test_what_waits_takes_half_of_the_hour_and_the_rest_gathers_for_then(casebook: Casebook) -> None:
    done = announced(casebook, *spikes(casebook, 3, usd=USD["low"]), by=NIGHT)
    assert (len(done.own), len(done.gathered)) == (1, 2)
    assert send_due(casebook, END - minutes(1)) == []
    assert [letter.kind for letter in send_due(casebook, END)] == ["alert", "storm"]


def test_a_waiting_storm_is_sent_at_once_for_what_cannot_wait(casebook: Casebook) -> None:
    announced(casebook, *spikes(casebook, 2, usd=USD["low"]), by=NIGHT)
    at = NOW + minutes(40)
    done = announced(casebook, *spikes(casebook, 3, prefix="now", usd=USD["high"]), at=at, by=NIGHT)
    assert len(done.gathered) == 2
    assert {letter.kind for letter in send_due(casebook, at)} == {"alert", "storm"}
    assert set(instants(list(told(casebook)), "storm").values()) == {at}


EXAMPLES = count(1)


@pytest.fixture(scope="module")
def one_casebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Casebook]:
    path: Path = tmp_path_factory.mktemp("storms")
    with Casebook.open(f"sqlite:///{path}/casebook.sqlite") as casebook:
        yield casebook


PAGER, ALL = Route(channel="CPAGER", min_severity="high"), Route(channel=DEFAULT)
SEVERITIES = st.lists(st.sampled_from(sorted(USD)), min_size=1, max_size=6)
GROWN = st.sampled_from([None, *USD])
ARRIVALS = st.lists(
    st.tuples(st.integers(-30, 50), SEVERITIES, GROWN, st.booleans()), min_size=1, max_size=10
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ARRIVALS, st.integers(1, 5), st.sampled_from([None, "20:00-21:30", "19:00-20:30"]))
def test_whatever_arrives_when_no_hour_is_too_full_and_nothing_is_lost(
    one_casebook: Casebook,
    arrivals: list[tuple[int, list[str], str | None, bool]],
    limit: int,
    quiet: str | None,
) -> None:
    """Also where incidents grow and the clock is set back; each example is days after the one before."""
    example = next(EXAMPLES)
    at, ids = NOW + timedelta(days=3 * example), list[str]()
    by = rules(PAGER, ALL, alerts_per_hour=limit, quiet_hours=quiet)
    for number, (step, severities, grown, is_sent) in enumerate(arrivals):
        at += minutes(step)
        documents = [
            incident_document(f"inc_{example}_{number}_{i}", delta_usd=USD[severity])
            for i, severity in enumerate(severities)
        ]
        if grown is not None:
            documents += [incident_document(i, delta_usd=USD[grown]) for i in ids[-2:]]
        ids = list(dict.fromkeys([*ids, *save_incidents(one_casebook, *documents)]))
        announced(one_casebook, *ids, at=at, by=by)
        if is_sent:
            send_due(one_casebook, at)
    send_due(one_casebook, at + timedelta(days=1))
    messages = [m for m in told(one_casebook) if m.incident_id in ids]
    assert {m.incident_id for m in messages} == set(ids)
    assert None not in {m.ts for m in messages}
    storms = instants(messages, "storm")
    assert not storms or fullest_hour(storms) == 1
    assert fullest_hour(instants(messages, "alert", "storm")) <= limit + 1
