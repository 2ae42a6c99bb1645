"""What prose may speak of is read from the evidence: units, names, instants."""

from decimal import Decimal

import pytest

from agent.claims.fields import Kind, measure_of
from agent.claims.known import Known, fact_at, known_from
from agent.claims.names import is_plain
from agent.evidence import Evidence, StoredRow
from ledger.scope import EVERYTHING, Scope
from tests.ledger_builder import span

DAY = span(30)
"""Wednesday 2026-11-04."""
EARLIER = (span(23), span(16))
KEY = Scope((("team", "search"), ("key_id", "k1")))
LABELS = {"E1": "ev_a1", "E2": "ev_b2", "E3": "ev_c3", "E4": "ev_d4", "E5": "ev_e5"}
OTHERS = frozenset({"search", "ads", "k1", "k7", "growth", "payments", "us-east-1", "Jane Doe", "search eu"})


def found(
    id_: str,
    tool: str,
    facts: dict[str, Decimal | int | float | str],
    rows: tuple[StoredRow, ...] = (),
    where: Scope = EVERYTHING,
) -> Evidence:
    return Evidence(
        id=id_, tool=tool, arguments={}, status="ok", window=DAY, baseline=EARLIER, where=where, rows=rows,
        facts=facts,
    )  # fmt: skip


EVIDENCE = (
    found(
        "ev_a1",
        "effects",
        {
            "actual_usd": Decimal("96.10"), "expected_usd": Decimal("12.40"), "delta_usd": Decimal("83.70"),
            "volume_usd": Decimal("70.00"), "retries_usd": Decimal("16.70"), "cache_usd": Decimal("-3.00"),
        },
        ({"effect": "volume", "usd": Decimal("70.00")}, {"effect": "cache", "usd": Decimal("-3.00")}),
    ),
    found(
        "ev_b2",
        "breakdown",
        {"values": 6, "change_usd": Decimal("83.6999"), "cost_ratio": 7.75, "top_share": 0.957},
        (
            {
                "team": "search", "actual_usd": Decimal("88.2000"), "mean_usd": Decimal("8.0901"),
                "change_usd": Decimal("80.1099"), "requests": 12345, "tokens": 14400000,
            },
            {
                "team": "ads", "actual_usd": Decimal("4.2000"), "mean_usd": Decimal("7.9000"),
                "change_usd": Decimal("-3.7000"), "requests": 1180, "tokens": 1400000,
            },
            {"team": "(other)", "actual_usd": Decimal("3.70"), "values": 4},
        ),
    ),
    found(
        "ev_c3",
        "compare",
        {
            "actual_usd": Decimal("85.5"), "failed_share": 0.3422, "failed_share_before": 0.012,
            "failed_share_rise": 0.3302, "requests_ratio": 4.0076, "cost_ratio": 2.0031, "weeks": 4,
            "tokens_per_hour": 612345, "spreads": 39.46, "usd_per_mtok": 0.983152, "new_scope": 0,
            "cache_read_share_rise": -0.0698,
        },
        ({"driver": "failed_share", "now": 0.3422, "before": 0.012, "ratio": 28.5167},),
        KEY,
    ),
    found(
        "ev_d4",
        "changes",
        {"changes": 1, "new_keys": 3, "new_clients": 0, "first_change_at": "2026-11-04T14:00:00Z"},
        (
            {
                "kind": "price", "at": "2026-11-04T14:00:00Z", "source": "ledger", "observed_ratio": 1.647,
                "what": "gpt-4.1 is billed at 1.647 times its price", "matches": None,
                "scope": {"provider": "openai", "model": "gpt-4.1"},
            },
        ),
    ),
    found(
        "ev_e5",
        "mix",
        {"from_value": "gpt-4o", "to_value": "gpt-5-mini", "moved_share": 0.65, "switchers": 2},
        ({"model": "gpt-4o", "share": 0.25, "share_before": 0.9, "requests": 250},),
    ),
)  # fmt: skip
BY_ID = {e.id: e for e in EVIDENCE}


def known(*more: Evidence, others: frozenset[str] = OTHERS) -> Known:
    return known_from((*EVIDENCE, *more), LABELS, other_names=others, window=DAY, scope=EVERYTHING)


KNOWN = known()


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("delta_usd", "usd"), ("usd", "usd"), ("saving_usd_per_day", "usd"), ("usd_per_mtok_ratio", "ratio"),
        ("failed_share", "share"), ("failed_share_before", "share"), ("share_retries", "share"),
        ("of_spend", "share"), ("failed_share_rise", "points"), ("cost_ratio", "ratio"),
        ("expected_low", "ratio"), ("requests", "count"), ("tokens_per_hour", "count"), ("spreads", "number"),
        ("input_characters_per_token", "number"), ("new_scope", "flag"),
    ],
)  # fmt: skip
def test_a_field_is_measured_by_its_name(field: str, kind: Kind) -> None:
    assert measure_of(field, {}).kind == kind


def test_a_row_of_drivers_is_measured_by_its_driver() -> None:
    row = {"driver": "failed_share"}
    assert [measure_of(name, row).kind for name in ("now", "before", "ratio")] == ["share", "share", "ratio"]


def test_an_effect_is_a_change_and_a_level_is_none() -> None:
    assert measure_of("usd", {"effect": "cache"}).is_change
    assert not measure_of("actual_usd", {}).is_change


def test_a_number_knows_what_it_is_of() -> None:
    fact = fact_at(BY_ID["ev_b2"], "rows.1.actual_usd")
    assert fact is not None
    assert fact.pins == (("team", "ads"),)


@pytest.mark.parametrize("field", ["rows.9.usd", "rows.00.usd", "rows.x.usd", "rows.-1.usd", "nothing", ""])
def test_a_field_that_is_not_there_is_no_number(field: str) -> None:
    assert fact_at(BY_ID["ev_b2"], field) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN")])
def test_what_is_not_finite_is_no_number(value: float | Decimal) -> None:
    assert fact_at(found("ev_x", "compare", {"cost_ratio": value}), "cost_ratio") is None


@pytest.mark.parametrize("name", ["search", "k1", "gpt-4.1", "us-east-1", "team-7", "go-sdk/0.9", "Jane Doe"])
def test_an_ordinary_name_is_told_from_prose(name: str) -> None:
    assert is_plain(name.lower())


@pytest.mark.parametrize(
    "name",
    ["$900", "900", "2x", "100k", "monday", "nov-9", "fell", "the owner confirmed", "growth", "24-hour"],
)
def test_a_name_that_reads_as_prose_needs_its_noun(name: str) -> None:
    assert not is_plain(name)


def test_names_of_the_evidence_are_known_by_dimension() -> None:
    assert KNOWN.names.known["gpt-4.1"] == frozenset({"model"})
    assert KNOWN.names.unknown >= {"payments", "k7"}
    assert "ads" not in KNOWN.names.unknown
