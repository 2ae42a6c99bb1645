"""What the casebook adds to a digest: incidents, decisions, what they saved, what is open and in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ledger.scope import Scope
from ledger.window import Window
from tokensleuth.casebook.audit import Anchor
from tokensleuth.casebook.quality import AlertQuality


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
