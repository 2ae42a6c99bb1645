"""What other settings of detection would have found: two runs over one range, compared by incident."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from detectors.accepted import Baseline
from detectors.incidents import Incident
from detectors.settings import DetectorSettings
from ledger.reader import Reader
from ledger.scope import DIMENSIONS, Dimension, Scope
from ledger.window import WEEK_HOURS, Window
from tokensleuth.detection import LEAF, RangeDetection, detect_range
from tokensleuth.labels import Label, LabelScore, score_by_labels
from tokensleuth.matching import Matching, SharedSpend, match_incidents


@dataclass(frozen=True, slots=True)
class Run:
    """What one set of settings found."""

    settings: DetectorSettings
    found: RangeDetection

    @property
    def incidents(self) -> tuple[Incident, ...]:
        return self.found.detection.incidents

    @property
    def incidents_per_week(self) -> float:
        return len(self.incidents) * WEEK_HOURS / self.found.window.hours


@dataclass(frozen=True, slots=True)
class Labelled:
    """How both runs fare by the labels that touch the window and the scope asked about."""

    labels: tuple[Label, ...]
    before: LabelScore
    after: LabelScore


@dataclass(frozen=True, slots=True)
class Backtest:
    """Both runs, and which incidents are in both."""

    window: Window
    """The part of the range the ledger has usage for."""
    before: Run
    after: Run
    matching: Matching
    labelled: Labelled | None


@dataclass(frozen=True, slots=True)
class Question:
    """Which incidents are compared."""

    window: Window
    where: Scope
    baselines: tuple[Baseline, ...] = ()
    labels: tuple[Label, ...] | None = None
    """None where nothing is labelled."""


def compare_settings(
    reader: Reader,
    question: Question,
    present: DetectorSettings,
    changed: DetectorSettings,
    *,
    progress: Callable[[int, int, str], None],
) -> Backtest:
    """Detect with the present and with the changed settings; reads only."""

    def detected(settings: DetectorSettings, what: str) -> RangeDetection:
        return detect_range(
            reader,
            question.window,
            settings,
            where=question.where,
            baselines=question.baselines,
            progress=lambda done, total: progress(done, total, what),
        )

    before = Run(present, detected(present, "scoring with the present settings"))
    after = Run(changed, detected(changed, "scoring with the changed settings"))
    window = before.found.window
    shared = _shared_spend(reader, window, question, [*before.incidents, *after.incidents])
    return Backtest(
        window=window,
        before=before,
        after=after,
        matching=match_incidents(before.incidents, after.incidents, shared),
        labelled=_labelled(question, before, after, shared),
    )


def _shared_spend(
    reader: Reader, window: Window, question: Question, incidents: Iterable[Incident]
) -> SharedSpend:
    """The usage of the window by every dimension that a scope in question pins."""
    scopes = [*(i.scope for i in incidents), *(label.scope for label in question.labels or ())]
    used: set[Dimension] = {*LEAF, *(dimension for scope in scopes for dimension in scope.dimensions)}
    totals = reader.totals([window], by=[d for d in DIMENSIONS if d in used], where=question.where)
    return SharedSpend(tuple(question.where.narrowed_to(scope) for scope in totals))


def _labelled(question: Question, before: Run, after: Run, shared: SharedSpend) -> Labelled | None:
    if question.labels is None:
        return None
    window = before.found.window
    labels = tuple(
        label
        for label in question.labels
        if label.window.overlap(window) and shared.of(label.scope, question.where)
    )
    scores = [score_by_labels(run.incidents, labels, shared) for run in (before, after)]
    return Labelled(labels, *scores)
