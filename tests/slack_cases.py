"""Incidents of the demo in every state, and the messages of the golden files; run it to rewrite them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

from tokensleuth.approvals.rules import ApprovalRules
from tokensleuth.casebook.decided import Said, Verdict
from tokensleuth.casebook.executed import Execution, ExecutionKind, ExecutionState
from tokensleuth.casebook.feedback import Feedback
from tokensleuth.casebook.records import JsonObject
from tokensleuth.casebook.views import IncidentView, ProposalView
from tokensleuth.casebook.watches import Watch, WatchState
from tokensleuth.people import Approver, People
from tokensleuth.slackapp import answers
from tokensleuth.slackapp.alert import alert
from tokensleuth.slackapp.limits import Rendered
from tokensleuth.slackapp.look import Look
from tokensleuth.slackapp.storm import storm
from tokensleuth.slackapp.thread import ThreadKind, details, thread_letter

GOLDEN = Path(__file__).parent / "golden" / "slack"
NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
KEY = b"k" * 32
RULES = ApprovalRules(
    People(
        (
            Approver(name="alice", slack="U0ALICE", may=("limit", "block", "revoke", "tell")),
            Approver(name="bob", slack="U0BOB", may=("limit", "block", "revoke", "tell")),
        ),
        "T1",
    )
)
LOOK = Look(KEY, RULES, NOW, "https://spend.example.com", ("U0ALICE",), "F0CHART", False, limit_hours=24)
REHEARSAL = replace(LOOK, dry_run=True, link_base=None, mention=(), chart_file=None)


def incident_view(cause: str, *, gateway: str = "litellm", share: float = 0.02) -> IncidentView:
    """The demo's incident of that cause, all its proposals pending."""
    stored = json.loads((GOLDEN / "incidents.json").read_text())[cause]
    proposals = []
    for document in stored["proposals"]:
        document["spend_share"] = share
        if document["action"] not in ("notify_owner", "mark_expected"):
            document["target"]["gateway"] = gateway
        proposals.append(ProposalView(document, (), None, None, None))
    return IncidentView(stored["incident"], proposals, (), None)


def said(person: str, verdict: Verdict = "approve", reason: str | None = None) -> Said:
    return Said(verdict, person, f"slack:T1/U0{person.upper()}", reason, NOW)


def executed(
    view: ProposalView,
    state: ExecutionState = "done",
    reason: str | None = "done, and read back as wanted",
    *,
    kind: ExecutionKind = "apply",
    dry_run: bool = False,
    undo_at: datetime | None = None,
) -> Execution:
    done = state == "done" and not dry_run
    before: JsonObject = {"blocked": None}
    after: JsonObject = {"blocked": True}
    if kind == "undo":
        before, after = after, before
    return Execution(
        id=f"exec_{kind}_1",
        proposal_id=view.id,
        round=1,
        kind=kind,
        state=state,
        gateway="litellm",
        dry_run=dry_run,
        place={"kind": "key", "ids": {"key_id": "key-mobile-prod-ef41"}, "fields": ["blocked"]},
        before=before if done else None,
        wanted=after if done else None,
        observed=after if done else None,
        reason=reason,
        tries=1,
        requested_by="alice",
        started_at=NOW,
        finished_at=None if state == "executing" else NOW + timedelta(minutes=1),
        undo_at=undo_at,
    )


def watch(state: WatchState, **seen: object) -> Watch:
    later = NOW + timedelta(hours=24)
    return Watch("exec_apply_1", state, {}, seen, later, later, NOW)


def changed(view: IncidentView, number: int, state: str, **fields: object) -> IncidentView:
    """The view with its proposal of that number, from 1, in another state."""
    proposals = list(view.proposals)
    old = proposals[number - 1]
    fresh = replace(old, document=old.document | {"state": state}, words=(said("alice"),))
    proposals[number - 1] = replace(fresh, **fields)  # type: ignore[arg-type]
    return replace(view, proposals=proposals)


def blocked_key(state: ExecutionState = "done", **fields: object) -> IncidentView:
    """The key leak, its key blocked or not."""
    leak = incident_view("key_leak")
    of = leak.proposals[0]
    reasons: Mapping[str, str | None] = {
        "done": "done, and read back as wanted",
        "blocked": "key key-mobile-prod-ef41 is protected",
        "failed": "refused, and nothing changed: 403 from the proxy",
        "unknown": "nobody can say what happened: it is {'blocked': None}, neither as before nor as wanted",
        "executing": None,
    }
    return changed(leak, 1, state, **{"execution": executed(of, state, reasons[state])} | fields)


