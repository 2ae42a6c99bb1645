"""The schemas of what people decide and of what the service does refuse documents that are broken."""

import pytest

from tests.contract_changes import Change, Missing, accepts, example

BROKEN = [
    Change("forecast", ("at",), "2026-11-16"),
    Change("forecast", ("items", 0, "forecast_usd"), 14506.71),
    Change("forecast", ("items", 0, "basis"), "guess"),
    Change("forecast", ("items", 0, "days", 0, "day"), "2026-11-16T00:00:00Z"),
    Change("forecast", ("items", 0, "days", 0, "low_usd"), Missing),
    Change("budgets", ("items", 0, "usd"), "9000"),
    Change("budgets", ("items", 0, "share"), "78%"),
    Change("budgets", ("items", 0, "crosses_on", "likely"), "2026-13-01"),
    Change("budgets", ("items", 0, "alerts", 0, "kind"), "crossed"),
    Change("export-focus", ("result",), "fine"),
    Change("export-focus", ("totals", "EffectiveCost"), 2467.75),
    Change("export-focus", ("totals", "x_InputTokens"), -1),
    Change("export-focus", ("rows", "unpriced"), Missing),
    Change("decision", ("answer",), Missing),
    Change("decision", ("answer", "outcome"), "perhaps"),
    Change("decision", ("state",), Missing),
    Change("decision", ("decisions", 0, "identity"), "alice"),
    Change("decision", ("execution", "state"), "undone"),
    Change("decision", ("execution", "started_at"), None),
    Change("decision", ("watch",), Missing),
    Change("feedback", ("verdict",), "dunno"),
    Change("feedback", ("until_at",), Missing),
    Change("feedback", ("tunings", 0, "document", "first_usd"), 2491.46),
    Change("feedback", ("would_have_kept_quiet", "said_real"), None),
    Change("tuning", ("state",), "over"),
    Change("tuning", ("document", "min_usd"), "100"),
    Change("tuning", ("document",), {"start": "2026-12-01", "end": "2026-12-03", "what": "launch"}),
    Change("tuning", ("would_have_kept_quiet", "usd"), 0),
    Change("tunings", ("items", 0, "scope", "squad"), "x"),
    Change("tunings", ("items", 0, "until_at"), None),
    Change("audit-verify", ("anchor",), "16"),
    Change("audit-verify", ("whole",), False),
    Change("audit-verify", ("broken_at",), 3),
    Change("audit-list", ("items", 0, "mac"), "x"),
    Change("audit-list", ("items", 0, "number"), 0),
    Change("schedule", ("items", 0, "state"), "asleep"),
    Change("schedule", ("items", 0, "tries"), Missing),
    Change("schedule", ("leader",), Missing),
    Change("digest", ("week",), "2026-46"),
    Change("digest", ("spend", "change_usd"), 2514.29),
    Change("digest", ("spend", "now", "wasted_usd"), Missing),
    Change("digest", ("showback", 0, "shown_usd"), None),
    Change("digest", ("minor_incidents", "delta_usd"), "0"),
    Change("digest", ("incidents", 0, "measures", 0, "state"), "open"),
    Change("digest", ("waiting", 0, "expires_at"), None),
    Change("digest", ("audit_anchor",), "none"),
    Change("billing", ("kinds", 0, "kind"), "gifts"),
    Change("billing", ("lines", 0, "team"), None),
    Change("billing", ("billed_usd",), 2467.75),
    Change("reconcile", ("findings", 0, "reason"), "bad luck"),
    Change("reconcile", ("days", 0, "status"), "ok"),
    Change("reconcile", ("days", 0, "share"), "0.43"),
    Change("reconcile", ("not_token_usage", 0, "billed_usd"), "3"),
    Change("reconcile", ("saved",), None),
    Change("completeness", ("complete_until",), Missing),
    Change("completeness", ("sources", 0, "standing"), "fine"),
    Change("completeness", ("sources", 0, "lag_seconds"), "21 h"),
    Change("retention", ("ledger", "usage"), -1),
    Change("retention", ("usage_from",), "2026-10-18T00:00:00Z"),
    Change("pseudonymise", ("casebook",), Missing),
    Change("pseudonymise", ("dry_run",), True),
    Change("pseudonym", ("pseudonym",), "alice"),
    Change("token", ("web_token_sha256",), "x"),
]


@pytest.mark.parametrize("change", BROKEN, ids=lambda c: f"{c.schema} {'.'.join(map(str, c.path))} {c.value}")
def test_a_broken_document_is_refused(change: Change) -> None:
    assert not accepts(change.schema, change.applied())


VALID = [
    Change("forecast", ("items", 0, "low_usd"), None),
    Change("budgets", ("items", 0, "crosses_on"), None),
    Change(
        "decision",
        ("watch",),
        {
            "state": "watching",
            "result": None,
            **dict.fromkeys(("until_at", "updated_at"), "2026-11-23T00:00:00Z"),
        },
    ),
    Change("feedback", ("would_have_kept_quiet",), None),
    Change("digest", ("spend", "last"), None),
    Change("digest", ("alerts",), None),
    Change("schedule", ("notices",), []),
    Change("completeness", ("sources", 0, "complete_until"), None),
]


@pytest.mark.parametrize("change", VALID, ids=lambda c: f"{c.schema} {'.'.join(map(str, c.path))}")
def test_other_valid_documents_are_accepted(change: Change) -> None:
    assert accepts(change.schema, change.applied())


def test_a_word_on_no_proposal_is_answered_alone() -> None:
    answer = example("decision")["answer"] | {"incident_id": None, "outcome": "refused"}
    assert accepts("decision", {"answer": answer})


def test_the_token_of_the_example_is_none() -> None:
    assert example("token")["token"].startswith("not-a-real-token")


def test_a_rehearsed_pseudonymisation_counts_users() -> None:
    assert accepts("pseudonymise", {"dry_run": True, "users": 2})
    assert not accepts("pseudonymise", {"dry_run": True})
