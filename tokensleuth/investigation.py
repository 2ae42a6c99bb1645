"""Investigates a range: detection, one investigation per incident, everything into the casebook."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from agent.finding import Finding
from agent.investigation import Deps, Investigation, Subject, investigate_incident
from agent.state import LeftOut
from detectors.incidents import Incident
from detectors.scored import ScoredSeries
from ledger.money import PICO_PER_USD, usd_from_pico
from ledger.reader import Reader
from ledger.scope import Scope
from ledger.window import Window
from tokensleuth.announcing.continuing import Found, known_incidents
from tokensleuth.app import App
from tokensleuth.casebook.records import range_incident_id
from tokensleuth.checkpoints import open_checkpoints
from tokensleuth.clock import seconds_since, stopwatch
from tokensleuth.detection import detect_range
from tokensleuth.detection_document import spike_json
from tokensleuth.filing import Filing
from tokensleuth.investigator import investigator
from tokensleuth.materiality import is_material, material_usd
from tokensleuth.ranges import covered_range
from tokensleuth.timeline import Timeline, timeline
from tokensleuth.unpriced import Unpriced, unpriced_usage

if TYPE_CHECKING:
    # At run time `agent` must be imported before langgraph: it sets how checkpoints are read.
    from langgraph.checkpoint.base import BaseCheckpointSaver

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What there is to investigate in a range."""

    window: Window
    """The part of the range the ledger covers."""
    subjects: tuple[Subject, ...]
    """At least one: the range itself where nothing was detected."""
    detected: int
    """Incidents the detectors found; 0 when the range itself is explained."""
    material_usd: Decimal
    unpriced: Unpriced
    scored: ScoredSeries | None = None
    """None where no detector ran."""
    found: tuple[Found, ...] = ()
    """Of each subject, in their order, what the detectors found; empty where the range is explained."""


@dataclass(frozen=True, slots=True)
class Investigated:
    """One incident with everything there is to show of it."""

    investigation: Investigation
    seconds: float
    timeline: Timeline

    def as_json(self) -> dict[str, object]:
        return dict(self.investigation.as_json(seconds=round(self.seconds, 3)))


@dataclass(frozen=True, slots=True)
class InvestigatedRange:
    """The covered part of the range and what was found in it, by time."""

    window: Window
    detected: int
    """Incidents the detectors found; 0 when the range itself was explained."""
    incidents: tuple[Investigated, ...]
    material_usd: Decimal
    """The least change of an incident that is not minor."""
    unpriced: Unpriced = field(default_factory=Unpriced)

    def is_minor(self, incident: Investigated) -> bool:
        """Small beside an average day; the range asked about as a whole never is."""
        delta_usd = incident.investigation.finding.delta_usd
        return bool(self.detected) and not is_material(delta_usd, self.material_usd)

    def as_json(self) -> dict[str, object]:
        return {
            "range": self.window.as_json(),
            "detected": self.detected,
            "material_usd": str(self.material_usd),
            "incidents": [
                {**incident.as_json(), "material": not self.is_minor(incident)} for incident in self.incidents
            ],
            "unpriced_tokens": self.unpriced.tokens,
            "unpriced_models": list(self.unpriced.models),
            "unpriced_spikes": [spike_json(spike) for spike in self.unpriced.spikes],
        }


def investigate_range(
    app: App,
    reader: Reader,
    window: Window,
    *,
    where: Scope,
    explain: bool,
    now: datetime,
    progress: Progress,
    requested_by: str = "service:local",
) -> InvestigatedRange:
    """Find and explain the incidents of the range, or with `explain` (or none found) the range as a whole.

    Who asked for it, a person's name or an identity, cannot approve what it proposes.
    """
    asked = find_subjects(app, reader, window, where=where, explain=explain, progress=progress)
    return investigate_subjects(app, reader, asked, now=now, progress=progress, requested_by=requested_by)


