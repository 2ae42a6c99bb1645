"""The dated events that come with the program, and what a file of them may hold."""

from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest

from ledger.errors import RefusedError
from ledger.events import Event, events_about, events_near, known_events, parse_events
from ledger.window import Window

ENTRY = """
[[event]]
id = "acme-1"
date = 2026-06-10
precision = "day"
kind = "price"
provider = "acme"
models = ["acme-*"]
summary = "Acme doubled its price."
effect = { unit_price = [2.0, 2.0] }
source = "a price list"
confidence = "catalogue"
checked = 2026-11-22
"""


def window(month: int, day: int, *, days: int = 1) -> Window:
    start = datetime(2026, month, day, tzinfo=UTC)
    return Window(start, start + timedelta(days=days))


def one(text: str = ENTRY) -> Event:
    (event,) = parse_events(text, "events.toml")
    return event


def test_the_events_of_the_program_are_valid_and_lie_in_the_package() -> None:
    assert len(known_events()) > 35
    assert files("ledger").joinpath("data", "events.toml").is_file()
    assert all(event.checked >= datetime(2026, 11, 22, tzinfo=UTC).date() for event in known_events())


def test_the_events_are_facts_with_a_size_or_say_that_none_is_known() -> None:
    sized = [event for event in known_events() if event.kind not in ("billing", "unit", "cache")]
    assert all(event.effect for event in sized)
    assert all("input_tokens" in e.effect and e.replaces for e in known_events() if e.kind == "tokenizer")


def test_an_event_is_near_within_three_days() -> None:
    events = (one(),)
    assert events_near(window(6, 10), ["acme-large"], events=events) == events
    assert events_near(window(6, 13), ["ACME-large"], events=events) == events
    assert events_near(window(6, 6), ["acme-large"], events=events) == ()
    assert events_near(window(6, 7), ["acme-large"], events=events) == events
    assert events_near(window(6, 14), ["acme-large"], events=events) == ()
    assert events_near(window(6, 14), ["acme-large"], 4, events=events) == events


def test_an_event_of_other_models_is_not_near() -> None:
    assert events_near(window(6, 10), ["gpt-4o"], events=(one(),)) == ()
    assert events_near(window(6, 10), [], events=(one(),)) == ()


def test_an_imprecise_day_reaches_further() -> None:
    weekly = one(ENTRY.replace('"day"', '"week"'))
    assert events_near(window(6, 20), ["acme-1"], events=(weekly,)) == (weekly,)
    assert weekly.span == Window(datetime(2026, 6, 3, tzinfo=UTC), datetime(2026, 6, 18, tzinfo=UTC))


def test_the_price_cut_of_o3_is_known() -> None:
    (event,) = events_near(
        Window(datetime(2025, 6, 9, tzinfo=UTC), datetime(2025, 6, 12, tzinfo=UTC)), ["o3"]
    )
    assert (event.id, event.effect) == ("openai-o3-2025-06-10", {"unit_price": (0.2, 0.2)})


def test_a_tokenizer_is_found_by_the_model_that_has_it() -> None:
    ids = [event.id for event in events_about(["claude-opus-4-7"]) if event.kind == "tokenizer"]
    assert ids == ["anthropic-tokenizer-opus-4.7"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('id = "acme-1"', "", "events.toml: event 1: id: is missing"),
        ('"acme-1"', '"Acme 1"', "event 1 `Acme 1`: id = 'Acme 1'"),
        ("2026-06-10", '"June"', "event 1 `acme-1`: date = 'June'"),
        ('"day"', '"hour"', "precision = 'hour'.*'day', 'week' or 'month'"),
        ("unit_price", "unit_prize", "effect.unit_prize.* = 'unit_prize'"),
        ("[2.0, 2.0]", "[3.0, 2.0]", r"effect.unit_price = \[3.0, 2.0\]: the lower bound comes first"),
        ("[2.0, 2.0]", "[0.0, nan]", "effect.unit_price.0 = 0.0"),
        ('["acme-*"]', "[]", r"models = .*at least 1"),
        ("checked =", "seen = 1\nchecked =", "seen: is no field of an event"),
        ("[[event]]", "[[events]]", "`events` is no table of events"),
        ("[[event]]", "[event]", r"must be written as \[\[event\]\]"),
        ('"acme-1"', "acme", "not TOML"),
    ],
)
def test_a_wrong_entry_is_told_with_file_entry_field_and_value(old: str, new: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        parse_events(ENTRY.replace(old, new, 1), "events.toml")


def test_entries_are_in_order_of_date_and_used_once() -> None:
    with pytest.raises(RefusedError, match="id: is used twice"):
        parse_events(ENTRY + ENTRY, "events.toml")
    earlier = ENTRY.replace("acme-1", "acme-0").replace("2026-06-10", "2026-06-09")
    with pytest.raises(
        RefusedError, match="event `acme-0`: date = 2026-06-09: must not be before 2026-06-10"
    ):
        parse_events(ENTRY + earlier, "events.toml")
