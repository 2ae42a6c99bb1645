from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from tests.slack_cases import (
    KEY,
    LOOK,
    NOW,
    REHEARSAL,
    blocked_key,
    by_model,
    changed,
    executed,
    incident_view,
    limited,
    said,
    undone_key,
    watch,
    watched_key,
    with_feedback,
    with_late_data,
)
from tokensleuth.casebook.views import IncidentView
from tokensleuth.slackapp.alert import alert
from tokensleuth.slackapp.buttons import read_button
from tokensleuth.slackapp.limits import Block, Rendered
from tokensleuth.slackapp.look import Look

LEAK = incident_view("key_leak")


def told(view: IncidentView, look: Look = LOOK) -> str:
    """All texts of the alert, one below the other."""
    return "\n".join(map(_text, alert(view, look).blocks))


def _text(block: Block) -> str:
    found = [block.get("text"), *cast(list[object], block.get("elements", []))]
    return "\n".join(str(t["text"]) for t in found if isinstance(t, Mapping) and "text" in t)


def buttons(message: Rendered) -> dict[str, Mapping[str, object]]:
    """By action id."""
    rows = [b for b in message.blocks if b["type"] == "actions"]
    every = [e for row in rows for e in cast(list[Mapping[str, object]], row["elements"])]
    return {str(e["action_id"]): e for e in every}


def labels(view: IncidentView, number: int) -> list[str]:
    proposal = view.proposals[number - 1].id
    return [action.partition(":")[0] for action in buttons(alert(view, LOOK)) if action.endswith(proposal)]


def test_the_first_words_say_who_how_much_when_and_how_sure() -> None:
    first = told(incident_view("retry_storm"))
    assert first.startswith("Retry storm: +$1,025.96 in 6 h, team data-platform")
    assert "cost *$1,025.96 more* than expected from 2026-11-10 06:00 to 12:00 UTC (6 h)" in first
    assert "$1,164.63 instead of $138.67" in first
    assert "Cause: *retry storm, 97% sure*. Requests fail or time out" in first


def test_a_fall_in_spend_is_told_as_less() -> None:
    fallen = {"expected_usd": "533.73", "actual_usd": "7.08", "delta_usd": "-526.65"}
    assert "*$526.65 less* than expected" in told(replace(LEAK, incident=LEAK.incident | fallen))


def test_every_button_is_signed_and_tells_what_it_is_about() -> None:
    first = LEAK.proposals[0]
    read = read_button(str(buttons(alert(LEAK, LOOK))[f"approve:{first.id}"]["value"]), KEY)
    assert read is not None
    assert (read.verb, read.subject_id, read.round) == ("approve", first.id, 1)
    assert read.saw(str(first.document["payload_hash"]))


def test_feedback_is_asked_for_and_signed() -> None:
    found = buttons(alert(LEAK, LOOK))
    for verb in ("expected", "not-an-issue", "real"):
        read = read_button(str(found[f"{verb}:{LEAK.id}"]["value"]), KEY)
        assert read is not None
        assert (read.verb, read.subject_id) == (verb, LEAK.id)


def test_only_what_is_final_or_takes_two_people_asks_before_it_counts() -> None:
    asking = [a for a, b in buttons(alert(LEAK, LOOK)).items() if "confirm" in b]
    assert asking == [f"approve:{LEAK.proposals[3].id}"]
    much = incident_view("key_leak", share=0.4)
    asking = [a for a, b in buttons(alert(much, LOOK)).items() if "confirm" in b]
    assert asking == [f"approve:{much.proposals[i].id}" for i in (0, 1, 3)]


def test_a_proposal_says_what_a_decision_needs() -> None:
    shown = told(LEAK)
    assert "*1. Block the key*: key `key-mobile-prod-ef41`" in shown
    assert "would have saved *$228.13 a day* and refused *4,542 requests a day*" in shown
    assert "Can be undone (unblock the key). Stays until somebody undoes it. By `litellm`." in shown
    assert "Taken back by itself after 24 h" in shown
    assert "*Final: it cannot be undone.*" in shown
    assert "Takes 1 of: alice, bob. Decide by 2026-11-22 20:52 UTC, in 3 h 52 min." in shown
    assert "Takes 2 of: alice, bob." in shown


