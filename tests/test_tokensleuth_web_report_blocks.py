"""The report read as blocks of text, the bars of its effects, and what is signed."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.escaping import escaped
from agent.headings import MODEL_WORDS
from tests.incident_documents import incident_document
from tokensleuth.web.effects import effect_bars
from tokensleuth.web.report_blocks import Span, report_sections
from tokensleuth.web.shown import time_left
from tokensleuth.web.signing import sealed, signature, unsealed

NOW = datetime(2026, 11, 3, tzinfo=UTC)


def test_a_report_is_read_into_sections_without_what_the_page_has_anyway() -> None:
    head = "# Title\n\n**It rose.** A lot.\n\n## What can be done\n\n1. Block\n"
    lead, why = report_sections(f"{head}\n## Why\n\n- one (ev_12ab34)\n  - two\n")
    assert lead.blocks[0].spans == (Span("strong", "It rose."), Span("plain", " A lot."))
    assert (why.title, [block.depth for block in why.blocks]) == ("Why", [1, 2])
    assert why.blocks[0].spans[1] == Span("evidence", "ev_12ab34")


@pytest.mark.parametrize(
    "name", ["a*b*c", "**bold**", "`x`", "[l](http://e.example)", "<b>", "a|b", "\\", "~x~"]
)
def test_an_escaped_name_is_read_as_it_was(name: str) -> None:
    (section,) = report_sections(f"before {escaped(name)} after")
    assert "".join(span.text for span in section.blocks[0].spans) == f"before {name} after"
    assert {span.kind for span in section.blocks[0].spans} == {"plain"}


def test_the_words_of_a_model_are_told_apart() -> None:
    sections = report_sections(f"lead\n\n## {MODEL_WORDS}\n\nIt says so.\n")
    assert [section.by_model for section in sections] == [False, True]


def test_bars_lead_from_what_was_expected_to_what_was_paid() -> None:
    effects = [{"name": "volume", "usd": "90.00"}, {"name": "price", "usd": "-6.30"}]
    bars = effect_bars(incident_document(effects=effects))
    assert [bar.label for bar in bars.steps] == ["expected", "more requests", "lower prices", "actual"]
    assert [bar.fact for bar in bars.steps] == ["expected_usd", "volume_usd", "price_usd", "actual_usd"]
    assert all(0 <= bar.left <= 100 and 0 < bar.width <= 100.1 for bar in bars.steps)


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (timedelta(hours=3, minutes=20), "3 h 20 min"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(seconds=30), "less than a minute"),
        (timedelta(days=2, hours=4), "2 d 4 h"),
    ],
)
def test_time_left_is_told_in_two_units(left: timedelta, told: str) -> None:
    assert time_left(left) == told


def test_what_is_sealed_opens_with_its_key_for_its_purpose_in_its_time() -> None:
    value = sealed(b"key", "session", "wörds", until=NOW + timedelta(hours=1))
    assert unsealed(b"key", "session", value, now=NOW) == "wörds"
    assert unsealed(b"key", "flash", value, now=NOW) is None
    assert unsealed(b"other", "session", value, now=NOW) is None
    assert unsealed(b"key", "session", value, now=NOW + timedelta(hours=1)) is None


def test_a_signature_of_one_purpose_fits_no_other() -> None:
    assert signature(b"key", "a", "b\nc") != signature(b"key", "a\nb", "c")
