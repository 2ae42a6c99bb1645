import pytest

from evals.claims import Document, unsupported_numbers
from evals.reported import ReportedIncident

EFFECTS: Document = {
    "id": "ev_1",
    "tool": "effects",
    "arguments": {"where": {"key_id": "k-7731"}},
    "rows": [{"effect": "volume", "usd": "75.00"}],
    "facts": {"delta_usd": "100.00", "volume_usd": "75.00", "retries_usd": "25.00", "trend_usd": "12.34"},
}
SLICES: Document = {
    "id": "ev_2",
    "tool": "slices",
    "arguments": {},
    "rows": [{"scope": {"key_id": "k-7731"}, "usd": "61.2345", "cost_ratio": 4.256}],
    "facts": {"requests": 12345, "cached_share": 0.4567},
}


def claims(report: str, **changes: object) -> tuple[str, ...]:
    told = {
        "start_at": "2026-11-10T06:00:00Z", "end_at": "2026-11-10T12:00:00Z",
        "scope": {"key_id": "k-7731"}, "delta_usd": "100.00", "verdict": "confirmed",
        "cause": "retry_storm", "confidence": 0.93, "report": report,
        "culprits": [{"scope": {"key_id": "k-7731"}, "cause": "retry_storm", "delta_usd": "61.23"}],
    }  # fmt: skip
    return unsupported_numbers(ReportedIncident.model_validate(told | changes), [EFFECTS, SLICES])


@pytest.mark.parametrize(
    "report",
    [
        "It cost $100.00 more, $61.23 of it in key k-7731.",
        "It rose 4.26x with 12,345 requests; 45.7% or 46% came from the cache.",
        "61% of the change, confidence 93% (ev_0f00ba99).",
        "Volume is 75% of what moved, -$12.34 the trend; 2026-11-10 06:00 to 2026-11-10 12:00 UTC.",
        "# 99 bottles\n\n1. Notify owner.\n2. Nothing else.",
        "Backfill or batch, under 1%: fits less well.",
    ],
)
def test_what_the_evidence_has_may_be_shown(report: str) -> None:
    assert claims(report) == ()


@pytest.mark.parametrize(
    "claim", ["$100.01", "$12,345", "4.27x", "12,346 requests", "45.8%", "88%", "by 517", "$0.93"]
)
def test_what_it_does_not_have_is_named_with_its_surroundings(claim: str) -> None:
    (found,) = claims(f"All in all it was {claim} since then")
    assert claim.split()[-1] in found


def test_parameters_of_a_proposal_are_a_choice_and_no_claim() -> None:
    proposal = {
        "action": "set_rate_limit", "target": {"gateway": "none"}, "reversible": True,
        "parameters": {"tokens_per_minute": 41000},
    }  # fmt: skip
    report = "Set rate limit to 41,000 tokens per minute"
    assert claims(report, proposals=[proposal]) == ()
    assert len(claims(report)) == 1


def test_names_from_the_data_are_no_numbers_even_when_escaped() -> None:
    named = {**SLICES, "rows": [{"scope": {"team": "level_42: of 512"}}]}
    told = {
        "start_at": "2026-11-10T06:00:00Z", "end_at": "2026-11-10T12:00:00Z", "scope": {},
        "delta_usd": "0", "verdict": "benign", "cause": "unknown", "culprits": [],
        "report": "Team level\\_42\\: of 512 is fine",
    }  # fmt: skip
    assert unsupported_numbers(ReportedIncident.model_validate(told), [named]) == ()
