"""`tokensleuth simulate`: what other settings of detection would have found; saves nothing."""

from collections.abc import Sequence
from pathlib import Path

from ledger.scope import Scope
from ledger.window import parse_range
from tokensleuth.app import App
from tokensleuth.backtest import Question, compare_settings
from tokensleuth.backtest_document import backtest_document
from tokensleuth.clock import seconds_since, stopwatch, utc_now
from tokensleuth.labels import read_labels
from tokensleuth.output import Outcome, ProgressBar
from tokensleuth.setting_changes import changed_detection
from tokensleuth.terminal import simulation_summary


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
    document = backtest_document(backtest, seconds=seconds_since(started))
    return Outcome(document, [simulation_summary(document)])