def find_subjects(
    app: App, reader: Reader, window: Window, *, where: Scope, explain: bool, progress: Progress
) -> Asked:
    """What there is to investigate in the range; with `explain`, or where nothing is found, the range."""
    covered = covered_range(reader, window, where)
    least_usd = material_usd(reader, covered, app.settings.reports.material_share, where)
    whole = _whole_range(covered, where)
    if explain:
        return Asked(covered, (whole,), 0, least_usd, unpriced_usage(reader, covered, where))
    found = detect_range(
        reader,
        window,
        app.settings.detection,
        where=where,
        baselines=app.accepted_baselines(),
        progress=lambda done, total: progress(done, total, "scoring"),
    )
    subjects = tuple(subject_of(incident) for incident in found.detection.incidents)
    scored = found.detection.scores
    seen = tuple(Found(i.scope, i.window, i.direction) for i in found.detection.incidents)
    return Asked(covered, subjects or (whole,), len(subjects), least_usd, found.unpriced, scored, seen)


def investigate_subjects(
    app: App,
    reader: Reader,
    asked: Asked,
    *,
    now: datetime,
    progress: Progress,
    requested_by: str = "service:local",
) -> InvestigatedRange:
    """Investigate one after the other; each is saved in the casebook as soon as it is done.

    About what is not material no model is asked and no gateway is to act: it is not worth either.
    """
    done: list[Investigated] = []
    with app.casebook() as casebook, open_checkpoints(app.settings.store.checkpoints) as checkpointer:
        deps = investigator(app, reader, casebook, now)
        filing = Filing(reader, now, requested_by, asked.material_usd, not app.settings.actions.dry_run)
        small = replace(deps, llm=None, policy=replace(deps.policy, may_act=False))
        known = known_incidents(casebook, asked.found)
        for number, detected in enumerate(asked.subjects):
            # One that goes on keeps its id, so that it is told of and decided on once.
            subject = detected.model_copy(update={"incident_id": known.get(number, detected.incident_id)})
            progress(number, len(asked.subjects), "investigating")
            minor = bool(asked.detected) and not is_material(subject_usd(reader, subject), asked.material_usd)
            done.append(_investigate(subject, small if minor else deps, checkpointer, asked.scored))
            last = done[-1]
            casebook.save(
                filing.record(last.investigation, last.timeline, seconds=last.seconds, material=not minor)
            )
            deps = without_silent_model(deps, done[-1].investigation.finding)
    return InvestigatedRange(asked.window, asked.detected, tuple(done), asked.material_usd, asked.unpriced)


def without_silent_model(deps: Deps, finding: Finding) -> Deps:
    """After a model that answered nothing at all the others are not kept waiting for it."""
    if deps.llm is None or finding.model is None or finding.spent.model_calls or not finding.degraded_because:
        return deps
    why = f"not asked after it gave no answer just before: {finding.degraded_because[-1]}"
    return replace(deps, llm=None, model_left_out=LeftOut(finding.model, why))


def subject_usd(reader: Reader, subject: Subject) -> Decimal:
    """By how much the subject's cost is off its expectation, before anything else is known."""
    totals = reader.totals([subject.window], where=subject.scope)
    actual = sum(measures.cost_pico for measures in totals.values())
    return usd_from_pico(actual - (subject.expected_pico or 0))


def _investigate(
    subject: Subject, deps: Deps, checkpointer: "BaseCheckpointSaver[str]", scored: ScoredSeries | None
) -> Investigated:
    started = stopwatch()
    investigation = investigate_incident(subject, deps, checkpointer)
    seconds = seconds_since(started)
    return Investigated(investigation, seconds, timeline(deps.reader, subject.scope, subject.window, scored))


def subject_of(incident: Incident) -> Subject:
    return Subject(
        incident_id=incident.id,
        window=incident.window,
        scope=incident.scope,
        expected_pico=round(incident.expected_usd * PICO_PER_USD),
    )


def _whole_range(window: Window, where: Scope) -> Subject:
    return Subject(incident_id=range_incident_id(where, window), window=window, scope=where, explain=True)
