"""What people say of an incident changes what they are alerted of, and every such change ends."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from tests.announcing_runs import announced
from tests.conftest import CASEBOOK_KEY
from tests.decision_builders import audited, people, slack, unix
from tests.tuning_builder import ALICE, DAY, NOISY, fires, happens, in_force, said, when
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import verify_entries
from tokensleuth.casebook.feedback import FeedbackVerdict
from tokensleuth.casebook.schema_runs import tunings
from tokensleuth.people import Identity
from tokensleuth.tuning.changing import undo_tuning
from tokensleuth.tuning.judging import Judgement, judge


def quieted(casebook: Casebook, usd: str = "80.00") -> str:
    """The noisy key fired, and somebody said that it is no issue; gives the tuning's id."""
    first = happens(casebook, usd)
    assert fires(casebook, first, day=0)
    (tuning,) = said(casebook, first, "not-an-issue").changed
    return tuning.id


def test_what_is_no_issue_does_not_fire_again_at_the_same_height(casebook: Casebook) -> None:
    quieted(casebook)
    again = happens(casebook, "82.00", day=3)
    assert not fires(casebook, again, day=3)
    assert audited(casebook, again) == ["kept quiet"]


def test_a_larger_one_fires(casebook: Casebook) -> None:
    quieted(casebook)
    assert fires(casebook, happens(casebook, "100.00", day=3), day=3)


def test_one_that_was_kept_quiet_fires_once_it_has_grown(casebook: Casebook) -> None:
    quieted(casebook)
    again = happens(casebook, "82.00", day=3)
    assert not fires(casebook, again, day=3)
    happens(casebook, "82.00", day=3, delta_usd="120.00")
    assert fires(casebook, again, day=3.1)


def test_real_restores(casebook: Casebook) -> None:
    quieted(casebook)
    judged = said(casebook, happens(casebook, "150.00", day=2), "real", day=2)
    assert "Ended, so that it alerts again" in judged.told
    assert "key_id=k1" in judged.told
    assert not in_force(casebook, day=2)
    assert fires(casebook, happens(casebook, "82.00", day=3), day=3)


def test_real_of_a_part_ends_what_was_raised_for_the_whole(casebook: Casebook) -> None:
    whole = happens(casebook, "80.00", scope={"team": "search"})
    said(casebook, whole, "not-an-issue")
    said(casebook, happens(casebook, "90.00", day=1), "real", day=1)
    assert not in_force(casebook, day=1)


def test_the_end_restores(casebook: Casebook) -> None:
    quieted(casebook)
    assert not fires(casebook, happens(casebook, "82.00", day=29), day=29)
    assert fires(casebook, happens(casebook, "83.00", day=30), day=30)


def test_undoing_restores(casebook: Casebook) -> None:
    tuning_id = quieted(casebook)
    again = happens(casebook, "82.00", day=3)
    assert not fires(casebook, again, day=3)
    undo_tuning(casebook, tuning_id, "bob", when(3), kind=None, reason="too much")
    assert fires(casebook, again, day=3.1)
    assert audited(casebook, tuning_id) == ["raised a threshold", "undid a tuning"]


@pytest.mark.parametrize(
    "scope", [{"team": "search", "key_id": "k2"}, {"team": "ads"}, {"team": "search"}, {}]
)
def test_other_scopes_are_unaffected(casebook: Casebook, scope: dict[str, str]) -> None:
    quieted(casebook)
    assert fires(casebook, happens(casebook, "10.00", day=1, scope=scope), day=1)


def test_a_part_of_the_scope_is_quiet_too(casebook: Casebook) -> None:
    quieted(casebook)
    part = happens(casebook, "10.00", day=1, scope={**NOISY, "model": "gpt-4o"})
    assert not fires(casebook, part, day=1)


def test_a_drop_is_another_matter(casebook: Casebook) -> None:
    quieted(casebook)
    assert fires(casebook, happens(casebook, "-82.00", day=1), day=1)


def test_a_leak_always_gets_through(casebook: Casebook) -> None:
    quieted(casebook)
    assert fires(casebook, happens(casebook, "5.00", day=1, cause="key_leak"), day=1)


def test_errors_of_the_books_get_through(casebook: Casebook) -> None:
    quieted(casebook)
    assert fires(casebook, happens(casebook, "5.00", day=1, verdict="accounting_artifact"), day=1)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"cause": "key_leak"}, "a possible key leak always alerts"),
        ({"verdict": "accounting_artifact"}, "nobody is alerted of such an incident for its height"),
        ({"verdict": "benign"}, "nobody is alerted of such an incident for its height"),
    ],
)
def test_no_threshold_is_raised_for_what_has_none(
    casebook: Casebook, changed: dict[str, str], told: str
) -> None:
    judged = said(casebook, happens(casebook, "80.00", day=0, **changed), "not-an-issue")
    assert (judged.changed, told in judged.told) == ((), True)


def test_the_person_is_told_what_changed_until_when_and_how_to_undo_it(casebook: Casebook) -> None:
    judged = said(casebook, happens(casebook, "80.00"), "not-an-issue")
    (tuning,) = judged.changed
    assert judged.told == (
        "team=search, key_id=k1: no alert of rises below $100.00 until 2026-12-03 20:05 UTC "
        "(this one: $80.00). In the last 28 days it would have kept quiet 1 incident, $80.00 in all, none of "
        f"them said to be real. A possible key leak always alerts. Undo: tokensleuth tunings undo {tuning.id}"
    )


