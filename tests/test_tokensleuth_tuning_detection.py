"""Raised thresholds in detection, of a range and by the hour: fewer incidents open, and that is all."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from detectors.incidents import Incident
from detectors.settings import DetectorSettings
from ledger.store import Ledger
from ledger.window import Window
from tests.ledger_builder import at
from tests.live_builder import ledger_at, write_organisation
from tokensleuth.detection import RangeDetection, detect_range
from tokensleuth.live import LiveDetection, detect_live
from tokensleuth.refit import refit
from tokensleuth.thresholds import Threshold

SETTINGS = DetectorSettings()
NOW = at(36, 9)
LAST = Window(at(30), NOW)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    path = tmp_path_factory.mktemp("organisation") / "l.duckdb"
    write_organisation(path)
    with ledger_at(path) as opened:
        refit(opened, SETTINGS, until=at(36))
        yield opened


@pytest.fixture(scope="module")
def live(ledger: Ledger) -> LiveDetection:
    return detect_live(ledger, SETTINGS, now=NOW)


@pytest.fixture(scope="module")
def ranged(ledger: Ledger) -> RangeDetection:
    return detect_range(ledger.reader, LAST, SETTINGS)


def over(incident: Incident) -> Threshold:
    """Just above it."""
    usd = abs(Decimal(repr(float(incident.excess_usd)))) + Decimal("0.01")
    return Threshold("t", incident.scope, LAST, incident.direction, usd)


def under(incident: Incident) -> Threshold:
    """Just below it."""
    return replace(over(incident), min_usd=abs(Decimal(repr(float(incident.excess_usd)))))


def test_without_thresholds_everything_opens(live: LiveDetection, ranged: RangeDetection) -> None:
    assert live.opened == live.incidents != ()
    assert ranged.opened == ranged.detection.incidents != ()
    assert live.suppressed == ranged.suppressed == ()


def test_what_stays_below_does_not_open_hour_by_hour(ledger: Ledger, live: LiveDetection) -> None:
    found = detect_live(ledger, SETTINGS, now=NOW, thresholds=[over(live.incidents[0])])
    quiet = [s.incident.id for s in found.suppressed]
    assert live.incidents[0].id in quiet
    assert [i.id for i in found.opened] == [i.id for i in live.incidents if i.id not in quiet]
    assert (found.incidents, found.spikes) == (live.incidents, live.spikes)


def test_what_reaches_it_opens_hour_by_hour(ledger: Ledger, live: LiveDetection) -> None:
    found = detect_live(ledger, SETTINGS, now=NOW, thresholds=[under(live.incidents[0])])
    assert live.incidents[0] in found.opened


def test_a_range_is_told_in_the_same_way(ledger: Ledger, ranged: RangeDetection) -> None:
    first = ranged.detection.incidents[0]
    found = detect_range(ledger.reader, LAST, SETTINGS, thresholds=[over(first)])
    assert first.id in [s.incident.id for s in found.suppressed]
    assert first not in found.opened
    assert found.detection.incidents == ranged.detection.incidents
    assert found.spikes == ranged.spikes
