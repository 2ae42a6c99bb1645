import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.slack_cases import LOOK, REHEARSAL, blocked_key, incident_view, many, undone_key, watched_key
from tokensleuth.slackapp import answers
from tokensleuth.slackapp.limits import Rendered
from tokensleuth.slackapp.storm import storm
from tokensleuth.slackapp.thread import ThreadKind, details, thread_letter

LEAK = incident_view("key_leak")
OF = {"proposal_id": LEAK.proposals[0].id}
DONE = {"execution_id": "exec_apply_1"}


def text(message: Rendered) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


def test_a_decision_is_told_with_who_took_it_on_what_and_why() -> None:
    body = OF | {"outcome": "rejected", "told": "bob rejected it", "reason": "the owner is on it"}
    shown = text(thread_letter("decided", body, LEAK, LOOK))
    assert "bob rejected it: Block the key, key `key-mobile-prod-ef41`" in shown
    assert "Because: the owner is on it" in shown


def test_an_approval_in_a_dry_run_is_told_to_be_rehearsed() -> None:
    body = OF | {"outcome": "approved", "told": "alice approved it"}
    assert "It is rehearsed next" in text(thread_letter("decided", body, LEAK, REHEARSAL))
    assert "It is carried out next" in text(thread_letter("decided", body, LEAK, LOOK))


def test_a_refusal_is_loud_and_gives_its_reason() -> None:
    body = OF | {"told": "key k1 is protected"}
    message = thread_letter("refused", body, blocked_key("blocked"), LOOK)
    assert "*NOT DONE:* Block the key" in text(message)
    assert "key k1 is protected" in text(message)
    assert message.text.startswith("NOT DONE: ")


def test_what_happened_after_is_looked_up_by_its_execution() -> None:
    assert "*Done and verified*" in text(thread_letter("executed", DONE, blocked_key(), LOOK))
    undo = {"execution_id": "exec_undo_1"}
    assert "*Undone and verified*" in text(thread_letter("undone", undo, undone_key(), LOOK))
    assert "back to normal" in text(thread_letter("watched", DONE, watched_key("returned"), LOOK))


@pytest.mark.parametrize("kind", ["decided", "executed", "undone", "watched", "refused", "feedback", "found"])
def test_a_letter_about_what_is_gone_still_says_something(kind: ThreadKind) -> None:
    message = thread_letter(kind, {"execution_id": "exec_gone"}, replace(LEAK, proposals=()), LOOK)
    assert len(message.blocks) == 1


def test_details_show_the_whole_act_and_the_plan_to_undo_it() -> None:
    view = undone_key()
    shown = text(details(view.proposals[0], view, LOOK))
    for part in ("unblock the key", "Before: ", "Wanted: ", "Read back: ", "exec_undo_1", "ev_9b5da89b7bfe"):
        assert part in shown


def test_details_show_parameters_of_a_message_in_full() -> None:
    parameters = LEAK.proposals[2].document["parameters"]
    assert isinstance(parameters, Mapping)
    assert str(parameters["message"]) in text(details(LEAK.proposals[2], LEAK, LOOK))


def test_a_storm_counts_all_and_shows_the_largest() -> None:
    views = many(37)
    shown = text(storm(views[::-1], 1000, Decimal("17834.00"), LOOK))
    assert "1,000 incidents: +$17,834.00 together" in shown
    assert "1. *+$500.00*" in shown
    assert "990 incidents more, none lost" in shown
    assert "of the 37 largest" in shown
    assert "3 other teams" in shown


def test_a_storm_of_what_it_lists_says_that_these_are_all() -> None:
    shown = text(storm(many(3), 3, Decimal("1497.00"), REHEARSAL))
    assert "These are all of them: list them with `tokensleuth incidents`" in shown


def test_a_storm_adds_up_by_team() -> None:
    shown = text(storm(many(12), 12, Decimal("0.00"), LOOK))
    assert "`team-0` +$989.00 in 2" in shown


def test_nothing_found_is_an_answer() -> None:
    assert "Nothing unusual in `last-24h`" in text(answers.found("last-24h", [], LOOK))


def test_what_was_found_is_listed_with_where_the_rest_is() -> None:
    shown = text(answers.found("last-7d", many(12), LOOK))
    assert "*12 incidents in* `last-7d`" in shown
    assert "2 more: <https://spend.example.com/incidents|" in shown


def test_more_incidents_than_were_read_are_counted_too() -> None:
    shown = text(answers.found("last-7d", many(12), LOOK, of=60))
    assert "*60 incidents in*" in shown
    assert "50 more: " in shown


def test_a_wrong_range_is_told_with_how_to_write_it() -> None:
    shown = text(answers.wrong_range("`yesterday` is not a range"))
    assert "'yesterday' is not a range" in shown
    assert "`/investigate last-24h`" in shown


def test_an_owner_reads_the_approved_words_as_plain_text() -> None:
    message = answers.owner_notice("mobile", "Was it <!channel> you?", "inc_1", REHEARSAL)
    assert message.blocks[1]["text"] == {
        "type": "plain_text",
        "text": "Was it \u2039!channel\u203a you?",
        "emoji": False,
    }
