"""Sees which hours that were judged already have changed: their usage came late, or was corrected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from ledger.arrivals import Arrivals, StreamMark
from ledger.store import Ledger
from ledger.window import HOUR, Window
from tokensleuth.app import App
from tokensleuth.connectors.syncing import StreamOutcome
from tokensleuth.kept_facts import LIVE_HOURS
from tokensleuth.reconciling.settling import DAILY_STREAMS

_BACK = timedelta(days=35)
"""Older hours are not looked at: nobody would act on them."""

_SETTLES = timedelta(days=2)
"""What was pulled may still have changed for so long."""


@dataclass(frozen=True, slots=True)
class Late:
    """Hours that changed, by their ends."""

    live: bool = False
    """Whether some are among those that every judgement looks back to."""
    older: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Before:
    """The ledger before a pull: what the judged hours hold, and how far each report was pulled."""

    judged: Window
    hours: NDArray[np.float64]
    marks: Sequence[StreamMark]

    @classmethod
    def read(cls, app: App, last: datetime | None) -> "Before | None":
        """None where nothing was judged yet."""
        if last is None or not app.settings.store.ledger.exists():
            return None
        judged = Window(last - _BACK, last)
        with app.ledger() as ledger:  # for writing: a ledger of the version before is migrated
            return cls(judged, _hours(ledger, judged), Arrivals(ledger.reader.engine).marks())

    def changed(self, app: App, outcomes: Sequence[StreamOutcome]) -> Late:
        """Against the ledger of now."""
        if not has_news(outcomes):
            return Late()
        with app.reading_ledger() as ledger:
            same = np.isclose(self.hours, _hours(ledger, self.judged), rtol=1e-9, atol=0).all(axis=0)
        ends = [self.judged.start_at + (int(number) + 1) * HOUR for number in np.flatnonzero(~same)]
        edge, since = self.judged.end_at - LIVE_HOURS * HOUR, self._known_since(outcomes)
        older = tuple(end for end in ends if since is not None and since < end <= edge)
        return Late(any(end > edge for end in ends), older)

    def _known_since(self, outcomes: Sequence[StreamOutcome]) -> datetime | None:
        """What a source that is new tells of the past is history, which nobody waited for."""
        spoke = {(o.source, o.stream) for o in outcomes if has_news([o]) and o.stream not in DAILY_STREAMS}
        known = [mark.complete_until for mark in self.marks if (mark.source, mark.stream) in spoke]
        return min(known) - _SETTLES if known else None


def has_news(outcomes: Sequence[StreamOutcome]) -> bool:
    """Whether anything was loaded."""
    return any(o.result.new or o.result.restated for o in outcomes)


def _hours(ledger: Ledger, window: Window) -> NDArray[np.float64]:
    """Cost and tokens, as some usage has no price, and some no tokens."""
    return np.vstack(
        [ledger.reader.hourly(window, metric="cost_usd").values[0],
         ledger.reader.hourly(window, metric="tokens").values[0]]
    )  # fmt: skip
