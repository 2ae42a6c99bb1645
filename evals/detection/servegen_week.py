"""Real traffic without labels: the incidents of its second week, the largest as pictures to look at."""

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from detectors.incidents import Incident
from detectors.scored import ScoredSeries
from detectors.settings import DetectorSettings
from evals.detection.contact_sheet import Picture
from evals.runs import Stores, run_product
from evals.servegen import LAST_WEEK, write_servegen_usage
from ledger.reader import Reader
from ledger.scope import Scope
from ledger.store import open_ledger
from ledger.window import Window
from tokensleuth.detection import detect_range

SIZES_USD = (0, 100, 1000)
LARGEST = 20
AROUND = timedelta(hours=48)
"""Shown on both sides of an incident."""


@dataclass(frozen=True, slots=True)
class RealWeek:
    """What the product finds in it at the settings that ship."""

    series: int
    incidents: tuple[Incident, ...]
    pictures: tuple[Picture, ...]
    """Of the largest."""

    def count_over(self, usd: float) -> int:
        return sum(abs(incident.excess_usd) > usd for incident in self.incidents)


def real_week(source: Path) -> RealWeek:
    """Load both weeks of ServeGen and detect in the second."""
    with tempfile.TemporaryDirectory() as scratch:
        usage, stores = Path(scratch) / "usage.parquet", Stores.fresh(Path(scratch))
        write_servegen_usage(source, usage)
        run_product("ingest", str(usage), stores=stores).document()
        with open_ledger(stores.ledger, create=False) as ledger:
            found = detect_range(ledger.reader, LAST_WEEK, DetectorSettings()).detection
            largest = sorted(found.incidents, key=lambda one: -abs(one.excess_usd))[:LARGEST]
            pictures = tuple(_picture(one, found.scores, ledger.reader) for one in largest)
    return RealWeek(found.series_scored, found.incidents, pictures)


def _picture(incident: Incident, scores: ScoredSeries, reader: Reader) -> Picture:
    window = Window(incident.window.start_at - AROUND, incident.window.end_at + AROUND).overlap(scores.window)
    shown = window or incident.window
    actual = reader.hourly(shown, where=incident.scope).values[0]
    row, hours = scores.row_of(incident.scope), scores.hours_of(shown)
    unknown = np.full(shown.hours, np.nan)
    return Picture(
        _short(incident.scope),
        f"{incident.window.hours} h, ${incident.actual_usd:,.0f} instead of ${incident.expected_usd:,.0f}",
        shown,
        incident.window,
        actual,
        unknown if row is None else scores.expected[row, hours],
        np.asarray(np.zeros(shown.hours) if row is None else scores.flagged[row, hours]) != 0,
    )


def _short(scope: Scope) -> str:
    return ", ".join(value for _, value in scope.items) or str(scope)
