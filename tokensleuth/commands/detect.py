"""`tokensleuth detect`: spikes and incidents of a range; saves nothing."""

from collections.abc import Sequence

from ledger.scope import Scope
from tokensleuth.app import App
from tokensleuth.clock import seconds_since, stopwatch, utc_now
from tokensleuth.detection import detect_range
from tokensleuth.detection_document import detection_document
from tokensleuth.output import Outcome, ProgressBar
from tokensleuth.ranges import asked_range
from tokensleuth.terminal import detection_summary


def run(
    app: App, time_range: str | None, *, where: Sequence[str], with_scores: bool, progress: ProgressBar
) -> Outcome:
    """Detect over the covered part of the range."""
    started = stopwatch()
    with app.ledger() as ledger:
        found = detect_range(
            ledger.reader,
            asked_range(ledger.reader, time_range, now=utc_now()),
            app.settings.detection,
            where=Scope.parse(where),
            baselines=app.accepted_baselines(),
            progress=lambda done, total: progress.update(done, total, "scoring"),
        )
    document = detection_document(found, seconds=seconds_since(started), with_scores=with_scores)
    return Outcome(document, [detection_summary(document)])
