"""A noisy key in the casebook, one incident a day, and people who say what they are."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from ledger.window import instant_text
from tests.announcing_runs import announced
from tests.decision_builders import people, unix
from tests.incident_documents import NOW, START, incident_document, save_incidents
from tokensleuth.announcing import Announced
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.feedback import FeedbackVerdict
from tokensleuth.casebook.tunings import Tuning, tunings_in_force
from tokensleuth.people import Identity
from tokensleuth.tuning.judging import Judged, Judgement, judge

DAY = timedelta(days=1)
NOISY: Mapping[str, str] = {"team": "search", "key_id": "k1"}
ALICE = unix("alice")


def happens(casebook: Casebook, usd: str, *, day: float = 0, **changed: object) -> str:
    """An incident of six hours on the noisy key, so many days after the first; gives its id."""
    start_at = START + day * DAY
    incident_id = f"inc_{day:g}_{usd}"
    times = {"start_at": instant_text(start_at), "end_at": instant_text(start_at + timedelta(hours=6))}
    known: dict[str, object] = {"scope": dict(NOISY), "delta_usd": usd}
    document = incident_document(incident_id, **(times | known | changed))
    save_incidents(casebook, document, at=when(day))
    return incident_id


def when(day: float) -> datetime:
    return NOW + day * DAY


def fires(casebook: Casebook, incident_id: str, *, day: float) -> bool:
    """Whether people are alerted of it."""
    done: Announced = announced(casebook, incident_id, at=when(day))
    return incident_id in done.own


def said(
    casebook: Casebook, incident_id: str, verdict: FeedbackVerdict, *, day: float = 0, by: Identity = ALICE
) -> Judged:
    judged = judge(casebook, Judgement(incident_id, verdict, by), people(), when(day))
    assert judged is not None
    return judged


def in_force(casebook: Casebook, *, day: float = 0) -> list[Tuning]:
    with casebook.reading() as connection:
        return list(tunings_in_force(connection, when(day)))
