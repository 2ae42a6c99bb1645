"""What the casebook adds to a digest: incidents, decisions, what they saved, what is open and in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ledger.scope import Scope
from ledger.window import Window
from tokensleuth.casebook.audit import Anchor
from tokensleuth.casebook.quality import AlertQuality
from tokensleuth.people import is_told

ORDINARY = "normal_variation"


@dataclass(frozen=True, slots=True)
class MeasureFact:
    """What was proposed for an incident, what people said, and what came of it."""

    id: str
    action: str
    state: str
    decided_by: tuple[str, ...]
    reason: str | None
    rehearsed: bool
    verified: bool
    undone: bool
    watch: str | None
    """The state of the watch."""
    watched_hours: int
    saved_usd: Decimal | None
    """Realised in the watched hours, against the hours before; negative where it cost more."""
    hurts: bool


@dataclass(frozen=True, slots=True)
class IncidentFact:
    """An incident of the week as it stands."""

    id: str
    window: Window
    scope: Scope
    cause: str
    verdict: str
    delta_usd: Decimal
    feedback: str | None
    """What a person called it last."""
    measures: tuple[MeasureFact, ...]


@dataclass(frozen=True, slots=True)
class Incidents:
    """Those worth a person's time, largest first, and how many were not."""

    shown: tuple[IncidentFact, ...] = ()
    minor: int = 0
    minor_usd: Decimal = Decimal()
    measured: int = 0
    """Actions whose effect was measured."""
    saved_usd: Decimal = Decimal()
    """Realised by all of them."""

    @property
    def told(self) -> tuple[IncidentFact, ...]:
        """Those that turned out to be something."""
        return tuple(incident for incident in self.shown if incident.cause != ORDINARY)

    @property
    def ordinary(self) -> tuple[IncidentFact, ...]:
        return tuple(incident for incident in self.shown if incident.cause == ORDINARY)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal that waits for a decision."""

    id: str
    incident_id: str
    action: str
    target: Mapping[str, str]
    saving_usd_per_day: Decimal | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody has to decide about one incident: one of these ways, or none."""

    ways: Sequence[Waiting]
    """The largest saving first."""

    @property
    def worth_usd_per_day(self) -> Decimal:
        return max(self.ways[0].saving_usd_per_day or Decimal(), Decimal())


@dataclass(frozen=True, slots=True)
class TuningFact:
    """Something a person changed for a scope until a day."""

    id: str
    kind: str
    scope: Scope
    what: str
    """What is planned, or which changes are not told of."""
    until_at: datetime
    reason: str | None
    given_by: str


@dataclass(frozen=True, slots=True)
class NoticeFact:
    """Something open that is no change of spend."""

    kind: str
    title: str
    severity: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """All that one audience is told from the casebook; empty where there is none yet."""

    incidents: Incidents = Incidents()
    waiting: tuple[Waiting, ...] = ()
    alerts: AlertQuality | None = None
    """By what people said of the alerts of the last 4 weeks; the organisation's alone."""
    tunings: tuple[TuningFact, ...] = ()
    notices: tuple[NoticeFact, ...] = ()
    anchor: Anchor | None = None
    """The end of the audit trail."""

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The most worth comes first; what only tells somebody something is none."""
        found: dict[str, list[Waiting]] = {}
        for one in self.waiting:
            if not is_told(one.action):
                found.setdefault(one.incident_id, []).append(one)
        ways = [Decision(tuple(sorted(each, key=_by_saving))) for each in found.values()]
        return tuple(sorted(ways, key=lambda decision: _by_saving(decision.ways[0])))

    @property
    def worth_usd_per_day(self) -> Decimal:
        """If the way that saves most were taken everywhere."""
        return sum((decision.worth_usd_per_day for decision in self.decisions), Decimal())


def _by_saving(one: Waiting) -> tuple[Decimal, datetime, str]:
    return -(one.saving_usd_per_day or Decimal()), one.expires_at, one.id
