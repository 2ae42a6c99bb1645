"""A detected incident that goes on with one of the casebook keeps its id; others do not."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger.scope import Scope
from ledger.window import HOUR, Window
from tests.incident_documents import START, incident_document, save_incidents
from tokensleuth.announcing.continuing import Found, Known, continued, known_incidents
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.records import range_incident_id

KEY, TEAM, OTHER = (Scope.parse(p) for p in (["team=search", "key_id=k1"], ["team=search"], ["team=ads"]))


def hours(first: float, last: float) -> Window:
    return Window(START + first * HOUR, START + last * HOUR)


def found(scope: Scope, first: float, last: float) -> Found:
    return Found(scope, hours(first, last), "up")


def known(known_id: str, scope: Scope, first: float, last: float) -> Known:
    return Known(known_id, scope, hours(first, last), "up")


def test_the_same_scope_goes_on_when_it_overlaps_or_follows_at_once() -> None:
    old = [known("old", KEY, 0, 6)]
    assert continued([found(KEY, 5, 9)], old) == {0: "old"}
    assert continued([found(KEY, 6, 9)], old) == {0: "old"}
    assert continued([found(KEY, 6.9, 9)], old) == {0: "old"}
    assert continued([found(KEY, 7, 9)], old) == {}


def test_what_goes_down_does_not_go_on_with_what_went_up() -> None:
    assert continued([Found(KEY, hours(0, 6), "down")], [known("old", KEY, 0, 6)]) == {}


def test_a_part_goes_on_with_its_whole_when_half_of_the_shorter_is_shared() -> None:
    old = [known("old", TEAM, 0, 6)]
    assert continued([found(KEY, 4, 8)], old) == {0: "old"}
    assert continued([found(KEY, 5, 8)], old) == {}
    assert continued([found(OTHER, 0, 6)], old) == {}
    assert continued([found(TEAM, 4, 8)], [known("old", KEY, 0, 6)]) == {0: "old"}


def test_the_same_scope_comes_before_a_longer_overlap_of_another() -> None:
    old = [known("whole", TEAM, 0, 6), known("same", KEY, 5, 6)]
    assert continued([found(KEY, 0, 6)], old) == {0: "same"}


def test_the_longest_overlap_wins_and_an_id_is_given_once() -> None:
    pair = [found(KEY, 0, 2), found(KEY, 3, 9)]
    assert continued(pair, [known("old", KEY, 0, 9)]) == {1: "old"}
    assert continued(pair, [known("old", KEY, 0, 9), known("older", KEY, 0, 1)]) == {0: "older", 1: "old"}


NEW = [found(scope, i, i + 4) for i in range(4) for scope in (KEY, TEAM, OTHER)]
OLD = [known(f"old_{scope}_{i}", scope, i, i + 3) for i in range(5) for scope in (KEY, TEAM)]


@given(st.permutations(NEW), st.permutations(OLD))
def test_the_order_of_the_lists_decides_nothing(new: list[Found], old: list[Known]) -> None:
    wanted = {NEW[i]: name for i, name in continued(NEW, OLD).items()}
    assert {new[i]: name for i, name in continued(new, old).items()} == wanted


def test_the_casebook_is_asked_for_what_is_near(casebook: Casebook) -> None:
    later = {"start_at": "2026-11-05T00:00:00Z", "end_at": "2026-11-05T02:00:00Z"}
    save_incidents(casebook, incident_document("inc_old"), incident_document("inc_later", **later))
    assert known_incidents(casebook, [found(KEY, 5, 9)]) == {0: "inc_old"}
    assert known_incidents(casebook, [found(KEY, 60, 61)]) == {}
    assert known_incidents(casebook, []) == {}


def test_a_drop_in_the_casebook_goes_on_as_a_drop(casebook: Casebook) -> None:
    save_incidents(casebook, incident_document("inc_drop", delta_usd="-5.00"))
    assert known_incidents(casebook, [found(KEY, 0, 6), Found(KEY, hours(0, 6), "down")]) == {1: "inc_drop"}


def test_a_range_that_somebody_asked_about_is_never_gone_on_with(casebook: Casebook) -> None:
    asked = range_incident_id(KEY, Window(START, START + timedelta(hours=6)))
    save_incidents(casebook, incident_document(asked))
    assert known_incidents(casebook, [found(KEY, 0, 6)]) == {}
