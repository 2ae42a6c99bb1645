import numpy as np
import pytest

from detectors.price import fit_price, log_price, price_excess, price_z
from detectors.statistics import FloatArray

HOURS = 28 * 24


def tokens(series: int = 1) -> FloatArray:
    return np.asarray(np.random.default_rng(1).uniform(500, 1500, (series, HOURS)))


def priced(amount: FloatArray, noise: float = 0.02) -> FloatArray:
    jitter = np.exp(np.random.default_rng(2).normal(0, noise, amount.shape))
    return np.asarray(amount * 0.004 * jitter)


def test_the_usual_price_is_the_median_of_two_weeks() -> None:
    amount = tokens()
    cost = priced(amount)
    cost[:, : HOURS // 2] *= 3
    profile = fit_price(cost, amount)
    assert np.exp(profile.log_usd_per_token[0]) == pytest.approx(0.004, rel=0.01)


def test_a_price_rise_stands_out_however_little_is_used() -> None:
    amount = tokens()
    profile = fit_price(priced(amount), amount)
    z = price_z(priced(amount) * 1.3 / 100, amount / 100, profile)
    assert np.median(z) > 4
    assert np.median(np.abs(price_z(priced(amount), amount, profile))) < 1


def test_an_old_price_change_of_some_days_does_not_widen_what_is_usual() -> None:
    amount = tokens()
    cost = priced(amount)
    narrow = fit_price(cost, amount).sigma[0]
    cost[:, -10 * 24 : -6 * 24] *= 2
    assert fit_price(cost, amount).sigma[0] == pytest.approx(narrow, rel=0.2)


def test_hours_without_usage_have_no_price_and_no_score() -> None:
    amount = tokens()
    profile = fit_price(priced(amount), amount)
    silent = np.zeros((1, 48))
    assert np.isnan(log_price(silent, silent)).all()
    assert not price_z(silent, silent, profile).any()


def test_a_series_that_was_hardly_used_has_no_usual_price() -> None:
    amount = np.zeros((1, HOURS))
    amount[0, 100:105] = 1000
    profile = fit_price(priced(amount), amount)
    assert np.isnan(profile.log_usd_per_token[0])
    assert not price_z(priced(amount), amount, profile).any()
    assert not price_excess(priced(amount), amount, profile, 24).any()


def test_what_was_paid_above_the_usual_price_is_summed() -> None:
    amount = np.full((1, HOURS), 1000.0)
    profile = fit_price(amount * 0.004, amount)
    excess = price_excess(amount * 0.006, amount, profile, 24)
    assert excess[0, -1] == pytest.approx(24 * 2.0)