def test_who_asked_for_it_is_not_among_those_who_may_approve() -> None:
    asked = LEAK.proposals[3].document | {"requested_by": "alice"}
    view = replace(LEAK, proposals=[replace(LEAK.proposals[3], document=asked)])
    assert "It takes 2, and only bob is on the list: it cannot be approved" in told(view)


def test_without_a_gateway_nobody_is_led_to_think_that_it_is_carried_out() -> None:
    assert "No gateway is set for it" in told(incident_view("key_leak", gateway="none"))


def test_an_action_that_is_on_no_list_has_no_button_to_approve() -> None:
    odd = replace(LEAK.proposals[0], document=LEAK.proposals[0].document | {"action": "format_disk"})
    view = replace(LEAK, proposals=[odd])
    assert labels(view, 1) == ["details"]
    assert "nobody may decide it" in told(view)


def test_limits_that_stay_are_told_to_stay() -> None:
    assert "Taken back by itself" not in told(LEAK, replace(LOOK, limit_hours=0))


def test_a_second_person_sees_who_approved_and_still_has_the_buttons() -> None:
    view = changed(LEAK, 4, "pending")
    assert "*alice approved* at 2026-11-22 17:00 UTC\nSomebody else must approve it too." in told(view)
    assert "Takes 1 more of: bob." in told(view)
    assert "*Now:* 3 to decide, 1 to be approved by a second person." in told(view)
    assert labels(view, 4) == ["approve", "reject", "details"]


@pytest.mark.parametrize("state", ["approved", "rejected", "expired", "executing"])
def test_what_is_decided_has_its_state_in_place_of_the_buttons(state: str) -> None:
    assert labels(changed(LEAK, 1, state), 1) == ["details"]


def test_what_was_done_and_verified_can_be_undone_from_the_message() -> None:
    view = blocked_key()
    assert labels(view, 1) == ["undo", "details"]
    assert "*Done and verified* at 2026-11-22 17:01 UTC: read back as wanted (blocked none to yes)" in told(
        view
    )


def test_what_was_only_rehearsed_is_told_so_and_has_nothing_to_undo() -> None:
    rehearsed = executed(LEAK.proposals[0], reason="block key k1", dry_run=True)
    view = changed(LEAK, 1, "done", execution=rehearsed)
    assert "*Rehearsed* at 2026-11-22 17:01 UTC, nothing was changed. It would: block key k1" in told(view)
    assert labels(view, 1) == ["details"]


def test_a_dry_run_is_told_at_the_top_and_on_the_button() -> None:
    message = alert(LEAK, REHEARSAL)
    assert "Dry run:* what is approved is rehearsed" in told(LEAK, REHEARSAL)
    assert message.text.endswith("; dry run")
    final = buttons(message)[f"approve:{LEAK.proposals[3].id}"]
    assert "Dry run: it is only rehearsed." in str(final["confirm"])
    label = buttons(message)[f"approve:{LEAK.proposals[0].id}"]["text"]
    assert cast(Mapping[str, str], label)["text"] == "Approve (dry run)"


@pytest.mark.parametrize(
    ("state", "loud"),
    [
        ("blocked", "*BLOCKED, nothing was done* at"),
        ("failed", "*FAILED* at"),
        ("unknown", "*OUTCOME UNKNOWN* at"),
    ],
)
def test_trouble_is_loud_in_its_place_and_at_the_top(state: str, loud: str) -> None:
    view = blocked_key(state)  # type: ignore[arg-type]
    assert loud in told(view)
    assert state.upper() in alert(view, LOOK).text


def test_what_was_undone_is_told_with_what_is_there_now() -> None:
    view = undone_key()
    assert "*Undone and verified* at 2026-11-22 17:01 UTC, asked by alice" in told(view)
    assert "(blocked yes to none)" in told(view)
    assert labels(view, 1) == ["details"]


def test_a_refused_undo_is_loud_and_can_be_tried_again() -> None:
    view = undone_key("blocked", "somebody changed it since")
    assert "*UNDO REFUSED, nothing was changed*" in told(view)
    assert "UNDO IN TROUBLE" in alert(view, LOOK).text
    assert labels(view, 1) == ["undo", "details"]


