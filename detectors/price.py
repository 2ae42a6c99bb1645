"""The price channel: dollars per token against what the series paid before, whatever its volume does."""

from dataclasses import dataclass

import numpy as np

from detectors.statistics import FloatArray, rolling_sum, row_median, row_quantiles

PRICE_WINDOW_HOURS = 3
_DAYS = 14
_LONG_DAYS = 28
_ENOUGH_HOURS = 24
"""Hours with a price under which the last 4 weeks are looked at instead of the last 2."""
_LEAST_HOURS = 12
_DAILY_SHARE = 0.6
"""A day's largest stray is taken at this quantile over days: earlier price changes last days, not weeks."""
_SIGMAS_A_DAY = 2.0
"""An ordinary day strays about so many sigmas at most."""
_LEAST_SIGMA = 0.03
_LEAST_USD, _LEAST_TOKENS = 1e-9, 0.5


@dataclass(frozen=True, slots=True)
class PriceProfile:
    """Shape (series,) each; NaN where too few hours had a price."""

    log_usd_per_token: FloatArray
    sigma: FloatArray


def fit_price(cost_usd: FloatArray, tokens: FloatArray) -> PriceProfile:
    """Learn from (series, hours) of dollars and tokens over whole days."""
    hours = _LONG_DAYS * 24
    price = log_price(cost_usd[:, -hours:], tokens[:, -hours:])
    recent = np.arange(price.shape[1]) >= price.shape[1] - _DAYS * 24
    few = (~np.isnan(price[:, recent])).sum(axis=1) < _ENOUGH_HOURS
    used = np.where(few[:, None] | recent, price, np.nan)
    middle = np.where((~np.isnan(price)).sum(axis=1) >= _LEAST_HOURS, row_median(used), np.nan)
    stray = np.abs(used - middle[:, None]).reshape(len(price), -1, 24)
    daily = np.where(np.isnan(stray), -1.0, stray).max(axis=2)
    (ordinary,) = row_quantiles(np.where(daily < 0, np.nan, daily), _DAILY_SHARE)
    return PriceProfile(middle, np.nan_to_num(ordinary) / _SIGMAS_A_DAY + _LEAST_SIGMA)


def log_price(cost_usd: FloatArray, tokens: FloatArray) -> FloatArray:
    """Natural log of dollars per token over the last 3 hours; NaN where there was neither."""
    usd, count = rolling_sum(cost_usd, PRICE_WINDOW_HOURS), rolling_sum(tokens, PRICE_WINDOW_HOURS)
    known = (usd > _LEAST_USD) & (count > _LEAST_TOKENS)
    ratio = np.divide(usd, count, out=np.ones_like(usd), where=known)
    return np.where(known, np.log(ratio), np.nan)


def price_z(cost_usd: FloatArray, tokens: FloatArray, profile: PriceProfile) -> FloatArray:
    """(series, hours) sigmas above the usual price; 0 where there is no price to compare."""
    stray = log_price(cost_usd, tokens) - profile.log_usd_per_token[:, None]
    return np.nan_to_num(stray / profile.sigma[:, None])


def price_excess(cost_usd: FloatArray, tokens: FloatArray, profile: PriceProfile, hours: int) -> FloatArray:
    """Dollars paid above the usual price over the last `hours` hours."""
    usual = np.exp(profile.log_usd_per_token)[:, None] * tokens
    return rolling_sum(cost_usd - usual, hours)
