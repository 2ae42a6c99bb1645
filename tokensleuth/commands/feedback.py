"""`tokensleuth feedback`: what people say of an incident."""

from datetime import timedelta
from typing import cast

from rich.text import Text

from ledger.errors import RefusedError
from tokensleuth.app import App
from tokensleuth.authority import local_user, people_of
from tokensleuth.casebook.feedback import FeedbackVerdict
from tokensleuth.casebook.saying import say
from tokensleuth.clock import utc_now
from tokensleuth.output import Outcome


def run(app: App, incident_id: str, verdict: FeedbackVerdict, *, days: int) -> Outcome:
    """Keep it; `expected` also keeps the incident's scope quiet for so many days."""
    by, now = people_of(app.settings).person(local_user()), utc_now()
    with app.casebook() as casebook:
        given = say(casebook, incident_id, verdict, by, now, quiet_for=timedelta(days=days))
    if given is None:
        raise RefusedError(f"no incident `{incident_id}` in the casebook; see: tokensleuth incidents")
    quiet = f"; not alerted of until {given.until_at:%Y-%m-%d %H:%M} UTC" if given.until_at else ""
    scope = ", ".join(f"{d}={v}" for d, v in cast(dict[str, str], given.scope).items()) or "everything"
    return Outcome(given.as_json(), [Text(f"{incident_id} ({scope}) is {verdict}{quiet}.")])