@pytest.mark.parametrize("state", ["executing", "failed", "unknown"])
def test_every_end_of_an_undo_is_told(state: str) -> None:
    shown = told(undone_key(state, "x"))  # type: ignore[arg-type]
    assert {"executing": "Being undone", "failed": "UNDO FAILED"}.get(state, "UNDO UNKNOWN") in shown


def test_the_end_of_a_temporary_limit_is_told() -> None:
    assert "Taken back by itself at 2026-11-23 17:00 UTC." in told(limited(LEAK))


def test_a_watch_tells_what_was_saved_against_what_was_predicted() -> None:
    shown = told(watched_key("returned", returned=True))
    assert "*Usage is back to normal.*" in shown
    assert "Saves *$211.40 a day* over 24 h, $228.13 was predicted." in shown


def test_a_watch_that_finds_harm_is_loud() -> None:
    hurts = {"hurts": True, "failed_share_before": 0.01, "failed_share_after": 0.12}
    view = watched_key("watching", saved_usd_per_day="-3.00", **hurts)
    assert "*IT HURTS:* 12% of the requests fail, 1% did before." in told(view)
    assert "Costs *$3.00 a day more* than before" in told(view)
    assert "HURTS" in alert(view, LOOK).text


@pytest.mark.parametrize(
    ("state", "words"),
    [("not_returned", "NOT back to normal"), ("no_data", "nobody can say"), ("watching", "Watched until")],
)
def test_every_end_of_a_watch_is_told(state: str, words: str) -> None:
    view = blocked_key(watch=watch(state))  # type: ignore[arg-type]
    assert words in told(view)


def test_new_numbers_take_the_place_of_the_old_ones() -> None:
    shown = told(with_late_data(LEAK))
    assert "*$540.65 more* than expected" in shown
    assert "add up to +$540.65, to the cent" in shown
    assert "as investigated 2026-11-22 18:05 UTC" in shown


def test_the_words_of_a_model_are_labelled_and_plain() -> None:
    blocks = alert(by_model(LEAK), LOOK).blocks
    at = next(i for i, b in enumerate(blocks) if "In the words of the model" in str(b))
    text = cast(Mapping[str, str], blocks[at + 1]["text"])
    assert text["type"] == "plain_text"
    assert "Is python-requests known to you?" in text["text"]


def test_a_section_of_a_model_is_not_shown_where_the_rules_alone_spoke() -> None:
    view = by_model(LEAK)
    assert "words of the model" not in told(
        replace(view, incident=view.incident | {"analyst": "deterministic"})
    )


def test_what_people_said_of_it_is_shown() -> None:
    assert "*bob called it expected* at 2026-11-22 17:00 UTC, not alerted of until 2026-11-29" in told(
        with_feedback(LEAK)
    )


def test_a_late_alert_says_how_late_and_a_renewed_one_how_late_it_was() -> None:
    late = replace(LOOK, asked_at=NOW - timedelta(hours=2, minutes=5))
    assert "*This alert is 2 h 5 min late.*" in told(LEAK, late)
    assert "late" not in told(LEAK, replace(late, sent_at=NOW - timedelta(hours=2)))


def test_limits_of_the_numbers_are_told() -> None:
    doubtful = {
        "unpriced_tokens": 1200,
        "unsupported_claims": 1,
        "degraded": True,
        "degraded_because": ["a b"],
    }
    shown = told(replace(LEAK, incident=LEAK.incident | doubtful))
    assert "1,200 tokens have no price" in shown
    assert "1 claim of the model not backed" in shown
    assert "; a b." in shown


def test_nothing_proposed_is_said() -> None:
    assert "*Now:* nothing is proposed." in told(replace(LEAK, proposals=()))


def test_the_reason_of_a_rejection_is_shown() -> None:
    view = changed(LEAK, 1, "rejected", words=(said("bob", "reject", "the owner is on it"),))
    assert "*bob rejected* at 2026-11-22 17:00 UTC: the owner is on it" in told(view)
