"""Month and budgets in sentences: where it ends, how sure that is, and the day a budget is crossed."""

import math
from datetime import date
from decimal import Decimal

from tokensleuth.budgets.evaluation import BudgetStatus
from tokensleuth.budgets.outlook import Outlook
from tokensleuth.digest.facts import Digest
from tokensleuth.digest.page import Block, Column, Figure, Grid, Line, Name, Paragraph, Section, Strong
from tokensleuth.digest.saying import counted, day_text, pico_text, round_usd
from tokensleuth.terminal.text import usd


def month_section(digest: Digest) -> Section | None:
    month = digest.month
    if month.outlook is None:
        return None
    blocks: list[Block] = [Paragraph(_forecast(month.outlook))]
    if month.closed is not None:
        name, pico = month.closed
        blocks.append(Paragraph((f"{_month_name(name)} ended in this week and cost {pico_text(pico)}.",)))
    blocks.append(_budgets(month.budgets) if month.budgets else Paragraph((_NO_BUDGET,), quiet=True))
    if month.outlook.basis != "unknown":
        blocks.append(Figure("forecast", _chart_told(month.outlook)))
    return Section(f"Month and budget: {month.outlook.month.window.start_at:%B %Y}", tuple(blocks), rank=3)


_NO_BUDGET = "No budget is set for this ([[budget]] in the settings)."


def month_line(digest: Digest) -> Line:
    """For the first sentences: the month's end, and the first budget that will be crossed."""
    outlook = digest.month.outlook
    if outlook is None or outlook.basis == "unknown":
        return ()
    told = f"{outlook.month.window.start_at:%B} is forecast to end at {round_usd(outlook.mid[-1])}"
    line: Line = (f"{told} (8 in 10: between {_interval(outlook)})",)
    crossing = [s for s in digest.month.budgets if s.crossing is None or s.crossing.likely]
    if not crossing:
        return (*line, "." if not digest.month.budgets else ", within budget.")
    first = min(crossing, key=lambda s: (s.crossing is not None, _likely(s)))
    return (*line, "; budget ", Name(first.budget.name), " ", Strong(_told(first)), ".")


def _likely(status: BudgetStatus) -> date:
    return status.crossing.likely if status.crossing and status.crossing.likely else date.min


def _forecast(outlook: Outlook) -> Line:
    spent = pico_text(outlook.spent_pico)
    until = day_text(outlook.month.at) + f" {outlook.month.at:%H:%M} UTC"
    if outlook.basis == "unknown":
        return (f"{spent} spent until {until}; there is not a whole day of usage to forecast from.",)
    ends = f"forecast to end at {round_usd(outlook.mid[-1])}"
    line: Line = (
        f"{spent} spent until {until}; ",
        Strong(ends),
        f", 8 in 10 such months between {_interval(outlook)}",
    )
    learnt = f"; learnt from {counted(outlook.days_known, 'day')} only, so the interval is wide"
    return (*line, learnt if outlook.basis == "young" else "", ".")


def _interval(outlook: Outlook) -> str:
    return f"{round_usd(outlook.low[-1])} and {round_usd(outlook.high[-1])}"


def _budgets(statuses: tuple[BudgetStatus, ...]) -> Grid:
    columns = (
        Column("Budget"),
        Column("USD", right=True),
        Column("Spent", right=True, extra=True),
        Column("Forecast", right=True),
        Column("Will be crossed"),
    )
    return Grid("budget", columns, tuple(_budget(status) for status in statuses))


def _budget(status: BudgetStatus) -> tuple[Line, ...]:
    outlook, budget = status.outlook, status.budget
    ends = "-" if math.isnan(outlook.mid[-1]) else round_usd(outlook.mid[-1])
    share = f" ({status.share:.0%})"
    paid = usd(Decimal(status.spent_usd))
    return ((Name(budget.name),), (usd(budget.usd),), (paid + share,), (ends,), (_crossing(status),))


def _told(status: BudgetStatus) -> str:
    """In a sentence."""
    when = _crossing(status)
    return when if status.crossing is None else f"will be crossed on {when}"


def _crossing(status: BudgetStatus) -> str:
    crossing = status.crossing
    if crossing is None:
        return "is crossed"
    if status.outlook.basis == "unknown":
        return "not known yet"
    if crossing.earliest is None:
        return "not this month"
    first = day_text(crossing.earliest)
    last = day_text(crossing.latest) if crossing.latest else "not at all"
    if crossing.likely is None:
        return f"likely not this month, {first} at the earliest"
    likely = day_text(crossing.likely)
    return likely if first == last == likely else f"{likely} ({first} to {last})"


def _chart_told(outlook: Outlook) -> str:
    ends = f"{round_usd(outlook.mid[-1])} (between {_interval(outlook)})"
    return f"Spend of the month from its first day, forecast to {ends}."


def _month_name(name: str) -> str:
    return f"{date.fromisoformat(f'{name}-01'):%B %Y}"