def undone_key(state: ExecutionState = "done", reason: str = "done, and read back as wanted") -> IncidentView:
    undo = executed(incident_view("key_leak").proposals[0], state, reason, kind="undo")
    return blocked_key(undo=undo, watch=watch("undone"))


def watched_key(state: WatchState, **seen: object) -> IncidentView:
    amounts = {"hours": 24, "saved_usd_per_day": "211.40", "predicted_usd_per_day": "228.13"}
    return blocked_key(watch=watch(state, **amounts | seen))


def limited(leak: IncidentView) -> IncidentView:
    """A rate limit that ends by itself."""
    of = leak.proposals[1]
    before, after = {"tpm_limit": None}, {"tpm_limit": 83000}
    execution = executed(of, undo_at=NOW + timedelta(hours=24))
    execution = replace(execution, before=before, wanted=after, observed=after)
    return changed(leak, 2, "done", execution=execution, watch=watch("watching", hours=0))


def by_model(view: IncidentView) -> IncidentView:
    """With a section that a model wrote."""
    words = (
        "## In the words of the model\n\n"
        "The key was used from ap-southeast-3, 100% of the rise (ev_619db368074a).\n\n"
        "- Its usual clients went on as before (ev_619db368074a).\n\nTo ask the owner:\n\n"
        "- Is python\\-requests known to you?\n\n"
    )
    report = str(view.incident["report"]).replace("## Where the", f"{words}## Where the")
    return replace(view, incident=view.incident | {"analyst": "llm", "model": "gpt-5", "report": report})


def seen_before(view: IncidentView) -> IncidentView:
    section = (
        "## Seen before\n\n- 2026-10-02 22:00 UTC, team mobile: key leak, +$310.00, confirmed; "
        "decisions: block\\_key done (ev_5cca6d17adf8)\n  - Note: rotated\n\n"
    )
    report = str(view.incident["report"]).replace("## What can be done", f"{section}## What can be done")
    return replace(view, incident=view.incident | {"report": report})


def with_late_data(view: IncidentView) -> IncidentView:
    """Another $14.00 came in."""
    fresh = {"actual_usd": "547.73", "delta_usd": "540.65", "saved_at": "2026-11-22T18:05:00Z"}
    effects = [dict(e) for e in cast(Sequence[Mapping[str, object]], view.incident["effects"])]
    effects[0]["usd"] = "546.28"
    report = str(view.incident["report"]).replace("$526.65", "$540.65").replace("$533.73", "$547.73")
    return replace(view, incident=view.incident | fresh | {"effects": effects, "report": report})


def with_feedback(view: IncidentView) -> IncidentView:
    given = Feedback(view.id, "expected", {"team": "mobile"}, NOW + timedelta(days=7), "bob", NOW)
    return replace(view, feedback=(given,))


def many(count: int) -> list[IncidentView]:
    """Incidents of several teams, each a dollar smaller than the one before."""
    leak = incident_view("key_leak")
    return [
        replace(
            leak,
            incident=leak.incident
            | {"id": f"inc_{i:012x}", "delta_usd": f"{500 - i}.00", "scope": {"team": f"team-{i % 11}"}},
        )
        for i in range(count)
    ]


Message = Callable[[], Rendered]


def _alerts() -> dict[str, Message]:
    leak = incident_view("key_leak")
    waiting = changed(leak, 4, "pending")
    nobody = replace(LOOK, rules=ApprovalRules(People((), "T1")))
    late = replace(LOOK, asked_at=NOW - timedelta(hours=2, minutes=5))
    rehearsed = executed(leak.proposals[0], reason="block key key-mobile-prod-ef41", dry_run=True)
    rejected = changed(leak, 1, "rejected", words=(said("bob", "reject", "the owner is on it"),))
    returned = {"returned": True}
    hurts = {"returned": False, "hurts": True, "failed_share_before": 0.01, "failed_share_after": 0.12}
    views: dict[str, tuple[IncidentView, Look]] = {
        "key_leak_pending": (leak, LOOK),
        "retry_storm_pending": (incident_view("retry_storm"), LOOK),
        "model_switch_pending": (incident_view("model_switch"), LOOK),
        "dry_run_pending": (incident_view("model_switch", gateway="none"), REHEARSAL),
        "second_person": (waiting, LOOK),
        "nobody_listed": (leak, nobody),
        "two_people_for_much_spend": (incident_view("key_leak", share=0.4), LOOK),
        "late": (leak, late),
        "by_model": (by_model(seen_before(leak)), LOOK),
        "approved": (changed(leak, 1, "approved"), LOOK),
        "executing": (blocked_key("executing"), LOOK),
        "done": (blocked_key(watch=watch("watching", hours=0)), LOOK),
        "limited": (limited(leak), LOOK),
        "rehearsed": (changed(leak, 1, "done", execution=rehearsed), REHEARSAL),
        "rejected": (rejected, LOOK),
        "expired": (changed(leak, 1, "expired", words=()), LOOK),
        "blocked": (blocked_key("blocked"), LOOK),
        "failed": (blocked_key("failed"), LOOK),
        "unknown": (blocked_key("unknown"), LOOK),
        "undone": (undone_key(), LOOK),
        "undo_refused": (undone_key("blocked", "somebody changed it since, so it was left alone"), LOOK),
        "watched_returned": (watched_key("returned", **returned), LOOK),
        "watched_not_returned": (watched_key("not_returned", **hurts), LOOK),
        "new_numbers": (with_late_data(leak), LOOK),
        "feedback": (with_feedback(leak), LOOK),
    }
    return {f"alert_{name}": lambda v=view, o=look: alert(v, o) for name, (view, look) in views.items()}  # type: ignore[misc]


