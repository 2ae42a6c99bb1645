"""`tokensleuth detect`: spikes and incidents of a range; saves nothing."""

from collections.abc import Sequence

from ledger.scope import Scope
from ledger.window import parse_range
from tokensleuth.app import App
from tokensleuth.clock import seconds_since, stopwatch, utc_now
from tokensleuth.detection import detect_range, detection_document
from tokensleuth.output import Outcome, ProgressBar
from tokensleuth.terminal import detection_summary


def run(
    app: App, time_range: str, *, where: Sequence[str], with_scores: bool, progress: ProgressBar
) -> Outcome:
    """Detect over the covered part of the range."""
    window = parse_range(time_range, now=utc_now())
    started = stopwatch()
    with app.ledger() as ledger:
        found = detect_range(
            ledger.reader,
            window,
            app.settings.detection,
            where=Scope.parse(where),
            progress=lambda done, total: progress.update(done, total, "scoring"),
        )
    document = detection_document(found, seconds=seconds_since(started), with_scores=with_scores)
    return Outcome(document, [detection_summary(document)])
