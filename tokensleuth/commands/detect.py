"""`tokensleuth detect`: spikes and incidents of a range; saves nothing."""

from collections.abc import Sequence

from ledger.errors import RefusedError
from ledger.scope import EVERYTHING, Scope
from tokensleuth.app import App
from tokensleuth.clock import seconds_since, stopwatch, utc_now
from tokensleuth.detection import detect_range
from tokensleuth.detection_document import detection_document
from tokensleuth.live import detect_live
from tokensleuth.live_document import live_document
from tokensleuth.materiality import material_usd
from tokensleuth.output import Outcome, ProgressBar
from tokensleuth.ranges import asked_range
from tokensleuth.terminal import detection_summary, live_lines
from tokensleuth.terminal.tunings import suppressed_lines
from tokensleuth.tuning.in_force import thresholds_of
from tokensleuth.unpriced import unpriced_usage


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
            thresholds=thresholds_of(app, utc_now()),
            progress=lambda done, total: progress.update(done, total, "scoring"),
        )
        least_usd = material_usd(ledger.reader, found.window, app.settings.reports.material_share, scope)
    document = detection_document(
        found, least_usd=least_usd, seconds=seconds_since(started), with_scores=with_scores
    )
    summary = detection_summary(document, everything=everything)
    return Outcome(document, [summary, *suppressed_lines(document)])


def run_live(app: App, *, everything: bool, given: tuple[object, ...] = ()) -> Outcome:
    """Judge the last 72 hours by the kept model; raises RefusedError where a range or scope is given too."""
    if any(given):
        raise RefusedError(
            "--live is about all of the last 72 h; give it without RANGE, --where and --scores"
        )
    started = stopwatch()
    with app.ledger() as ledger:
        now = utc_now()
        found = detect_live(ledger, app.settings.detection, now=now, thresholds=thresholds_of(app, now))
        unpriced = unpriced_usage(ledger.reader, found.window, EVERYTHING)
    document = live_document(
        found,
        accepted=app.accepted_baselines(),
        unpriced=unpriced,
        material_share=app.settings.reports.material_share,
        seconds=seconds_since(started),
    )
    summary = detection_summary(document, everything=everything)
    return Outcome(document, [summary, *suppressed_lines(document), live_lines(document)])
