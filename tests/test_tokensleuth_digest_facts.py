"""The facts of a digest: amounts that add up, and weeks that are whole, begun, first, or empty."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ledger.errors import RefusedError
from ledger.money import PICO_PER_CENT
from ledger.scope import Scope
from tests.digest_cases import HOSTILE, MADE_AT, WEEK, digest_of, ledger, reader
from tests.ledger_builder import Cell, LedgerBuilder, at, span
from tokensleuth.digest.amounts import cents_of, shared_cents
from tokensleuth.digest.markdown import markdown
from tokensleuth.digest.week import Week
from tokensleuth.digest.words import page_of
from tools.effects import effects


def test_effects_add_up_to_the_change_as_it_is_shown() -> None:
    spend = digest_of().spend
    assert spend.last is not None
    assert sum(e.cents for e in spend.effects) == spend.change_cents
    assert spend.change_cents == cents_of(spend.now.cost_pico) - cents_of(spend.last.cost_pico)


def test_effects_are_those_of_explain_where_last_week_is_all_there_was() -> None:
    builder = ledger()
    builder.cells = [(hour, cell) for hour, cell in builder.cells if hour >= at(21)]
    source = builder.reader()
    asked = {row["effect"]: row["usd"] for row in effects(source, span(28, hours=168)).rows}
    for effect in digest_of(source=source).spend.effects:
        off = Decimal(effect.cents).scaleb(-2) - Decimal(str(asked[effect.name]))
        assert abs(off) <= Decimal("0.01"), effect.name


def test_the_showback_adds_up_and_is_exact() -> None:
    digest = digest_of()
    total = digest.spend.now.cost_pico
    assert sum(row.now.cost_pico for row in digest.showback) == total
    assert sum(row.cents for row in digest.showback) == cents_of(total)
    assert sum(row.change_cents for row in digest.showback) == digest.spend.change_cents


def test_movers_say_the_same_as_the_showback() -> None:
    digest = digest_of()
    rows = {row.name: (row.cents, row.change_cents) for row in digest.showback}
    shown = {m.scope.items[0][1]: (m.now_cents, m.change_cents) for m in digest.movers.shown}
    assert shown.items() <= rows.items()
    assert list(shown) == ["support", "search"]
    assert sum(c for _, c in shown.values()) + digest.movers.others_cents == digest.spend.change_cents


def test_a_key_that_replaced_another_is_told_as_one() -> None:
    builder = LedgerBuilder().run(Cell(key_id="old"), days=7).run(Cell(key_id="new"), days=7, since=7)
    builder.run(Cell(key_id="other", requests=10), days=7).run(
        Cell(key_id="other", requests=900), days=7, since=7
    )
    digest = digest_of(Week.of(at(7)), team="search", source=builder.reader(), now=at(14, 7))
    movers = {m.scope.items[0][1]: m for m in digest.movers.shown}
    assert "old" not in movers
    assert "new" not in movers or movers["new"].was == "old"


def test_a_begun_week_is_compared_with_the_same_hours() -> None:
    digest = digest_of(now=at(31, 14))
    assert digest.week.known == span(28, hours=86)
    assert digest.week.last == span(21, hours=86)
    assert not digest.week.is_whole


def test_a_first_week_has_nothing_to_compare_with() -> None:
    digest = digest_of(Week.of(at(0)))
    assert (digest.spend.last, digest.spend.effects, digest.movers.shown) == (None, (), ())
    assert all(row.last is None for row in digest.showback)


def test_a_week_in_which_nothing_was_used_says_so() -> None:
    builder = LedgerBuilder().run(Cell(), days=7).run(Cell(), days=7, since=14)
    digest = digest_of(Week.of(at(7)), source=builder.reader(), now=at(21, 7))
    text = markdown(page_of(digest))
    assert "**Nothing was used, or no usage came in**; last week cost $" in text
    assert digest.completeness.hours_with_usage == 0


def test_a_week_after_an_empty_one_has_no_share_of_nothing() -> None:
    builder = LedgerBuilder().run(Cell(), days=7).run(Cell(), days=7, since=14)
    text = markdown(page_of(digest_of(Week.of(at(14)), source=builder.reader(), now=at(21, 7))))
    assert "more than last week** ($0.00)." in text


def test_spend_that_stayed_to_the_cent_is_told_so() -> None:
    builder = LedgerBuilder().run(Cell(), days=7).run(Cell(), days=7, since=7)
    digest = digest_of(Week.of(at(7)), source=builder.reader(), now=at(14, 7))
    assert digest.spend.change_cents == 0
    assert "the same as last week to the cent" in markdown(page_of(digest))


def test_a_week_to_come_is_refused() -> None:
    with pytest.raises(RefusedError, match="ask for 2026-W45"):
        digest_of(Week(2026, 46), now=MADE_AT.replace(hour=0))


def test_a_team_nobody_knows_is_refused() -> None:
    with pytest.raises(RefusedError, match="no usage of team=nobody"):
        digest_of(team="nobody")


def test_a_team_is_told_of_its_keys_and_of_nothing_else() -> None:
    digest = digest_of(team=HOSTILE)
    assert [row.name for row in digest.showback] == ["k-odd"]
    assert digest.coverage.unallocated_pico is None
    assert digest.audience == Scope((("team", HOSTILE),))


def test_the_digests_of_teams_add_up_to_that_of_the_organisation() -> None:
    names = [row.name for row in digest_of().showback]
    parts = [digest_of(team=name).spend.now.cost_pico for name in names]
    assert sum(parts) == digest_of().spend.now.cost_pico


def test_a_month_that_ended_in_the_week_is_told() -> None:
    closed = digest_of(Week.of(at(21))).month.closed
    whole = sum(m.cost_pico for m in reader().totals([span(0, hours=27 * 24)]).values())
    assert closed == ("2026-10", whole)


def test_outcomes_cost_what_their_team_spent_on_their_days() -> None:
    (cost,) = digest_of().outcomes
    support = next(row for row in digest_of().showback if row.name == "support")
    assert (cost.outcome, cost.days, cost.cost_pico) == ("ticket solved", 7, support.now.cost_pico)
    assert digest_of(team="search").outcomes == ()


def test_a_provider_that_fell_silent_is_named() -> None:
    builder = LedgerBuilder().run(Cell(), days=14)
    builder.run(replace(Cell(), provider="acme", key_id="k2"), days=11)
    digest = digest_of(Week.of(at(7)), source=builder.reader(), now=at(14, 7))
    assert [(s.provider, s.ends_at) for s in digest.completeness.late] == [("acme", at(11))]


@pytest.mark.parametrize(
    ("parts", "total", "cents"),
    [
        ([PICO_PER_CENT // 2] * 3, 2, [1, 1, 0]),
        ([-PICO_PER_CENT // 2, PICO_PER_CENT // 2], 0, [0, 0]),
        ([], 0, []),
        ([3 * PICO_PER_CENT], 3, [3]),
    ],
)
def test_parts_are_rounded_so_that_they_add_up(parts: list[int], total: int, cents: list[int]) -> None:
    assert sorted(shared_cents(parts, total)) == sorted(cents)
    assert sum(shared_cents(parts, total)) == total


def test_parts_that_cannot_be_told_so_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be told as 5 cents"):
        shared_cents([PICO_PER_CENT], 5)


def test_the_week_that_is_told_is_the_last_over_or_the_last_with_usage() -> None:
    late = MADE_AT + timedelta(weeks=3)
    assert digest_of(WEEK, now=late).week.is_whole
