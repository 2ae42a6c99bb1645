"""What a kept model tells of itself: by which settings, program and baselines it was made."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256

from detectors.accepted import Baseline
from detectors.arrays import names_of
from detectors.envelope import ENVELOPE_WINDOWS
from detectors.flags import FlagState
from detectors.plain_forest import forest_names
from detectors.price import PriceProfile
from detectors.profiles import AHEAD_DAYS, CONTEXT_HOURS
from detectors.scale import DROP_WINDOWS, WINDOWS, Calibration
from detectors.scoring import DROP, FOREST, PRICE
from detectors.seasonal import Shapes
from detectors.settings import DetectorSettings
from ledger.kept.models import KeptModel
from ledger.window import HOUR, instant_text

LIVE_HOURS = 72
"""Usage that comes so late is still judged, again, by the models of its own midnights."""
ROWS = 1024
"""Rows fetched and written at once."""
MEMORY_MB = 256
"""For DuckDB: beside the matrices of one block, a refit of 10,000 series stays under 1 GB."""
_FORMAT = 1


def signed(fitted_at: datetime, settings: DetectorSettings, facts: Mapping[str, object]) -> KeptModel:
    return KeptModel(fitted_at, settings_of(settings), layout(), facts)


def settings_of(settings: DetectorSettings) -> dict[str, object]:
    return asdict(settings)


def layout() -> str:
    """What the kept arrays mean, as a fingerprint; a program with another one does not read them."""
    kinds = [(kind.__name__, names_of(kind)) for kind in (Calibration, PriceProfile, Shapes, FlagState)]
    windows = (WINDOWS, DROP_WINDOWS, ENVELOPE_WINDOWS, AHEAD_DAYS, CONTEXT_HOURS)
    meant = (_FORMAT, ROWS, kinds, windows, (DROP, FOREST, PRICE), forest_names())
    return sha256(repr(meant).encode()).hexdigest()[:16]


def judging(models: Sequence[KeptModel], end_at: datetime) -> Sequence[KeptModel]:
    """The models that judge the last 72 h before `end_at`, oldest first, as far as there are any."""
    earlier = [model for model in models if model.fitted_at < end_at]
    begun = [model for model in earlier if model.fitted_at <= end_at - LIVE_HOURS * HOUR]
    return earlier[max(len(begun) - 1, 0) :]


def baseline_fact(baseline: Baseline) -> dict[str, object]:
    """What a model tells of a baseline it was made by."""
    return {"scope": baseline.scope.as_dict(), "from_at": instant_text(baseline.from_at)}
