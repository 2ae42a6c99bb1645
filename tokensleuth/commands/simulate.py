"""`tokensleuth simulate`: what other settings or a raised threshold would have found; saves nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from detectors.incidents import Direction
from ledger.errors import RefusedError
from ledger.scope import Scope
from ledger.window import Window, parse_range
from tokensleuth.announcing.quieting import height_of_document
from tokensleuth.app import App
from tokensleuth.backtest import Question, compare_settings
from tokensleuth.backtest_document import backtest_document
from tokensleuth.casebook.feedback import last_words
from tokensleuth.casebook.opening import is_there
from tokensleuth.clock import seconds_since, stopwatch, utc_now
from tokensleuth.commands.tuning import parse_usd
from tokensleuth.detection import detect_range
from tokensleuth.labels import read_labels
from tokensleuth.output import Outcome, ProgressBar
from tokensleuth.ranges import covered_range
from tokensleuth.setting_changes import changed_detection
from tokensleuth.terminal import simulation_summary
from tokensleuth.terminal.tunings import threshold_summary
from tokensleuth.threshold_backtest import Said, backtest_threshold, threshold_document
from tokensleuth.thresholds import Threshold

_OF_A_THRESHOLD = ("threshold", "lost_said_real")


@dataclass(frozen=True, slots=True)
class Asked:
    """What either simulation is asked about."""

    time_range: str
    changes: tuple[str, ...]
    labels: Path | None
    where: tuple[str, ...]


def run_asked(
    app: App,
    asked: Asked,
    min_usd: str | None,
    min_score: float | None,
    direction: Direction,
    *,
    progress: ProgressBar,
) -> Outcome:
    """Other settings, or a raised threshold; raises RefusedError for both at once, and for neither."""
    raised = min_usd is not None or min_score is not None
    if raised == bool(asked.changes):
        raise RefusedError("give either --setting, or --min-usd or --min-score for the scope in --where")
    if not raised:
        return run(
            app,
            asked.time_range,
            changes=asked.changes,
            labels=asked.labels,
            where=asked.where,
            progress=progress,
        )
    if asked.labels is not None:
        raise RefusedError("--labels go with --setting; a threshold is told with what people said")
    usd = None if min_usd is None else parse_usd(min_usd)
    window = parse_range(asked.time_range, now=utc_now())
    threshold = Threshold("simulated", Scope.parse(asked.where), window, direction, usd, min_score)
    return run_threshold(app, threshold, progress=progress)


def run(
    app: App,
    time_range: str,
    *,
    changes: Sequence[str],
    labels: Path | None,
    where: Sequence[str],
    progress: ProgressBar,
) -> Outcome:
    """Detect twice over the covered part of the range, and compare."""
    started = stopwatch()
    present = app.settings.detection
    changed = changed_detection(present, changes)
    question = Question(
        window=parse_range(time_range, now=utc_now()),
        where=Scope.parse(where),
        baselines=app.accepted_baselines(),
        labels=read_labels(labels) if labels else None,
    )
    with app.ledger() as ledger:
        backtest = compare_settings(ledger.reader, question, present, changed, progress=progress.update)
    document = backtest_document(backtest, seconds=seconds_since(started)) | dict.fromkeys(_OF_A_THRESHOLD)
    return Outcome(document, [simulation_summary(document)])


def run_threshold(app: App, threshold: Threshold, *, progress: ProgressBar) -> Outcome:
    """Detect once, over all spend as the service does, and tell what the threshold would keep quiet."""
    started, window = stopwatch(), threshold.window
    with app.ledger() as ledger:
        covered_range(ledger.reader, window, threshold.scope)
        found = detect_range(
            ledger.reader,
            window,
            app.settings.detection,
            baselines=app.accepted_baselines(),
            progress=lambda done, total: progress.update(done, total, "scoring"),
        )
    backtest = backtest_threshold(found, threshold, app.settings.detection)
    document = threshold_document(backtest, threshold, _said(app, window), seconds=seconds_since(started))
    return Outcome(document, [threshold_summary(document)])


def _said(app: App, window: Window) -> list[Said]:
    """What people said of the incidents of the range."""
    if not is_there(app.settings.store.casebook_url):
        return []
    with app.casebook() as casebook:
        found = casebook.incidents(now=utc_now(), within=window)
        with casebook.reading() as connection:
            words = last_words(connection, [str(incident["id"]) for incident in found])
    return [Said(height_of_document(i), words[str(i["id"])]) for i in found if str(i["id"]) in words]
