import numpy as np
import pytest

from detectors.flags import FlagState
from detectors.judging import aged, fires, judge, scale_floor
from detectors.model import fit
from detectors.profiles import History
from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray

SETTINGS = DetectorSettings()
DAYS = 30


def spend(series: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Dollars and tokens; some hours cost several times as much, in some the price does."""
    rng = np.random.default_rng(seed)
    hour = np.arange((DAYS + 3) * 24)
    usual = 2 * rng.lognormal(0, 1.5, (series, 1)) * (1 + 0.6 * np.sin((hour % 24 - 8) / 24 * 2 * np.pi))
    used = rng.random((series, len(hour))) < rng.uniform(0.2, 1.0, (series, 1))
    tokens = 1e6 * usual * used * rng.lognormal(0, 0.3, usual.shape)
    tokens[:, DAYS * 24 :] *= rng.choice([1, 1, 1, 1, 1, 4, 0], (series, 3)).repeat(24, axis=1)
    price = np.where(rng.random((series, 1)) < 0.1, rng.choice([1.0, 1.4, 3.0, 0.5], (1, len(hour))), 1.0)
    return tokens * price * 1e-6, tokens


@pytest.mark.parametrize("seed", range(4))
def test_no_series_is_flagged_that_is_not_known_to_fire(seed: int) -> None:
    values, tokens = spend(300, seed)
    past = slice(0, DAYS * 24)
    model = fit(
        History(values[:, past], 0, tokens=tokens[:, past]), settings=SETTINGS, floor=scale_floor(1.0)
    )
    recent = slice(DAYS * 24 - 24, None)
    ahead = model.ahead(4 * 24)
    state = FlagState.closed(len(values))
    judged = judge(ahead, values[:, recent], tokens[:, recent], state, settings=SETTINGS, floor=1.0)
    fired = fires(ahead, values[:, recent], tokens[:, recent], settings=SETTINGS, floor=1.0)
    flagged = (judged.flags.flagged != 0).any(axis=1)
    assert not (flagged & ~fired).any()
    assert (fired & ~flagged).sum() <= 1
    assert 10 < flagged.sum() < 290


def test_without_a_flag_a_state_only_ages() -> None:
    values, tokens = spend(50, 9)
    past, recent = slice(0, DAYS * 24), slice(DAYS * 24 - 24, None)
    model = fit(
        History(values[:, past], 0, tokens=tokens[:, past]), settings=SETTINGS, floor=scale_floor(1.0)
    )
    zero = np.zeros(50, dtype=np.int64)
    before = FlagState(np.where(np.arange(50) % 2, 1.0, -1.0), zero + 7, zero + 30)
    judged = judge(
        model.ahead(4 * 24), values[:, recent], tokens[:, recent], before, settings=SETTINGS, floor=1e9
    )
    assert not judged.flags.flagged.any()
    after = aged(before, 72)
    np.testing.assert_array_equal(judged.state.direction, after.direction)
    np.testing.assert_array_equal(judged.state.quiet_hours, after.quiet_hours)
    np.testing.assert_array_equal(judged.state.age_hours, after.age_hours)
