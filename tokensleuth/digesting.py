"""Makes digests by the settings: reads the week, chooses the audiences, posts each once."""

from datetime import datetime

from ledger.errors import RefusedError
from ledger.reader import Reader
from ledger.scope import UNALLOCATED
from ledger.window import instant_text
from tokensleuth.app import App
from tokensleuth.casebook import Casebook
from tokensleuth.digest.audiences import Audience, organisation, told_teams
from tokensleuth.digest.building import Given, WeekBook, read_week
from tokensleuth.digest.outcomes import read_outcomes
from tokensleuth.digest.page import Page
from tokensleuth.digest.posting import Posted, post_audiences
from tokensleuth.digest.week import Week
from tokensleuth.slackapp.digest_message import slack_message
from tokensleuth.tuning.planning import calendar_in_force


def post_digests(app: App, casebook: Casebook, reader: Reader, week: Week, now: datetime) -> list[Posted]:
    """Keep and tell the digest of the organisation and of every team that has a route of its own.

    Call it as often as you like: a week is told to an audience once, ever. An empty ledger tells nothing.
    """
    refuse_open_week(week, now)
    if reader.extent() is None:
        return []
    book = read_book(app, casebook, reader, week, now, by_team=bool(app.settings.route))
    return post_audiences(casebook, book, audiences_of(app, book), message_of, now)


def message_of(page: Page, where: str) -> dict[str, object]:
    """For Slack, as it is kept until it is sent."""
    shown = slack_message(page, where)
    return {"text": shown.text, "blocks": shown.blocks}


def refuse_open_week(week: Week, now: datetime) -> None:
    """What is told once is told when the week is over."""
    if week.window.end_at > now:
        end = instant_text(week.window.end_at)
        raise RefusedError(f"{week} is not over before {end}; it is told once, so it is told after that")


def read_book(
    app: App, casebook: Casebook | None, reader: Reader, week: Week, now: datetime, *, by_team: bool
) -> WeekBook:
    """The week with what the settings say of budgets, the calendar and outcomes."""
    settings = app.settings
    path = settings.digest.outcomes
    calendar = settings.calendar
    if casebook is not None:
        calendar = calendar_in_force(casebook, calendar, now)
    given = Given(settings.budget, calendar, read_outcomes(path) if path else (), settings.credit_grant)
    return read_week(reader, casebook, week, given, now, by_team=by_team)


def audiences_of(app: App, book: WeekBook) -> tuple[Audience, ...]:
    """Letters are written only where Slack is configured; the casebook keeps the digest either way."""
    settings = app.settings
    slack = settings.slack
    everybody = organisation(settings.digest, slack.channel)
    if not slack.is_configured:
        return (Audience(None, ()),)
    teams = [team for team in book.teams() if team != UNALLOCATED]
    return (everybody, *told_teams(settings.digest, settings.route, teams))
