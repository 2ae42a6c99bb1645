"""Which of the incidents found now are worth another investigation: new ones, and those that changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.investigation import Subject
from detectors.incidents import Incident
from ledger.reader import Reader
from ledger.scope import EVERYTHING
from tokensleuth.announcing.continuing import Found, known_incidents
from tokensleuth.announcing.kept_quiet import quiet_below_thresholds
from tokensleuth.app import App
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.records import JsonObject
from tokensleuth.investigation import Asked, subject_of
from tokensleuth.live import LiveDetection
from tokensleuth.materiality import material_usd
from tokensleuth.unpriced import unpriced_usage

_LASTS = timedelta(hours=6)
_CHANGED = 0.25
"""Of what was told: an incident that goes on is looked at again when it has grown or shrunk by so much."""


@dataclass(frozen=True, slots=True)
class _Known:
    """An incident as it was last investigated."""

    end_at: datetime
    delta_usd: float

    @classmethod
    def of(cls, incident: JsonObject) -> "_Known":
        return cls(datetime.fromisoformat(str(incident["end_at"])), float(str(incident["delta_usd"])))


def asked_of(app: App, reader: Reader, casebook: Casebook, live: LiveDetection, until: datetime) -> Asked:
    """What to investigate of the last hours, what costs most first; `subjects` may be empty.

    Each has the id it has in the casebook, where it goes on: found among all incidents, not among the chosen.
    """
    seen = tuple(Found(i.scope, i.window, i.direction) for i in live.incidents)
    ids = known_incidents(casebook, seen)
    known, woken = _known(casebook, ids, until), _woken(casebook, ids, live, until)
    news = [n for n, i in enumerate(live.incidents) if n in woken or _is_news(i, known.get(n), until)]
    chosen = sorted(news, key=lambda n: -abs(live.incidents[n].excess_usd))
    window = live.window
    return Asked(
        window=window,
        subjects=tuple(_subject(live.incidents[n], ids.get(n)) for n in chosen),
        detected=len(chosen),
        material_usd=material_usd(reader, window, app.settings.reports.material_share),
        unpriced=unpriced_usage(reader, window, EVERYTHING),
        scored=live.scored,
    )


def _subject(incident: Incident, known_id: str | None) -> Subject:
    subject = subject_of(incident)
    return subject.model_copy(update={"incident_id": known_id}) if known_id else subject


def _known(casebook: Casebook, ids: Mapping[int, str], until: datetime) -> Mapping[int, _Known]:
    found = {number: casebook.incident(incident_id, now=until) for number, incident_id in ids.items()}
    return {number: _Known.of(incident) for number, incident in found.items() if incident is not None}


def _woken(
    casebook: Casebook, ids: Mapping[int, str], live: LiveDetection, until: datetime
) -> frozenset[int]:
    """Those that a threshold kept quiet which is gone by now, and that go on."""
    with casebook.reading() as connection:
        quiet = quiet_below_thresholds(connection, until)
    lasting = {n for n, i in enumerate(live.incidents) if i.window.end_at > until - _LASTS}
    return frozenset(n for n, known in ids.items() if known in quiet and n in lasting and _opens(live, n))


def _opens(live: LiveDetection, number: int) -> bool:
    """Whether people would be alerted of it by the thresholds of now."""
    return live.incidents[number] in live.opened


def _is_news(incident: Incident, known: _Known | None, until: datetime) -> bool:
    """Asked of every hour again, an incident would cost as much as it saves, so only steps are looked at."""
    if known is None:
        return True
    if incident.window.end_at > known.end_at and incident.window.end_at < until:
        return True  # it is over, and its last hours were never looked at
    return abs(incident.excess_usd - known.delta_usd) > _CHANGED * abs(known.delta_usd)
