"""Builds the digests of a week: the ledger is read once, and each audience is told its part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.billing import BillingSummary, billing_summary
from ledger.errors import RefusedError
from ledger.grants import CreditGrant
from ledger.reader import Reader
from ledger.remembered import RememberingReader, remembering
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.window import Window, floor_hour
from tokensleuth.budgets.known import known_hours
from tokensleuth.budgets.settings import Budget
from tokensleuth.casebook import Casebook
from tokensleuth.digest.change import spend_facts, split_from_last
from tokensleuth.digest.coming import coming_events
from tokensleuth.digest.decided import Belongs
from tokensleuth.digest.facts import Digest, HourLine
from tokensleuth.digest.lines import completeness, hour_lines
from tokensleuth.digest.months import Months
from tokensleuth.digest.movers import movers_of
from tokensleuth.digest.outcomes import Outcome, outcome_costs
from tokensleuth.digest.shares import billing_of, coverage_of, showback_of
from tokensleuth.digest.shelf import case_facts
from tokensleuth.digest.using import WeekUsage
from tokensleuth.digest.week import KnownWeek, Week, known_week
from tokensleuth.ranges import usage_extent
from tools.calendar import CalendarEntry
from tools.split import Split


@dataclass(frozen=True, slots=True)
class Given:
    """What the settings say about digests."""

    budgets: Sequence[Budget] = ()
    calendar: Sequence[CalendarEntry] = ()
    outcomes: Sequence[Outcome] = ()
    grants: Sequence[CreditGrant] = ()


@dataclass(frozen=True, slots=True)
class WeekBook:
    """What was read of one week for all its audiences."""

    reader: RememberingReader
    week: KnownWeek
    now: datetime
    given: Given
    casebook: Casebook | None
    usage: WeekUsage
    last: WeekUsage | None
    split: Split | None
    lines: Mapping[str | None, HourLine]
    months: Months
    billing: BillingSummary

    def teams(self) -> tuple[str, ...]:
        """Those with usage in the week."""
        return tuple(sorted(scope.as_dict()["team"] for scope in self.usage.by(("team",))))

    def digest(self, team: str | None = None) -> Digest:
        """Of the organisation, or of a team; RefusedError for a team that never had usage."""
        where = EVERYTHING if team is None else Scope((("team", team),))
        if not self.usage.table.inside(where).any():
            raise RefusedError(f"the ledger has no usage of {where}")
        now, last = self.usage.used(where), self.last.used(where) if self.last else None
        spend = spend_facts(now, last, self.split, where)
        by: Dimension = "team" if team is None else "key_id"
        showback = showback_of(self.usage, self.last, where, by)
        return Digest(
            week=self.week,
            audience=where,
            made_at=self.now,
            spend=spend,
            movers=movers_of(self.split, where, by, showback),
            showback=showback,
            coverage=coverage_of(self.usage, where),
            line=self.lines.get(team),
            month=self.months.of(where),
            coming=coming_events(self.week, self.usage.by(("model",), where)),
            outcomes=outcome_costs(self.reader, self.given.outcomes, self.week.known, team),
            billing=billing_of(self.billing, team),
            completeness=completeness(self.reader, self.week.week.window, self.week.known, where),
            case=case_facts(self.casebook, self.week, self._belongs(where), self.now, whole=team is None),
        )

    def _belongs(self, where: Scope) -> Belongs:
        """All is the organisation's; a team's is what is pinned to it, and what only it has used."""
        if where == EVERYTHING:
            return lambda _: True
        table = self.usage.table
        own = table.inside(where)

        def one(scope: Scope) -> bool:
            if not scope.items or "team" in scope.dimensions:
                return where.contains(scope)
            theirs = table.inside(scope)
            return bool(theirs.any() and own[theirs].all())

        return lambda scopes: any(one(scope) for scope in scopes)


def billed_window(week: Week, now: datetime) -> Window:
    """All of the week that is over: seats and commitments are billed in hours without usage too."""
    return Window(week.window.start_at, min(week.window.end_at, floor_hour(now)))


def read_week(
    reader: Reader,
    casebook: Casebook | None,
    week: Week,
    given: Given,
    now: datetime,
    *,
    by_team: bool,
) -> WeekBook:
    """Read what is told of the week as of `now`; `by_team` where teams are to be told too."""
    extent = usage_extent(reader)
    found, memory = known_week(week, extent, now), remembering(reader)
    incidents = casebook.incidents(now=now) if casebook else []
    usage = WeekUsage.read(memory, found.known)
    teams = tuple(sorted(scope.as_dict()["team"] for scope in usage.by(("team",)))) if by_team else ()
    compared = found.known is not None and found.last is not None
    return WeekBook(
        reader=memory,
        week=found,
        now=now,
        given=given,
        casebook=casebook,
        usage=usage,
        last=WeekUsage.read(memory, found.last) if compared else None,
        split=split_from_last(memory, found.known, found.last) if found.known and found.last else None,
        lines=hour_lines(memory, found.known, extent, teams),
        months=Months(
            memory, found, given.budgets, known_hours(given.calendar, incidents, found.at), by_team=by_team
        ),
        billing=billing_summary(memory, billed_window(week, now), grants=given.grants),
    )
