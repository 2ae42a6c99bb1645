"""`tokensleuth detect`: spikes and incidents of a range; saves nothing."""

from collections.abc import Sequence

from ledger.scope import Scope
from tokensleuth.app import App
from tokensleuth.clock import seconds_since, stopwatch, utc_now
from tokensleuth.detection import detect_range
from tokensleuth.detection_document import detection_document
from tokensleuth.materiality import material_usd
from tokensleuth.output import Outcome, ProgressBar
from tokensleuth.ranges import asked_range
from tokensleuth.terminal import detection_summary


def run(
    app: App,
    time_range: str | None,
    *,
    where: Sequence[str],
    with_scores: bool,
    everything: bool,
    progress: ProgressBar,
) -> Outcome:
    """Detect over the covered part of the range; minor incidents are shown too with `everything`."""
    started = stopwatch()
    scope = Scope.parse(where)
    with app.ledger() as ledger:
        found = detect_range(
            ledger.reader,
            asked_range(ledger.reader, time_range, now=utc_now()),
            app.settings.detection,
            where=scope,
            baselines=app.accepted_baselines(),
            progress=lambda done, total: progress.update(done, total, "scoring"),
        )
        least_usd = material_usd(ledger.reader, found.window, app.settings.reports.material_share, scope)
    document = detection_document(
        found, least_usd=least_usd, seconds=seconds_since(started), with_scores=with_scores
    )
    return Outcome(document, [detection_summary(document, everything=everything)])