def _letters() -> dict[str, Message]:
    leak = incident_view("key_leak")
    of = {"proposal_id": leak.proposals[0].id}
    late = "late data: +$540.65 instead of +$526.65"
    done = {"execution_id": "exec_apply_1"}
    refused = of | {"told": "key key-mobile-prod-ef41 is protected"}
    letters: dict[str, tuple[ThreadKind, Mapping[str, object], IncidentView]] = {
        "approved": ("decided", of | {"outcome": "approved", "told": "alice approved it"}, leak),
        "waiting": (
            "decided",
            of | {"outcome": "waiting", "told": "alice approved; it takes 2 people, so one more must"},
            leak,
        ),
        "rejected": (
            "decided",
            of | {"outcome": "rejected", "told": "bob rejected it", "reason": "the owner is on it"},
            leak,
        ),
        "executed": ("executed", done, blocked_key()),
        "undone": ("undone", {"execution_id": "exec_undo_1"}, undone_key()),
        "watched": ("watched", done, watched_key("returned", returned=True)),
        "refused": ("refused", refused, blocked_key("blocked")),
        "feedback": ("feedback", {"verdict": "expected", "by": "bob"}, with_feedback(leak)),
        "found": ("found", {"text": late}, with_late_data(leak)),
    }
    return {
        f"thread_{name}": lambda k=kind, b=body, v=view: thread_letter(k, b, v, LOOK)  # type: ignore[misc]
        for name, (kind, body, view) in letters.items()
    }


def _others() -> dict[str, Message]:
    leak = incident_view("key_leak")
    undone, views = undone_key(), many(37)
    total = sum((Decimal(str(v.incident["delta_usd"])) for v in views), Decimal())
    question = cast(Mapping[str, str], leak.proposals[2].document["parameters"])
    late = "alice approved it already; it is done"
    stranger = "slack:T1/U9 may not decide on block actions; those who may are alice, bob"
    wrong = "`yesterday` is not a range; write 2026-11-01..2026-11-07, last-24h or last-7d"
    return {
        "storm": lambda: storm(views, 37, total, LOOK),
        "storm_without_inbox": lambda: storm(views[:10], 37, total, REHEARSAL),
        "details_pending": lambda: details(leak.proposals[0], leak, LOOK),
        "details_undone": lambda: details(undone.proposals[0], undone, LOOK),
        "answer_too_late": lambda: answers.not_counted(late),
        "answer_not_listed": lambda: answers.not_counted(stranger),
        "answer_not_ours": answers.not_ours,
        "answer_counted": lambda: answers.counted_as("alice approved it"),
        "investigate_looking": lambda: answers.looking("last-24h"),
        "investigate_wrong_range": lambda: answers.wrong_range(wrong),
        "investigate_failed": lambda: answers.failed("last-24h", "the ledger is held by another process"),
        "investigate_found": lambda: answers.found("last-7d", [leak, incident_view("retry_storm")], LOOK),
        "investigate_nothing": lambda: answers.found("last-7d", [], LOOK),
        "notice_to_owner": lambda: answers.owner_notice("mobile", question["message"], leak.id, LOOK),
    }


MESSAGES: dict[str, Message] = _alerts() | _letters() | _others()


def golden_text(name: str) -> str:
    """As in the file: `blocks` can be pasted into the Block Kit Builder."""
    message = MESSAGES[name]()
    return json.dumps({"text": message.text, "blocks": message.blocks}, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in MESSAGES:
        (GOLDEN / f"{each}.json").write_text(golden_text(each))
