"""What the casebook adds to a digest, on each database: decisions, outcomes, savings, judgements, tunings."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import update

from ledger.scope import EVERYTHING, Scope
from ledger.window import Window
from tests.decision_builders import asked_for, click, propose, slack, stored
from tests.digest_cases import MADE_AT, WEEK, digest_of, given, reader
from tests.incident_documents import NOW, culprit, incident_document, save_incidents
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.executed import begin
from tokensleuth.casebook.feedback import Feedback, FeedbackVerdict, add_feedback
from tokensleuth.casebook.notices import Notice, keep_notices
from tokensleuth.casebook.records import range_incident_id
from tokensleuth.casebook.schema_acts import executions
from tokensleuth.casebook.telling import Message, add_message
from tokensleuth.casebook.tunings import Tuning, TuningState, append_tuning
from tokensleuth.casebook.watches import Watch, start_watch
from tokensleuth.digest.building import read_week
from tokensleuth.digest.case_facts import CaseFacts
from tokensleuth.digest.facts import Digest
from tokensleuth.digest.markdown import markdown
from tokensleuth.digest.words import page_of

WINDOW = Window(NOW - timedelta(hours=6), NOW.replace(minute=0))


def told(casebook: Casebook, *, team: str | None = None, now: datetime = MADE_AT) -> Digest:
    return read_week(reader(), casebook, WEEK, given(), now, by_team=team is not None).digest(team)


def case(casebook: Casebook, *, team: str | None = None, now: datetime = MADE_AT) -> CaseFacts:
    return told(casebook, team=team, now=now).case


def execute(
    casebook: Casebook, proposal_id: str, *, dry_run: bool = False, result: dict[str, object]
) -> None:
    """As the service does it, and watched for a day."""
    asked = stored(casebook, proposal_id)
    with casebook.writing() as connection:
        done = begin(
            connection, asked, "apply", gateway="litellm", dry_run=dry_run, requested_by="alice",
            owner=None, now=NOW,
        )  # fmt: skip
        connection.execute(update(executions).values(state="done", finished_at=NOW))
        start_watch(connection, Watch(done.id, "returned", {}, result, NOW, NOW, NOW))


def judge(casebook: Casebook, incident_id: str, verdict: FeedbackVerdict) -> None:
    with casebook.writing() as connection:
        add_feedback(connection, Feedback(incident_id, verdict, {"team": "search"}, None, "alice", NOW))


def tune(
    casebook: Casebook, name: str, *, state: TuningState = "in_force", days: int = 30, team: str = "search"
) -> None:
    """No rise below 80 USD is told of."""
    until = NOW + timedelta(days=days)
    limits = {"direction": "up", "min_usd": "80.00", "min_score": None, "first_usd": "40.00"}
    scope = Scope((("team", team),))
    row = Tuning(name, "threshold", state, scope, NOW, until, limits, None, "known", "alice", NOW)
    with casebook.writing() as connection:
        append_tuning(connection, row, "raised", casebook.key)


def test_a_measure_is_told_from_its_decision_to_what_it_saved(casebook: Casebook) -> None:
    proposal_id = propose(casebook, asked_for())
    click(casebook, proposal_id, slack("alice"))
    execute(casebook, proposal_id, result={"hours": 6, "saved_usd_per_day": "48.00", "returned": True})
    [incident] = case(casebook).incidents.shown
    [measure] = incident.measures
    assert (measure.decided_by, measure.verified, measure.watch) == (("alice",), True, "returned")
    assert measure.saved_usd == Decimal("12.00")
    text = markdown(page_of(told(casebook)))
    assert "set rate limit: done and verified, spend is back to normal, saved $12.00 in 6 h" in text
    assert "$12.00 measured as saved by 1 action" in text


def test_what_was_rehearsed_saved_nothing(casebook: Casebook) -> None:
    proposal_id = propose(casebook, asked_for())
    click(casebook, proposal_id, slack("alice"))
    execute(casebook, proposal_id, dry_run=True, result={"hours": 6, "saved_usd_per_day": "48.00"})
    found = case(casebook).incidents
    assert (found.measured, found.saved_usd) == (0, Decimal(0))
    assert "rehearsed, nothing was changed" in markdown(page_of(told(casebook)))


def test_what_cost_more_is_told_so(casebook: Casebook) -> None:
    proposal_id = propose(casebook, asked_for())
    click(casebook, proposal_id, slack("alice"))
    execute(casebook, proposal_id, result={"hours": 24, "saved_usd_per_day": "-3.10", "hurts": True})
    text = markdown(page_of(told(casebook)))
    assert "cost more: $3.10 in 24 h, more requests fail than before" in text


def test_a_rejection_is_told_with_its_reason(casebook: Casebook) -> None:
    proposal_id = propose(casebook, asked_for())
    click(casebook, proposal_id, slack("bob"), "reject", reason="it is a launch")
    assert "set rate limit rejected by bob: it is a launch" in markdown(page_of(told(casebook)))


def test_what_waits_is_listed_until_it_expires(casebook: Casebook) -> None:
    propose(casebook, asked_for(expires_at="2026-11-09T09:00:00Z", expected_saving_usd_per_day="61.00"))
    [waiting] = case(casebook).waiting
    assert (waiting.id, waiting.saving_usd_per_day) == ("prop_set_rate_limit", Decimal("61.00"))
    assert case(casebook, now=MADE_AT + timedelta(hours=2)).waiting == ()


def test_ranges_that_somebody_asked_about_are_no_incidents(casebook: Casebook) -> None:
    asked = range_incident_id(
        EVERYTHING, Window(NOW - timedelta(hours=6, minutes=5), NOW - timedelta(minutes=5))
    )
    save_incidents(casebook, incident_document(asked, scope={}, culprits=[]))
    assert case(casebook).incidents.shown == ()


def test_every_incident_of_a_week_is_told_of_in_the_sums(casebook: Casebook) -> None:
    documents = [incident_document(f"inc_{i}", delta_usd="10.00") for i in range(120)]
    save_incidents(casebook, *documents)
    text = markdown(page_of(told(casebook)))
    assert "120 incidents, +$1,200.00 against what was expected" in text
    assert "112 incidents more, +$1,120.00 in all." in text


def test_ordinary_variation_is_no_incident_for_a_director(casebook: Casebook) -> None:
    ordinary = incident_document("inc_2", cause="normal_variation", delta_usd="-20.80")
    save_incidents(casebook, incident_document("inc_1"), ordinary)
    text = markdown(page_of(told(casebook)))
    assert "1 incident, +$83.70 against what was expected" in text
    assert "1 incident more turned out to be ordinary variation (-$20.80)." in text
    assert "Normal variation" not in text


def test_nothing_but_ordinary_variation_is_said_in_one_line(casebook: Casebook) -> None:
    save_incidents(casebook, incident_document(cause="normal_variation", delta_usd="-20.80"))
    expected = "None worth a person's time; 1 small or ordinary change, -$20.80 in all."
    assert expected in markdown(page_of(told(casebook)))


def test_proposals_for_one_incident_are_one_decision(casebook: Casebook) -> None:
    wanted = {"expires_at": "2026-11-10T09:00:00Z"}
    propose(casebook, asked_for(expected_saving_usd_per_day="61.00", **wanted))
    [one] = case(casebook).waiting
    ways = (one, replace(one, id="prop_b", action="block_key", saving_usd_per_day=Decimal("70.50")))
    other = replace(one, id="prop_c", incident_id="inc_other", saving_usd_per_day=Decimal(2))
    tell = replace(one, id="prop_d", action="notify_owner", saving_usd_per_day=None)
    facts = CaseFacts(waiting=(*ways, other, tell))
    assert [[way.id for way in d.ways] for d in facts.decisions] == [["prop_b", one.id], ["prop_c"]]
    text = markdown(page_of(replace(digest_of(), case=facts)))
    assert "2 decisions wait and would save up to $72.50 a day" in text
    assert "**Block key** for" in text
    assert "or set rate limit, $61.00 a day" in text
    assert "1 proposal only to tell somebody or to mark something" in text


def test_minor_incidents_are_counted(casebook: Casebook) -> None:
    save_incidents(casebook, incident_document("inc_1"), incident_document("inc_2", material=False))
    found = case(casebook).incidents
    assert ([i.id for i in found.shown], found.minor, found.minor_usd) == (["inc_1"], 1, Decimal("83.70"))


def test_a_team_is_told_of_what_is_pinned_to_it_or_only_its_own(casebook: Casebook) -> None:
    only_key = {"key_id": "k-support"}
    save_incidents(
        casebook,
        incident_document("inc_search"),
        incident_document("inc_key", scope=only_key, culprits=[culprit(only_key)]),
        incident_document("inc_all", scope={}, culprits=[culprit({"model": "gpt-big"})]),
    )
    assert [i.id for i in case(casebook, team="search").incidents.shown] == ["inc_search"]
    assert [i.id for i in case(casebook, team="support").incidents.shown] == ["inc_key"]
    assert len(case(casebook).incidents.shown) == 3


def test_precision_counts_the_last_word_on_what_was_told(casebook: Casebook) -> None:
    for number in range(4):
        propose(casebook, incident_id=f"inc_{number}")
        with casebook.writing() as connection:
            add_message(connection, Message(f"inc_{number}", "C1", "alert", None, f"out_{number}", NOW))
    judge(casebook, "inc_0", "not-an-issue")
    judge(casebook, "inc_0", "real")
    judge(casebook, "inc_1", "real")
    judge(casebook, "inc_2", "not-an-issue")
    alerts = case(casebook).alerts
    assert alerts is not None
    assert (alerts.alerted, alerts.real, alerts.not_an_issue, alerts.silent) == (4, 2, 1, 1)
    assert "**Precision of alerts: 67 %**" in markdown(page_of(told(casebook)))
    assert case(casebook, team="search").alerts is None


def test_the_last_row_of_a_tuning_counts(casebook: Casebook) -> None:
    tune(casebook, "tun_1")
    tune(casebook, "tun_2")
    tune(casebook, "tun_2", state="undone")
    tune(casebook, "tun_3", days=1)
    tune(casebook, "tun_4", team="support")
    assert [t.id for t in case(casebook).tunings] == ["tun_1", "tun_4"]
    assert [t.id for t in case(casebook, team="support").tunings] == ["tun_4"]
    assert "In force for team search: no alert of rises below $80.00" in markdown(page_of(told(casebook)))


def test_open_notices_are_told_to_the_organisation(casebook: Casebook) -> None:
    notice = Notice("data_stopped", "openai", "high", "No usage from openai")
    with casebook.writing() as connection:
        keep_notices(connection, ["data_stopped"], [notice], NOW)
    assert [n.title for n in case(casebook).notices] == ["No usage from openai"]
    assert case(casebook, team="search").notices == ()


def test_the_anchor_is_the_end_of_the_audit_trail(casebook: Casebook) -> None:
    click(casebook, propose(casebook, asked_for()), slack("alice"))
    anchor = case(casebook).anchor
    assert anchor is not None
    assert anchor.count > 0
    assert str(anchor) in markdown(page_of(told(casebook)))


def test_without_a_casebook_nothing_is_made_up() -> None:
    digest = replace(digest_of(), case=CaseFacts())
    text = markdown(page_of(digest))
    assert "Precision" not in text
    assert "Audit anchor" not in text
    assert digest.audience == Scope(())
