"""Budgets over a ledger: what is spent of them, when they will be crossed, and what is told."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import BaseModel, ValidationError

from ledger.errors import RefusedError
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from ledger.window import HOUR, Window
from tests.ledger_builder import Cell, LedgerBuilder, at
from tokensleuth.budgets.evaluation import BudgetStatus, evaluate
from tokensleuth.budgets.known import known_hours
from tokensleuth.budgets.month import Month
from tokensleuth.budgets.outlook import Known, known_until, outlooks, spending
from tokensleuth.budgets.pace import pace_alerts
from tokensleuth.budgets.settings import Budget, Budgets
from tools.calendar import CalendarEntry

MID_NOVEMBER = datetime(2026, 11, 16, tzinfo=UTC)
A_DAY_USD = 7.0
"""What a team of the ledger spends, about."""


class Tables(BaseModel):
    budget: Budgets = ()


@pytest.fixture(scope="module")
def reader() -> Reader:
    """Six weeks of two alike teams, and a young one in its fourth day."""
    cells = LedgerBuilder().run(Cell(), days=42).run(Cell(team="search-eu", key_id="k2"), days=42)
    return cells.run(Cell(team="new", key_id="k3"), days=4, since=38).reader()


def status(reader: Reader, usd: float, at: datetime = MID_NOVEMBER, **where: str) -> BudgetStatus:
    budget = Budget.model_validate({"name": "b", "usd": usd, "where": where})
    return evaluate(reader, [budget], at)[0]


def test_what_is_spent_is_exact_and_of_this_month_only(reader: Reader) -> None:
    november = Window(datetime(2026, 11, 1, tzinfo=UTC), MID_NOVEMBER)
    exact = reader.totals([november], where=Scope.parse(["team=search"]))[EVERYTHING].cost_pico
    assert status(reader, 1000, team="search").outlook.spent_pico == exact


def test_all_that_a_glob_matches_shares_the_budget(reader: Reader) -> None:
    one, both = status(reader, 1000, team="search"), status(reader, 1000, team="search*")
    assert both.spent_usd == 2 * one.spent_usd
    assert both.outlook.mid[-1] == pytest.approx(2 * one.outlook.mid[-1], rel=0.01)


def test_the_month_end_of_a_steady_team_is_its_days(reader: Reader) -> None:
    outlook = status(reader, 1000, team="search").outlook
    assert outlook.mid[-1] == pytest.approx(30 * A_DAY_USD, rel=0.03)
    assert outlook.low[-1] < outlook.mid[-1] < outlook.high[-1]
    assert len(outlook.mid) == 15


def test_the_day_of_crossing_lies_where_the_days_add_up(reader: Reader) -> None:
    crossing = status(reader, 22.5 * A_DAY_USD, team="search").crossing
    assert crossing is not None
    assert crossing.likely in (date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 24))
    assert crossing.earliest is not None
    assert crossing.latest is not None
    assert crossing.earliest <= crossing.likely <= crossing.latest


def test_a_wide_budget_is_not_crossed_this_month(reader: Reader) -> None:
    crossing = status(reader, 1000, team="search").crossing
    assert crossing is not None
    assert crossing.earliest is crossing.likely is crossing.latest is None
    assert pace_alerts([status(reader, 1000, team="search")]) == []


def test_a_spent_share_is_told_with_the_hour_in_which_it_was_spent(reader: Reader) -> None:
    found = status(reader, 20 * A_DAY_USD, team="search")
    told = {alert.kind: alert for alert in pace_alerts([found])}
    assert list(told) == ["crossed_50", "will_cross"]
    spent_at = told["crossed_50"].at
    before, after = (
        reader.totals([Window(datetime(2026, 11, 1, tzinfo=UTC), end)], where=Scope.parse(["team=search"]))
        for end in (spent_at - HOUR, spent_at)
    )
    half = 10 * A_DAY_USD * 10**12
    assert before[EVERYTHING].cost_pico < half <= after[EVERYTHING].cost_pico


def test_a_crossed_budget_is_told_as_crossed_and_no_more_as_to_come(reader: Reader) -> None:
    found = status(reader, 10 * A_DAY_USD, team="search")
    assert [a.kind for a in pace_alerts([found])] == ["crossed_50", "crossed_80", "crossed_100"]
    assert found.crossing is None


def test_ids_are_the_same_later_in_the_month_and_others_in_the_next(reader: Reader) -> None:
    first = pace_alerts([status(reader, 70, datetime(2026, 11, 12, tzinfo=UTC), team="search")])
    later = pace_alerts([status(reader, 70, MID_NOVEMBER, team="search")])
    before = pace_alerts([status(reader, 70, datetime(2026, 10, 25, tzinfo=UTC), team="search")])
    assert {alert.id for alert in first if alert.kind != "will_cross"} <= {alert.id for alert in later}
    assert not {alert.id for alert in before} & {alert.id for alert in later}


def test_what_was_told_to_cross_stays_until_it_is_not_expected_any_more(reader: Reader) -> None:
    outlook = status(reader, 1000, team="search").outlook
    between = status(reader, round((outlook.low[-1] + outlook.mid[-1]) / 2, 4), team="search")
    clear = status(reader, round(outlook.mid[-1] + 0.5, 4), team="search")
    opened = pace_alerts([status(reader, round(outlook.low[-1] - 1, 4), team="search")])
    told = {alert.id for alert in opened if alert.kind == "will_cross"}
    assert len(told) == 1

    def kinds(found: BudgetStatus, in_force: set[str]) -> list[str]:
        return [a.kind for a in pace_alerts([found], in_force) if a.kind == "will_cross"]

    assert kinds(between, set()) == []
    assert kinds(between, told) == ["will_cross"]
    assert kinds(clear, told) == []


def test_a_young_scope_says_so(reader: Reader) -> None:
    outlook = status(reader, 1000, team="new").outlook
    assert outlook.basis == "young"
    old = status(reader, 1000, team="search").outlook
    assert (outlook.high[-1] - outlook.low[-1]) / outlook.mid[-1] > 2 * (
        old.high[-1] - old.low[-1]
    ) / old.mid[-1]


def test_a_scope_without_usage_has_spent_nothing(reader: Reader) -> None:
    found = status(reader, 10, team="nobody")
    assert found.spent_usd == 0
    assert found.outlook.high[-1] == 0


def test_an_incident_that_is_over_is_not_expected_again() -> None:
    struck = Window(at(30, 9), at(31, 9))
    cells = LedgerBuilder().run(Cell(), days=42)
    cells.change(struck, lambda _, cell: Cell(requests=cell.requests * 40))
    reader = cells.reader()
    incident: dict[str, object] = {
        "id": "inc_1",
        "scope": {"team": "search", "key_id": "k1"},
        **struck.as_json(),
    }
    spent = spending(reader, MID_NOVEMBER)
    (told,) = outlooks(spent, known_hours([], [incident], MID_NOVEMBER))
    (untold,) = outlooks(spent)
    assert told.mid[-1] - told.spent_usd == pytest.approx(15 * A_DAY_USD, rel=0.03)
    assert told.high[-1] < untold.high[-1]


def test_an_incident_that_may_go_on_is_left_in() -> None:
    recent: dict[str, object] = {"id": "inc_1", "scope": {}, **Window(at(41), at(41, 20)).as_json()}
    assert known_hours([], [recent], MID_NOVEMBER) == []


def test_a_calendar_entry_that_has_not_begun_is_not_known_yet() -> None:
    entry = CalendarEntry(start=date(2026, 11, 27), end=date(2026, 11, 30), what="sale")
    assert known_hours([entry], [], MID_NOVEMBER) == []
    assert known_hours([entry], [], datetime(2026, 11, 28, tzinfo=UTC)) == [Known(EVERYTHING, entry.window)]


def test_the_known_hours_of_another_team_change_nothing(reader: Reader) -> None:
    budget = Budget(name="b", usd=Decimal(100), where={"team": "search"})
    week = Window(at(34), at(41))
    other = [Known(Scope.parse(["team=search-eu"]), week), Known(Scope.parse(["key_id=k2"]), week)]
    assert evaluate(reader, [budget], MID_NOVEMBER, other) == evaluate(reader, [budget], MID_NOVEMBER)


def test_known_is_at_most_the_last_hour_of_usage(reader: Reader) -> None:
    assert known_until(reader, datetime(2026, 12, 24, tzinfo=UTC)) == MID_NOVEMBER
    assert known_until(reader, datetime(2026, 11, 10, 8, 30, tzinfo=UTC)).minute == 0
    with pytest.raises(RefusedError, match="no usage before 2026-01-01"):
        known_until(reader, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("moment", "days", "name"),
    [
        (datetime(2028, 2, 28, 23, tzinfo=UTC), 2, "2028-02"),
        (datetime(2026, 12, 31, 5, tzinfo=UTC), 1, "2026-12"),
        (datetime(2026, 11, 1, tzinfo=UTC), 30, "2026-11"),
        (datetime(2026, 3, 29, 2, tzinfo=UTC), 3, "2026-03"),
    ],
)
def test_months_end_in_utc_whatever_clocks_do(moment: datetime, days: int, name: str) -> None:
    month = Month(moment)
    assert (month.days_ahead, month.name) == (days, name)
    assert month.day(days - 1) == (month.window.end_at - timedelta(days=1)).date()


def test_the_first_hour_of_a_month_has_spent_nothing(reader: Reader) -> None:
    found = status(reader, 100, datetime(2026, 11, 1, tzinfo=UTC), team="search")
    assert found.spent_usd == 0
    assert found.outlook.mid[-1] == pytest.approx(30 * A_DAY_USD, rel=0.03)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"name": "b", "usd": 0}, "greater than 0"),
        ({"name": "b", "usd": True}, "amount of dollars"),
        ({"name": "b", "usd": float("nan")}, "finite"),
        ({"name": "b", "usd": 5, "where": {"squad": "x"}}, "unknown dimension `squad`"),
        ({"name": "b", "usd": 5, "period": "quarter"}, "'month'"),
        ({"name": "b", "usd": 5, "alerts": [0.5, 0.5]}, "different shares"),
        ({"name": "b", "usd": 5, "alert": [0.5]}, "Extra inputs"),
    ],
)
def test_wrong_budgets_are_refused_by_name(table: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Budget.model_validate(table)


def test_two_budgets_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="two budgets are called b"):
        Tables.model_validate({"budget": [{"name": "b", "usd": 1}, {"name": "b", "usd": 2}]})
