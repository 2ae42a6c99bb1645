"""The watch after an action: did usage return to what the playbook calls normal, did it hurt or save."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

import numpy as np

from agent.evidence import Evidence
from agent.look import look_closer
from agent.signals import signals_of
from ledger.errors import TokensleuthError
from ledger.money import PICO_PER_USD
from ledger.reader import Reader
from ledger.remembered import remembering
from ledger.scope import Dimension, Scope
from ledger.store import Ledger
from ledger.usage import Measures
from ledger.window import HOUR, Window, instant_text
from playbooks import Playbook
from playbooks.schema import Watch as Rule
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Entry, append_entry
from tokensleuth.casebook.executed import read_execution
from tokensleuth.casebook.telling import tell_incident
from tokensleuth.casebook.views import IncidentView, ProposalView, incident_of, read_view
from tokensleuth.casebook.watches import Watch, WatchState, due_watches, save_look
from tokensleuth.clock import utc_now

log = logging.getLogger(__name__)

LOOK_AGAIN = HOUR
MOST_BEFORE = timedelta(hours=24)
HARM = 0.05
"""So much more of the requests failing than before is told as harm."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Looks after executions whose next look is due."""

    casebook: Casebook
    ledger: Callable[[], AbstractContextManager[Ledger]]
    playbooks: Sequence[Playbook]
    clock: Callable[[], datetime] = utc_now

    def look(self) -> int:
        """Every look that is due; how many there were. A ledger that cannot be opened is tried again."""
        now = self.clock()
        with self.casebook.reading() as connection:
            due = due_watches(connection, now)
        if not due:
            return 0
        try:
            with self.ledger() as ledger:
                reader = remembering(ledger.reader)
                return sum(self._looked_at(watch, reader, now) for watch in due)
        except TokensleuthError:
            return 0

    def _looked_at(self, watch: Watch, reader: Reader, now: datetime) -> bool:
        """One that cannot be looked at does not keep the others from it."""
        try:
            return self._look_at(watch, reader, now)
        except TokensleuthError as error:
            log.warning("watch of %s: %s", watch.execution_id, error)
            return False

    def _look_at(self, watch: Watch, reader: Reader, now: datetime) -> bool:
        with self.casebook.reading() as connection:
            execution = read_execution(connection, watch.execution_id)
            incident_id = incident_of(connection, execution.proposal_id) if execution else None
            view = read_view(connection, incident_id, now=now) if incident_id else None
        if execution is None or view is None:
            return False
        proposal = next((p for p in view.proposals if p.id == execution.proposal_id), None)
        seen = seen_after(reader, watch, view, proposal, self._rule(watch, view), seen_at=now)
        state = _state(watch, seen, now)
        self._keep(watch, view.id, state, seen, now)
        return True

    def _rule(self, watch: Watch, view: IncidentView) -> Rule | None:
        """When the playbook of the culprit that was acted on calls it over."""
        scope = _scope(watch.plan["scope"])
        for culprit in cast(Sequence[Mapping[str, object]], view.incident["culprits"]):
            theirs = _scope(culprit["scope"])
            if theirs.contains(scope) or scope.contains(theirs):
                named = str(culprit.get("playbook") or culprit["cause"])
                return next((p.verify_when for p in self.playbooks if p.name == named), None)
        return None

    def _keep(
        self, watch: Watch, incident_id: str, state: WatchState, seen: Mapping[str, object], now: datetime
    ) -> None:
        """What changed is told on the incident's thread: that it returned, that it hurts, how it ended."""
        before = watch.result or {}
        turned = any(seen.get(name) and not before.get(name) for name in ("returned", "hurts"))
        news = turned or state != watch.state
        with self.casebook.writing() as connection:
            kept = save_look(connection, watch, state=state, result=seen, due_at=now + LOOK_AGAIN, now=now)
            if kept and news:
                document = {"incident_id": incident_id, "state": state, **seen}
                entry = Entry("service:watch", f"watch {state}", watch.execution_id, document, now)
                append_entry(connection, entry, self.casebook.key)
                tell_incident(connection, incident_id, "watched", {"execution_id": watch.execution_id}, now)


