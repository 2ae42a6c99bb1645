"""Sentences of a digest: billing of other kinds, changes to come, sizes of any kind, names of any kind."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from ledger.bills import BillingLine, BillingSummary, Commitment, CreditPool
from ledger.scope import Scope
from tests.digest_cases import HOSTILE, case_facts, digest_of, full
from tests.ledger_builder import Cell, LedgerBuilder, at, span
from tokensleuth.casebook.quality import AlertQuality
from tokensleuth.digest.amounts import shared_permille
from tokensleuth.digest.building import billed_window
from tokensleuth.digest.coming import coming_events
from tokensleuth.digest.facts import Coming, Used
from tokensleuth.digest.markdown import markdown
from tokensleuth.digest.page import Bullets, Section, plain_text
from tokensleuth.digest.posting import how_to_read
from tokensleuth.digest.saying import cents_text, many, round_usd, share_text, small_text
from tokensleuth.digest.shares import billing_of
from tokensleuth.digest.showback_csv import showback_csv
from tokensleuth.digest.web_page import web_page
from tokensleuth.digest.week import KnownWeek, Week
from tokensleuth.digest.words import page_of
from tokensleuth.slackapp.digest_message import slack_message
from tokensleuth.slackapp.limits import check

USD = 10**12


def summary() -> BillingSummary:
    """Tokens, and Copilot credits with a pool, a commitment of which a part lay idle."""
    return BillingSummary(
        window=span(28, hours=168),
        lines=[
            BillingLine("tokens", "openai", "search", 90 * USD, 90 * USD, 90 * USD, 10),
            BillingLine("credits", "github", "search", 4 * USD, 14 * USD, 10 * USD, 0),
            BillingLine("seats", "github", "support", 39 * USD, 39 * USD, 0, 0),
        ],
        pools=[
            CreditPool("github", "AIC", at(28), Decimal(1500), Decimal(1700), Decimal(200), 2 * USD, 14 * USD)
        ],
        commitments=[
            Commitment("azure", "ptu-1", "PTU", "h", 0, None, Decimal(120), Decimal(48), 10 * USD, 4 * USD)
        ],
        warnings=["openai: the same bill may be counted twice"],
    )


def test_other_billing_is_told_beside_tokens() -> None:
    text = markdown(page_of(replace(digest_of(), billing=billing_of(summary(), None))))
    assert "| Tokens | $90.00 | $90.00 | $0.00 |" in text
    assert "| Credits | $4.00 | $14.00 | $4.00 |" in text
    assert "| Seats | $39.00 | $39.00 | $39.00 |" in text
    assert "1,500 drawn from a pool of 1,500 (100 %); 200 beyond it billed $2.00" in text
    assert "Commitment PTU at azure, 71 % used, $4.00 of it unused: waste" in text
    assert "Look at this: openai" in text


def test_other_bills_and_the_spend_are_all_the_week_cost() -> None:
    text = markdown(page_of(replace(digest_of(), billing=billing_of(summary(), None))))
    assert "Other costs: credits $4.00, seats $39.00; in all the week cost $143.00." in text
    assert "| **Total** | **$133.00** | **$143.00** | **$43.00** |" in text


def test_bills_of_hours_without_usage_count() -> None:
    assert billed_window(Week(2026, 41), at(7, 3)) == span(0, hours=168)
    assert billed_window(Week(2026, 41), at(2, 3) + timedelta(minutes=20)) == span(0, hours=51)


def test_shares_of_the_showback_add_up() -> None:
    builder = LedgerBuilder()
    for number in range(40):
        builder.run(Cell(team=f"team-{number}", key_id=f"k{number}", requests=3 + number % 5), days=7)
    table = markdown(page_of(digest_of(Week.of(at(0)), source=builder.reader(), now=at(7, 7))))
    shares = [Decimal(share) for share in re.findall(r"\| ([\d.]+) % \|", table.partition("Showback")[2])]
    assert (len(shares), sum(shares)) == (16, 100)


def test_nothing_is_shared_out_of_nothing() -> None:
    assert shared_permille([0, 0]) == [0, 0]
    assert shared_permille([3, -1]) == [1500, -500]


def test_tokens_without_a_price_are_told_before_all_else() -> None:
    builder = (
        LedgerBuilder()
        .run(Cell(unpriced=True, team="UNALLOCATED"), days=7)
        .run(Cell(team="UNALLOCATED"), days=7)
    )
    page = page_of(digest_of(Week.of(at(0)), source=builder.reader(), now=at(7, 7)))
    lead = [plain_text(line) for line in page.lead]
    assert any(
        "13.1M tokens (50 %) have no price and are in no dollar here; $49.16 (100 %) of the" in s
        for s in lead
    )
    assert "13.1M tokens of the month have no price and are not in it." in markdown(page)


def test_a_rise_beyond_all_measure_is_not_told_in_per_cent() -> None:
    builder = LedgerBuilder().run(Cell(requests=1), days=7).run(Cell(requests=5000), days=7, since=7)
    text = markdown(page_of(digest_of(Week.of(at(7)), source=builder.reader(), now=at(14, 7))))
    assert "times as much) more than last week" in text


def test_a_team_is_told_of_its_own_bills() -> None:
    kinds = {kind.kind for kind in billing_of(summary(), "support").kinds}
    assert kinds == {"seats"}


def test_tokens_alone_need_no_table_of_bills() -> None:
    assert "All billing" not in markdown(page_of(digest_of()))


def test_a_price_to_come_is_told_with_what_it_would_cost() -> None:
    week = KnownWeek(Week(2026, 46), span(35, hours=168), None, at(0), at(42))
    used = {Scope((("model", "gemini-4-argon"),)): Used(cost_pico=50 * USD)}
    [coming] = coming_events(week, used)
    assert (coming.day, coming.now_pico, coming.factor) == (date(2026, 12, 1), 50 * USD, (2.0, 2.0))
    text = markdown(page_of(replace(digest_of(), coming=(coming,))))
    assert "From Tue 1 Dec 2026" in text
    assert "gemini-4-argon cost $50.00 this week, and would cost $100.00 with the same use" in text


def test_models_nobody_used_have_no_events() -> None:
    week = KnownWeek(Week(2026, 46), span(35, hours=168), None, at(0), at(42))
    assert coming_events(week, {Scope((("model", "gpt-big"),)): Used()}) == ()


def test_what_has_no_room_in_a_message_is_told() -> None:
    line = ("A sentence of a section that goes on. " * 10,)
    sections = tuple(Section(f"Part {i}", (Bullets((line,) * 20),), rank=i) for i in range(9))
    message = slack_message(replace(page_of(full()), sections=sections), "read on with `tokensleuth digest`")
    check(message.blocks, message.text)
    assert "*Left out for length:* 5 sections. read on with" in str(message.blocks)
    assert "more lines)" in str(message.blocks)


def test_a_large_organisation_fits_into_a_message() -> None:
    builder = LedgerBuilder()
    for number in range(60):
        cell = Cell(team=f"team-{number:03}-{'x' * 240}", key_id=f"key-{number}-{'y' * 240}")
        builder.run(replace(cell, requests=10 + number), days=7).run(cell, days=7, since=7)
    incidents = case_facts().incidents
    many_of = replace(incidents, shown=tuple(incidents.shown * 40))
    waiting = tuple(case_facts().waiting * 60)
    digest = digest_of(Week.of(at(7)), source=builder.reader(), now=at(14, 7))
    coming = tuple(
        Coming(str(i), date(2026, 12, 1), "s" * 300, "x", "confirmed", ("m" * 90,) * 3, USD, None)
        for i in range(40)
    )
    case = replace(case_facts(), incidents=many_of, waiting=waiting)
    large = replace(digest, case=case, coming=coming)
    message = slack_message(page_of(large), how_to_read(large))
    check(message.blocks, message.text)
    assert "45 other teams" in str(message.blocks)


def test_names_from_data_are_shown_as_they_are_and_do_nothing() -> None:
    digest = digest_of(team=HOSTILE)
    message = slack_message(page_of(digest), how_to_read(digest))
    check(message.blocks, message.text)
    assert "<script>" not in str(message.blocks)
    assert "--team" not in how_to_read(digest)


def test_a_name_that_cannot_be_seen_is_said_to_be_one() -> None:
    builder = LedgerBuilder().run(Cell(team="\u202e\u200b"), days=7)
    page = page_of(digest_of(Week.of(at(0)), source=builder.reader(), now=at(7, 7)))
    assert "| (a name that cannot be seen) | $49.16 |" in markdown(page)
    assert "<bdi>(a name that cannot be seen)</bdi>" in web_page(page, {})


def test_what_moved_more_than_the_whole_is_told_with_what_took_it_back() -> None:
    [support] = [m for m in digest_of().movers.shown if m.scope.items[0][1] == "support"]
    more = replace(
        support, change_cents=17063, carrier=Scope((("model", "gpt-big"),)), carrier_pico=200 * USD
    )
    text = markdown(page_of(replace(digest_of(), movers=replace(digest_of().movers, shown=(more,)))))
    assert "most at model gpt-big (+$200.00, all else -$29.37)." in text


def test_a_week_of_which_nothing_is_known_cost_no_zero_dollars() -> None:
    builder = LedgerBuilder().run(Cell(), days=7)
    page = page_of(digest_of(Week.of(at(7)), source=builder.reader(), now=at(14, 7)))
    assert {tile.value for tile in page.tiles} == {"-", "0"}


def test_a_spreadsheet_works_nothing_out() -> None:
    builder = LedgerBuilder().run(Cell(team="=HYPERLINK(1)"), days=7)
    digest = digest_of(Week.of(at(0)), source=builder.reader(), now=at(7, 7))
    assert ",'=HYPERLINK(1)," in showback_csv(digest)


def test_what_is_beyond_the_most_is_counted() -> None:
    case = replace(case_facts(), notices=case_facts().notices * 10, tunings=case_facts().tunings * 9)
    text = markdown(page_of(replace(digest_of(), case=case)))
    assert "And 2 more open notices." in text
    assert "And 1 more tuning." in text


def test_nobody_judged_is_no_precision() -> None:
    case = replace(case_facts(), alerts=AlertQuality(6, 0, 1, 0, 5, 0))
    assert "Precision of alerts is not known" in markdown(page_of(replace(full(), case=case)))


@pytest.mark.parametrize(
    ("told", "right"),
    [
        (cents_text(123456789), "$1,234,567.89"), (cents_text(-5, signed=True), "-$0.05"),
        (cents_text(0, signed=True), "$0.00"), (many(9_999), "9,999"), (many(25_936_422), "25.9M"),
        (many(10_920), "10.9k"), (many(120_779), "121k"), (many(999_600), "1M"), (many(999_960_000), "1B"),
        (many(5 * 10**15), "5,000T"), (round_usd(-1234.4), "-$1,234"), (share_text(-0.0, 5), "0.0 %"),
        (share_text(1, 3), "33 %"), (share_text(1, 3000), "<0.1 %"), (share_text(0, 5), "0.0 %"),
        (share_text(1, 0), "-"), (small_text(5 * USD, 10**6), "$0.00000500"), (small_text(0, 5), "$0.00"),
        (small_text(1, 0), "-"),
    ],
)  # fmt: skip
def test_figures_are_written_for_people(told: str, right: str) -> None:
    assert told == right


def test_the_due_moment_is_not_part_of_a_page() -> None:
    later = replace(digest_of(), made_at=digest_of().made_at + timedelta(hours=5))
    first, second = (markdown(page_of(d)).splitlines() for d in (digest_of(), later))
    assert [a for a, b in zip(first, second, strict=True) if a != b] == [
        "- Made Mon 9 Nov 07:00 UTC from the ledger and the casebook; weeks are ISO weeks in UTC."
    ]