def test_the_price_counts_the_last_four_weeks_only(casebook: Casebook) -> None:
    for day in (-40, -20, -2):
        happens(casebook, "60.00", day=day)
    happens(casebook, "300.00", day=-1)
    judged = said(casebook, happens(casebook, "80.00"), "not-an-issue")
    assert judged.price is not None
    assert judged.price.as_json()["incidents"] == 3
    assert str(judged.price.usd) == "200.00"


def test_it_is_not_raised_over_what_was_real(casebook: Casebook) -> None:
    said(casebook, happens(casebook, "90.00", day=-5), "real", day=-5)
    judged = said(casebook, happens(casebook, "80.00"), "not-an-issue")
    assert judged.changed[0].document["min_usd"] == "90.00"
    assert "It goes no higher: one of that height was said to be real" in judged.told
    assert fires(casebook, happens(casebook, "90.00", day=1), day=1)


def test_it_is_not_raised_at_all_where_something_as_small_was_real(casebook: Casebook) -> None:
    said(casebook, happens(casebook, "70.00", day=-5), "real", day=-5)
    judged = said(casebook, happens(casebook, "80.00"), "not-an-issue")
    assert judged.changed == ()
    assert "one of $70.00 in this scope was said to be real in the last 4 weeks" in judged.told
    assert fires(casebook, happens(casebook, "81.00", day=1), day=1)


def test_a_second_word_raises_and_renews_up_to_three_times_the_first(casebook: Casebook) -> None:
    said(casebook, happens(casebook, "80.00"), "not-an-issue")
    said(casebook, happens(casebook, "160.00", day=2), "not-an-issue", day=2)
    (tuning,) = in_force(casebook, day=2)
    assert (tuning.document["min_usd"], tuning.until_at) == ("200.00", when(32))
    judged = said(casebook, happens(casebook, "500.00", day=4), "not-an-issue", day=4)
    assert judged.changed[0].document["min_usd"] == "240.00"
    assert "An incident of this height still alerts" in judged.told
    assert fires(casebook, happens(casebook, "500.00", day=5), day=5)


def test_a_smaller_one_never_lowers_it(casebook: Casebook) -> None:
    said(casebook, happens(casebook, "80.00"), "not-an-issue")
    judged = said(casebook, happens(casebook, "20.00", day=1), "not-an-issue", day=1)
    assert judged.changed[0].document["min_usd"] == "100.00"


@pytest.mark.parametrize("by", [slack("eve"), slack("alice", team="TOTHER"), Identity("web", "eve")])
def test_who_is_no_approver_is_heard_but_raises_nothing(casebook: Casebook, by: Identity) -> None:
    judged = said(casebook, happens(casebook, "80.00"), "not-an-issue", by=by)
    assert "is not in the settings as an approver" in judged.told
    assert not in_force(casebook)
    assert audited(casebook, judged.given.incident_id) == ["said not-an-issue"]


@pytest.mark.parametrize("by", [slack("bob"), Identity("web", "bob"), unix("bob"), Identity("os", "anybody")])
def test_approvers_and_local_users_raise(casebook: Casebook, by: Identity) -> None:
    said(casebook, happens(casebook, "80.00"), "not-an-issue", by=by)
    assert len(in_force(casebook)) == 1


def test_anybody_may_say_that_it_is_real(casebook: Casebook) -> None:
    quieted(casebook)
    said(casebook, happens(casebook, "150.00", day=2), "real", day=2, by=slack("eve"))
    assert not in_force(casebook, day=2)


def test_what_is_expected_changes_no_threshold(casebook: Casebook) -> None:
    judged = said(casebook, happens(casebook, "80.00"), "expected")
    assert (judged.changed, judged.told) == ((), "")
    assert judged.given.until_at == when(7)


def test_of_an_incident_that_is_none_nothing_is_changed(casebook: Casebook) -> None:
    assert judge(casebook, Judgement("inc_none", "not-an-issue", ALICE), people(), when(0)) is None
    assert not in_force(casebook)


@pytest.mark.parametrize(
    ("verdicts", "left"), [(("not-an-issue", "not-an-issue"), 1), (("not-an-issue", "real"), None)]
)
def test_two_people_at_once_leave_one_state_and_a_whole_trail(
    casebook_url: str, verdicts: tuple[FeedbackVerdict, FeedbackVerdict], left: int | None
) -> None:
    with (
        Casebook.open(casebook_url, key=CASEBOOK_KEY) as one,
        Casebook.open(casebook_url, key=CASEBOOK_KEY) as two,
    ):
        incident_id = happens(one, "80.00")
        with ThreadPoolExecutor(4) as pool:
            turns = [(one, "alice", verdicts[0]), (two, "bob", verdicts[1])] * 4
            list(pool.map(lambda t: said(t[0], incident_id, t[2], by=unix(t[1])), turns))
        standing = in_force(one)
        with one.reading() as connection:
            rows = connection.scalar(select(func.count()).select_from(tunings))
            assert verify_entries(connection, CASEBOOK_KEY, []).whole
        assert all(t.document["min_usd"] == "100.00" for t in standing)
        assert len(standing) <= 1
        if left is not None:
            assert (len(standing), rows) == (left, 8)


def test_the_same_word_twice_raises_no_further(casebook: Casebook) -> None:
    first = happens(casebook, "80.00")
    for _ in range(5):
        said(casebook, first, "not-an-issue")
    (tuning,) = in_force(casebook)
    assert tuning.document["min_usd"] == "100.00"


def test_an_incident_that_was_told_before_stays_quiet_until_it_rises_above(casebook: Casebook) -> None:
    quieted(casebook)
    first = "inc_0_80.00"
    assert announced(casebook, first, at=when(0) + DAY / 24).renewed == (first,)
    assert audited(casebook, first) == ["alerted", "said not-an-issue"]