def seen_after(
    reader: Reader,
    watch: Watch,
    view: IncidentView,
    proposal: ProposalView | None,
    rule: Rule | None,
    *,
    seen_at: datetime,
) -> dict[str, object]:
    """What the whole hours since the action show against those before it.

    `hours` seen; `usd_per_hour_before` (the last day before the action, its same hours of the day where it
    has them) and `usd_per_hour_after`; `saved_usd_per_day`: what is not spent any more, also because it was
    refused, and `predicted_usd_per_day`; `failed_share_before` and `failed_share_after`, None as the requests
    where the source counts none; `fact`, its `value` and `returned` by the playbook; `hurts`.
    """
    scope, after = _scope(watch.plan["scope"]), _hours_after(reader, watch, seen_at)
    if after is None:
        return {"hours": 0}
    before = _hours_before(watch, view)
    then, now = _totals(reader, before, scope), _totals(reader, after, scope)
    usd_before = _usd_per_hour_like(reader, before, after, scope)
    usd_after = _usd_per_hour(now, after)
    failed_before, failed_after = _failed_share(then), _failed_share(now)
    predicted = proposal.document["expected_saving_usd_per_day"] if proposal else None
    return {
        "hours": after.hours,
        "until_at": instant_text(after.end_at),
        "usd_per_hour_before": round(usd_before, 4),
        "usd_per_hour_after": round(usd_after, 4),
        "saved_usd_per_day": f"{24 * (usd_before - usd_after):.2f}",
        "predicted_usd_per_day": predicted,
        "requests_per_hour_before": _requests_per_hour(then, before),
        "requests_per_hour_after": _requests_per_hour(now, after),
        "failed_share_before": None if failed_before is None else round(failed_before, 4),
        "failed_share_after": None if failed_after is None else round(failed_after, 4),
        "hurts": failed_before is not None
        and failed_after is not None
        and failed_after - failed_before > HARM,
        **_judged(reader, after, scope, rule),
    }


def _judged(reader: Reader, after: Window, scope: Scope, rule: Rule | None) -> dict[str, object]:
    """The playbook's rule over its last hours; nothing where it has none or too few hours have passed."""
    if rule is None or after.hours < rule.hours:
        return {}
    last = Window(after.end_at - rule.hours * HOUR, after.end_at)
    evidence: list[Evidence] = list(look_closer(reader, last, scope))
    found = signals_of(evidence, scope).get(rule.fact)
    if found is None:
        return {"fact": rule.fact, "value": None}
    return {"fact": rule.fact, "value": round(found.value, 4), "returned": holds(rule, found.value)}


def _state(watch: Watch, seen: Mapping[str, object], now: datetime) -> WatchState:
    """Watched to the end of its time, for what helps at first may hurt or stop helping later."""
    if now < watch.until_at:
        return "watching"
    if not seen["hours"]:
        return "no_data"
    return "returned" if seen.get("returned") is True else "not_returned"


def holds(rule: Rule, value: float) -> bool:
    """Whether the value is on the side of the rule that means `over`."""
    return value >= rule.value if rule.op == "at_least" else value <= rule.value


def _hours_after(reader: Reader, watch: Watch, now: datetime) -> Window | None:
    """Whole hours that began after the action, are over, and whose usage is in."""
    start, known = _hour_of_action(watch) + HOUR, _known_until(reader, _scope(watch.plan["scope"]))
    end = min(known, _hour_of(now), _hour_of(watch.until_at)) if known else start
    return Window(start, end) if end > start else None


def _known_until(reader: Reader, scope: Scope) -> datetime | None:
    """To where usage of all the scope's providers has come in: the silence of a late source saves nothing."""
    theirs = reader.first_seen("provider", where=scope)
    everywhere = reader.first_seen("provider")
    return min((everywhere[provider].end_at for provider in theirs), default=None)


def _usd_per_hour_like(reader: Reader, before: Window, after: Window, scope: Scope) -> float:
    """Of the hours before at the same times of the day as those after; of all where there are none."""
    usd = reader.hourly(before, where=scope).values.sum(axis=0)
    times = {hour.hour for hour in after.each_hour()}
    alike = np.array([hour.hour in times for hour in before.each_hour()])
    return float(usd[alike].mean() if alike.any() else usd.mean())


def _hours_before(watch: Watch, view: IncidentView) -> Window:
    """The last day before the action, of the incident only: what ended by itself was saved by nobody.

    The incident may go on after the action, and it may have ended long before.
    """
    end = _hour_of_action(watch)
    began = _hour_of(datetime.fromisoformat(str(view.incident["start_at"])))
    return Window(min(max(began, end - MOST_BEFORE), end - HOUR), end)


def _hour_of_action(watch: Watch) -> datetime:
    return _hour_of(datetime.fromisoformat(str(watch.plan["done_at"])))


def _hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _totals(reader: Reader, window: Window, scope: Scope) -> Measures:
    return next(iter(reader.totals([window], where=scope).values()), Measures())


def _usd_per_hour(measures: Measures, window: Window) -> float:
    return measures.cost_pico / PICO_PER_USD / window.hours


def _requests_per_hour(measures: Measures, window: Window) -> float | None:
    """None where the source counts no requests."""
    return round(measures.requests / window.hours, 2) if measures.requests_known else None


def _failed_share(measures: Measures) -> float | None:
    """Of the requests; None where the source counts none, 0 where there were none."""
    if not measures.requests_known:
        return None
    return measures.failed_requests / measures.requests if measures.requests else 0.0


def _scope(stored: object) -> Scope:
    return Scope.of(cast(dict[Dimension, str], stored))
