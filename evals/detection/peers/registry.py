"""All peers, and which of them can run here."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from evals.detection.meeting import GRACE_HOURS
from evals.detection.method import Method
from evals.detection.peers.adtk_seasonal import AdtkSeasonal
from evals.detection.peers.daily import DailyRule
from evals.detection.peers.decomposition import StlResidual
from evals.detection.peers.isolation_forest import SeriesForest
from evals.detection.peers.rolling import RollingMad, RollingZ, WeekMeanRatio
from evals.detection.peers.seasonal import HourOfWeekMedian, SeasonalNaive
from evals.detection.peers.seasonal_esd import SeasonalHybridEsd


@dataclass(frozen=True, slots=True)
class PackagedPeer:
    """A peer that needs a package of the dependency group `peers`."""

    name: str
    load: Callable[[], Method]
    """Imports the package; ImportError where it cannot be had."""


class LeftOut(NamedTuple):
    """A peer that does not run, and why."""

    name: str
    reason: str


def _ecod() -> Method:
    from evals.detection.peers.ecod import Ecod

    return Ecod()


def _matrix_profile() -> Method:
    from evals.detection.peers.matrix_profile import LeftMatrixProfile, compile_kernels

    compile_kernels()
    return LeftMatrixProfile()


def _prophet() -> Method:
    # It complains there of plotly, which only its charts need.
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)
    from evals.detection.peers.prophet_forecast import ProphetForecast

    return ProphetForecast()


PEERS: tuple[Method, ...] = (
    RollingZ(),
    RollingMad(),
    WeekMeanRatio(),
    DailyRule("daily rule, +40 % and $100", least_usd=100.0),
    DailyRule("daily rule, per cent only"),
    DailyRule("daily rule, sliding 24 h", sliding=True),
    SeasonalNaive(),
    HourOfWeekMedian(),
    StlResidual("STL + MAD"),
    StlResidual("STL + MAD, log", log=True, sides="both"),
    StlResidual("STL + standard deviation", scale="std"),
    SeasonalHybridEsd(),
    AdtkSeasonal(),
    SeriesForest(),
)
"""Those that need nothing but what the product needs."""

PACKAGED_PEERS: tuple[PackagedPeer, ...] = (
    PackagedPeer("ECOD", _ecod),
    PackagedPeer("left matrix profile", _matrix_profile),
    PackagedPeer("Prophet", _prophet),
)

LEFT_OUT: tuple[LeftOut, ...] = (
    LeftOut(
        "ADTK LevelShiftAD, PersistAD",
        "adtk 0.6.2, the newest, puts NaN into a bool series, which pandas 3 refuses; "
        "SeasonalAD is restated in numpy",
    ),
)
"""Peers that cannot run beside our pins."""
DAILY_GRACE_HOURS = 24
"""Of the rules that can speak only when a day is over."""


def grace_hours(method: str) -> int:
    """How long after an event's end an alarm of this method may still be about it."""
    by_day = {peer.name for peer in PEERS if isinstance(peer, DailyRule) and not peer.sliding}
    return DAILY_GRACE_HOURS if method in by_day else GRACE_HOURS


def peer_names() -> tuple[str, ...]:
    """All peers, those that take longest first."""
    return (*(peer.name for peer in PACKAGED_PEERS), *(peer.name for peer in reversed(PEERS)))


def load_peer(name: str, packaged: Sequence[PackagedPeer] = PACKAGED_PEERS) -> Method | LeftOut:
    """A peer by its name, its package imported and its code compiled, or why there is none."""
    plain = {peer.name: peer for peer in PEERS}
    if name in plain:
        return plain[name]
    try:
        return {peer.name: peer for peer in packaged}[name].load()
    except ImportError as error:
        return LeftOut(name, f"{error}; `make bench-detect` installs it")
