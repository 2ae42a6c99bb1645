"""Announces incidents: each is told of once, in a message of its own or in the storm of its hour."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import Connection

from tokensleuth.announcing.batch import Alert, Batch, Outcome
from tokensleuth.announcing.hour import Hour
from tokensleuth.announcing.quiet_hours import quiet_until
from tokensleuth.announcing.routing import destinations
from tokensleuth.announcing.severity import Usual, importance, is_alerted, severity
from tokensleuth.casebook import Casebook, JsonObject
from tokensleuth.casebook.marks import marks_in_force
from tokensleuth.casebook.store import read_incident
from tokensleuth.casebook.tunings import thresholds_in_force
from tokensleuth.settings_acts import Route, SlackSettings

_AT_ONCE = 25
"""Incidents in one transaction: others wait for the lock, among them clicks that must be answered in 3 s."""


@dataclass(frozen=True, slots=True)
class AlertRules:
    """What the operator wants to be told, and what incidents are measured by."""

    slack: SlackSettings
    routes: tuple[Route, ...]
    usual: Usual


@dataclass(frozen=True, slots=True)
class Announced:
    """Incident ids by what became of them, the most important first."""

    own: tuple[str, ...] = ()
    """Told of in messages of their own, be it at the end of the quiet hours."""
    gathered: tuple[str, ...] = ()
    """Told of in a storm."""
    kept_quiet: tuple[str, ...] = ()
    """Marked as expected, below a raised threshold, or not worth an alert: in the lists and the digest."""
    renewed: tuple[str, ...] = ()
    """Told of before."""


def announce(casebook: Casebook, incident_ids: Sequence[str], rules: AlertRules, now: datetime) -> Announced:
    """Put letters of the incidents in the outbox; what is told of already is renewed, so it can be repeated.

    A kill in the middle leaves whole batches: the rest is told of when it is announced again. Without Slack
    nothing is queued. Raises ValueError for an id that is not in the casebook, before anything is written.
    """
    if rules.slack.channel is None or not rules.slack.is_configured:
        return Announced()
    done: dict[Outcome, list[str]] = {"own": [], "gathered": [], "kept_quiet": [], "renewed": []}
    alerts = iter(_by_importance(casebook, incident_ids, rules, rules.slack.channel, now))
    while batch := list(islice(alerts, _AT_ONCE)):
        for alert, outcome in _tell(casebook, batch, rules.slack.alerts_per_hour, now):
            done[outcome].append(alert.id)
    return Announced(**{outcome: tuple(ids) for outcome, ids in done.items()})


def _tell(
    casebook: Casebook, alerts: Sequence[Alert], limit: int, now: datetime
) -> Sequence[tuple[Alert, Outcome]]:
    """All of them or, after a kill, none."""
    with casebook.writing() as connection:
        hour = Hour.read(connection, limit, now)
        marks, thresholds = marks_in_force(connection, now), thresholds_in_force(connection, now)
        batch = Batch(connection, casebook.key, hour, marks, thresholds)
        told = [(alert, batch.tell(alert)) for alert in alerts]
        hour.renew_storms()
    return told


def _by_importance(
    casebook: Casebook, incident_ids: Sequence[str], rules: AlertRules, default: str, now: datetime
) -> Sequence[Alert]:
    with casebook.reading() as connection:
        incidents = list(_read(connection, dict.fromkeys(incident_ids), now))
    alerts = [_alert(incident, rules, default, now) for incident in incidents]
    return sorted(alerts, key=lambda alert: importance(alert.incident, alert.urgency))


def _read(connection: Connection, incident_ids: dict[str, None], now: datetime) -> Iterator[JsonObject]:
    for incident_id in incident_ids:
        incident = read_incident(connection, incident_id, now=now)
        if incident is None:
            raise ValueError(f"no incident {incident_id} is in the casebook; save it before announcing it")
        yield incident


def _alert(incident: JsonObject, rules: AlertRules, default: str, now: datetime) -> Alert:
    urgency, slack = severity(incident, rules.usual), rules.slack
    quiet_end = quiet_until(now, slack.quiet_hours, slack.zone) if urgency == "low" else None
    return Alert(
        incident=incident,
        urgency=urgency,
        to=destinations(incident, rules.routes, default, urgency),
        default=default,
        worth_it=is_alerted(incident),
        due_at=quiet_end or now,
    )
