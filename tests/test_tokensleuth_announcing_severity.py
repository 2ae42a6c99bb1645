"""Severity goes by money against an average day, by pace, verdict, cause and confidence."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.scope import Scope
from ledger.window import Window
from tests.incident_documents import START, culprit, incident_document
from tokensleuth.announcing.severity import SEVERITIES, Usual, importance, is_alerted, severity
from tokensleuth.casebook.records import range_incident_id
from tokensleuth.settings_acts import Severity

USUAL = Usual(day_usd=Decimal(1000))
DAY = {"end_at": "2026-11-04T14:00:00Z"}


@pytest.mark.parametrize(
    ("delta_usd", "expected"),
    [("49.99", "low"), ("50.00", "medium"), ("249.99", "medium"), ("250.00", "high")],
)
def test_the_share_of_an_average_day_decides(delta_usd: str, expected: Severity) -> None:
    assert severity(incident_document(delta_usd=delta_usd, **DAY), USUAL) == expected


@pytest.mark.parametrize(
    ("delta_usd", "end_at", "expected"),
    [
        ("50.00", "2026-11-03T15:00:00Z", "high"),
        ("49.00", "2026-11-03T15:00:00Z", "medium"),
        ("10.50", "2026-11-03T15:00:00Z", "medium"),
        ("10.00", "2026-11-03T15:00:00Z", "low"),
    ],
)
def test_a_steep_incident_is_urgent_before_it_is_dear(
    delta_usd: str, end_at: str, expected: Severity
) -> None:
    assert severity(incident_document(delta_usd=delta_usd, end_at=end_at), USUAL) == expected


@pytest.mark.parametrize("unsure", [{"confidence": 0.49}, {"verdict": "inconclusive", "cause": "unknown"}])
def test_who_is_not_sure_of_the_cause_needs_twice_the_money(unsure: dict[str, object]) -> None:
    assert severity(incident_document(delta_usd="400.00", **DAY, **unsure), USUAL) == "medium"
    assert severity(incident_document(delta_usd="500.00", **DAY, **unsure), USUAL) == "high"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"verdict": "benign"}, "low"),
        ({"verdict": "accounting_artifact"}, "medium"),
        ({"delta_usd": "-900.00"}, "medium"),
        ({"delta_usd": "0.01", "cause": "key_leak"}, "high"),
        ({"verdict": "benign", "culprits": [culprit({"key_id": "k2"}, cause="key_leak")]}, "high"),
        ({"verdict": "benign", "culprits": [culprit({}, cause="key_leak", decided_by="llm")]}, "low"),
    ],
)
def test_verdict_and_cause_can_outweigh_money(changed: dict[str, object], expected: Severity) -> None:
    assert severity(incident_document(**{"delta_usd": "900.00", **changed}), USUAL) == expected


def test_without_an_average_day_everything_is_medium_but_a_leak() -> None:
    nothing_known = Usual(Decimal(0))
    assert severity(incident_document(), nothing_known) == "medium"
    assert severity(incident_document(cause="key_leak"), nothing_known) == "high"


@given(st.decimals(0, 10**6, places=2), st.decimals(0, 10**6, places=2))
def test_more_money_is_never_less_urgent(one: Decimal, other: Decimal) -> None:
    less, more = (severity(incident_document(delta_usd=str(usd)), USUAL) for usd in sorted((one, other)))
    assert SEVERITIES.index(less) <= SEVERITIES.index(more)


def test_only_what_is_benign_calls_nobody() -> None:
    assert not is_alerted(incident_document(verdict="benign", delta_usd="500.00"))
    assert is_alerted(incident_document(delta_usd="4.99"))


def test_a_range_that_somebody_asked_about_calls_nobody() -> None:
    window = Window(START, START.replace(hour=20))
    asked = range_incident_id(Scope.parse(["team=search", "key_id=k1"]), window)
    assert not is_alerted(incident_document(asked))


def test_importance_is_urgency_then_money_then_id() -> None:
    leak, dear, cheap = incident_document("c"), incident_document("b"), incident_document("a", delta_usd="-9")
    given_order: list[tuple[dict[str, object], Severity]] = [(cheap, "low"), (dear, "low"), (leak, "high")]
    ranked = sorted(given_order, key=lambda item: importance(*item))
    assert [document["id"] for document, _ in ranked] == ["c", "b", "a"]
