"""`tokensleuth refit`: learns what the hourly path judges by; run it every night."""

from tokensleuth.app import App
from tokensleuth.clock import seconds_since, stopwatch, utc_now
from tokensleuth.in_force import complete_until
from tokensleuth.live_document import refit_document
from tokensleuth.output import Outcome, ProgressBar
from tokensleuth.ranges import usage_extent
from tokensleuth.refit import refit
from tokensleuth.terminal import refit_text


def run(app: App, *, progress: ProgressBar) -> Outcome:
    """Learn the usage before the last midnight that is complete."""
    started = stopwatch()
    with app.ledger() as ledger:
        done = refit(
            ledger,
            app.settings.detection,
            until=complete_until(usage_extent(ledger.reader), utc_now()),
            baselines=app.accepted_baselines(),
            progress=lambda done, total: progress.update(done, total, "learning"),
        )
    document = refit_document(done, seconds=seconds_since(started))
    return Outcome(document, [refit_text(document)])
