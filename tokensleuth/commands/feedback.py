"""`tokensleuth feedback`: what people say of an incident."""

from datetime import timedelta
from typing import cast

from rich.text import Text

from ledger.errors import RefusedError
from tokensleuth.app import App
from tokensleuth.authority import local_user, people_of
from tokensleuth.casebook.feedback import FeedbackVerdict
from tokensleuth.clock import utc_now
from tokensleuth.output import Outcome
from tokensleuth.tuning.judging import Judgement, judge


def run(app: App, incident_id: str, verdict: FeedbackVerdict, *, days: int) -> Outcome:
    """Keep it; `expected` also keeps the incident's scope quiet for so many days, see `tuning.judging`."""
    said = Judgement(incident_id, verdict, local_user(), timedelta(days=days))
    with app.casebook() as casebook:
        judged = judge(casebook, said, people_of(app.settings), utc_now())
    if judged is None:
        raise RefusedError(f"no incident `{incident_id}` in the casebook; see: tokensleuth incidents")
    given = judged.given
    quiet = f"; not alerted of until {given.until_at:%Y-%m-%d %H:%M} UTC" if given.until_at else ""
    scope = ", ".join(f"{d}={v}" for d, v in cast(dict[str, str], given.scope).items()) or "everything"
    changed = f" {judged.told}." if judged.told else ""
    return Outcome(judged.as_json(), [Text(f"{incident_id} ({scope}) is {verdict}{quiet}.{changed}")])
