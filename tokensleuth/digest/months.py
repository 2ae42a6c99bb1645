"""Where the month will end for each audience, how budgets stand, and which month ended in the week."""

from collections.abc import Sequence
from datetime import timedelta
from fnmatch import fnmatchcase

from ledger.reader import Reader
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.window import HOUR
from tokensleuth.budgets.evaluation import BudgetStatus, evaluate
from tokensleuth.budgets.month import Month as CalendarMonth
from tokensleuth.budgets.outlook import Known, Outlook, Spending, outlooks, spendings
from tokensleuth.budgets.settings import Budget
from tokensleuth.digest.facts import Month
from tokensleuth.digest.week import KnownWeek


class Months:
    """Forecasts as of the end of what is known of the week, read once for all audiences."""

    def __init__(
        self,
        reader: Reader,
        week: KnownWeek,
        budgets: Sequence[Budget],
        known: Sequence[Known],
        *,
        by_team: bool,
    ) -> None:
        self._reader, self._week = reader, week
        self._outlooks: dict[Scope, Outlook] = {}
        self._so_far: dict[Scope, tuple[float, ...]] = {}
        self._budgets: list[BudgetStatus] = []
        if week.known is None:
            return
        groupings: list[tuple[Dimension, ...]] = [(), ("team",)] if by_team else [()]
        for spent in spendings(reader, week.at, groupings):
            self._outlooks |= {outlook.scope: outlook for outlook in outlooks(spent, known)}
            self._so_far |= {scope: _by_day(spent, row) for row, scope in enumerate(spent.scopes)}
        self._budgets = evaluate(reader, budgets, week.at, known)

    def of(self, audience: Scope) -> Month:
        """A team sees the budgets that its spend is paid from and that name teams."""
        return Month(
            self._outlooks.get(audience),
            tuple(status for status in self._budgets if _concerns(status.budget, audience)),
            self._closed(audience),
            self._so_far.get(audience, ()),
        )

    def _closed(self, audience: Scope) -> tuple[str, int] | None:
        if self._week.known is None:
            return None
        month = CalendarMonth(self._week.at)
        if month.window.start_at <= self._week.known.start_at:
            return None
        last = CalendarMonth(month.window.start_at - timedelta(hours=1))
        spent = self._reader.totals([last.window], where=audience).values()
        return last.name, sum(measures.cost_pico for measures in spent)


def _by_day(spent: Spending, row: int) -> tuple[float, ...]:
    """Cumulated from the first of the month; usage may begin later."""
    month = spent.month
    hours = spent.hours[row]
    ends = []
    end = month.window.start_at
    while end < month.at:
        end = min(end + timedelta(days=1), month.at)
        first = max((month.window.start_at - spent.start_at) // HOUR, 0)
        last = max((end - spent.start_at) // HOUR, first)
        ends.append(float(hours[first:last].sum()))
    return tuple(ends)


def _concerns(budget: Budget, audience: Scope) -> bool:
    if audience == EVERYTHING:
        return True
    team = audience.as_dict()["team"]
    return "team" in budget.where and fnmatchcase(team, budget.where["team"])
