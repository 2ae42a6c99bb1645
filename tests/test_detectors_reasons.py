from dataclasses import replace
from datetime import UTC, datetime, timedelta

from detectors.incidents import SeriesKey, Spike
from detectors.reasons import why
from ledger.scope import Scope
from ledger.window import Window

START_AT = datetime(2026, 11, 2, tzinfo=UTC)
TERMS = {"z_1h": 2.0, "z_3h": 9.4, "z_6h": 1.0, "z_24h": 0.5, "drop_6h": 0.0, "forest": 3.602, "price": 0.1}
SPIKE = Spike(
    series=SeriesKey("cost_usd", Scope.of([("key_id", "k1")])),
    window=Window(START_AT, START_AT + timedelta(hours=3)),
    direction="up",
    score=16.6,
    expected=1.0,
    actual=9.0,
    detected_at=START_AT + timedelta(hours=1),
    terms=TERMS,
)


def test_a_rise_is_told_by_its_strongest_window_and_its_rarity() -> None:
    assert why(SPIKE) == (
        "3 h sum 9.4 sigmas above 1.3 times the most that the same hours of the last 8 weeks saw; "
        "1 hour in 3,999 looks as unusual to the isolation forest"
    )


def test_a_fall_is_told_as_what_did_not_come() -> None:
    fall = replace(SPIKE, terms={**TERMS, "z_3h": -4.0, "drop_6h": 0.93, "forest": 0.0})
    assert why(fall) == "6 h short of what was expected, 93% of the way from its usual worst to nothing"


def test_a_price_step_is_told_as_one() -> None:
    step = replace(SPIKE, terms={**TERMS, "z_3h": 1.0, "price": 14.2})
    assert why(step) == "price per token 14.2 sigmas above that of the last 14 days"


def test_a_lower_price_is_told_as_one() -> None:
    step = replace(SPIKE, direction="down", terms={**TERMS, "z_3h": -4.0, "price": -9.6})
    assert why(step) == "price per token 9.6 sigmas below that of the last 14 days"


def test_a_spike_without_terms_has_no_reason() -> None:
    assert why(replace(SPIKE, terms={})) == ""
