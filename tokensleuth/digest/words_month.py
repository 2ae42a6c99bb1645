"""Month and budgets in sentences: where it ends, how sure that is, and the day a budget is crossed."""

import math
from datetime import date
from decimal import Decimal

from tokensleuth.budgets.evaluation import BudgetStatus
from tokensleuth.budgets.outlook import Outlook
from tokensleuth.digest.facts import Digest
from tokensleuth.digest.page import Block, Column, Figure, Grid, Line, Name, Paragraph, Section, Strong
from tokensleuth.digest.saying import counted, day_text, many, pico_text, round_usd, share_text
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
        unpriced = ", as far as tokens have a price" if outlook.unpriced_tokens else ""
        return (*line, f"{_within(digest.month.budgets)}{unpriced}.")
    first = min(crossing, key=lambda s: (s.crossing is not None, _likely(s)))
    return (*line, "; the budget “", Name(first.budget.name), "” ", Strong(_told(first)), f"{_over(first)}.")


def _within(statuses: tuple[BudgetStatus, ...]) -> str:
    """Where no budget will likely be crossed."""
    if not statuses:
        return ""
    might = any(status.crossing and status.crossing.earliest for status in statuses)
    return ", likely within budget" if might else ", within budget"


def _likely(status: BudgetStatus) -> date:
    return status.crossing.likely if status.crossing and status.crossing.likely else date.min


def _forecast(outlook: Outlook) -> Line:
    spent = pico_text(outlook.spent_pico).capitalize()
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
    if not outlook.days_known:
        learnt = "; nothing was spent before, so there is nothing to learn from"
    unpriced = f". {many(outlook.unpriced_tokens)} tokens of the month have no price and are not in it"
    return (
        *line,
        learnt if outlook.basis == "young" else "",
        unpriced if outlook.unpriced_tokens else "",
        ".",
    )


def _interval(outlook: Outlook) -> str:
    return f"{round_usd(outlook.low[-1])} and {round_usd(outlook.high[-1])}"


def _budgets(statuses: tuple[BudgetStatus, ...]) -> Grid:
    columns = (
        Column("Budget"),
        Column("Limit", right=True),
        Column("Spent", right=True),
        Column("Forecast", right=True),
        Column("Crossed"),
    )
    return Grid("budget", columns, tuple(_budget(status) for status in statuses), is_wordy=True)


def _budget(status: BudgetStatus) -> tuple[Line, ...]:
    outlook, budget = status.outlook, status.budget
    ends = "-" if math.isnan(outlook.mid[-1]) else round_usd(outlook.mid[-1])
    share = f" ({share_text(status.share, 1)})"
    paid = usd(Decimal(status.spent_usd))
    return ((Name(budget.name),), (usd(budget.usd),), (paid + share,), (ends,), (_crossing(status),))


def _over(status: BudgetStatus) -> str:
    """By how much at the end of the month."""
    over = status.outlook.mid[-1] - float(status.budget.usd)
    return f", {round_usd(over)} over by the end of the month" if over > 0 else ""


def _told(status: BudgetStatus) -> str:
    """In a sentence."""
    return f"{'is' if status.crossing is None else 'will be'} crossed {_crossing(status)}"


def _crossing(status: BudgetStatus) -> str:
    crossing = status.crossing
    if crossing is None:
        return "already"
    if status.outlook.basis == "unknown":
        return "not known yet"
    if crossing.earliest is None:
        return "not this month"
    first = day_text(crossing.earliest)
    if crossing.likely is None:
        return f"likely not this month, {first} at the earliest"
    likely = f"on {day_text(crossing.likely)}"
    if crossing.latest is None:
        return f"{likely} ({first} at the earliest, perhaps not at all)"
    last = day_text(crossing.latest)
    return likely if first == last else f"{likely} (between {first} and {last})"


def _chart_told(outlook: Outlook) -> str:
    ends = f"{round_usd(outlook.mid[-1])} (between {_interval(outlook)})"
    return f"Spend of the month from its first day, forecast to {ends}."


def _month_name(name: str) -> str:
    return f"{date.fromisoformat(f'{name}-01'):%B %Y}"
