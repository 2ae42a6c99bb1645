"""Prophet (Taylor and Letham, "Forecasting at scale", The American Statistician 2018)."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from cmdstanpy import disable_logging
from prophet import Prophet

from detectors.statistics import FloatArray
from evals.detection.peers.scale import Sides, in_units
from evals.detection.peers.series import score_blocks
from evals.detection.spend_set import SpendSet

_BAND = 0.99


@dataclass(frozen=True, slots=True)
class ProphetForecast:
    """An hour less its forecast, over the half width of the band that held 99 % of the 60 days known.

    Linear trend, additive daily and weekly seasonality (weekly from two weeks of history on), Prophet's
    defaults otherwise; refit weekly.
    """

    refit_days: int = 7
    sides: Sides = "both"
    name: str = "Prophet"

    def scores(self, spend: SpendSet) -> FloatArray:
        with disable_logging(), warnings.catch_warnings():
            # Prophet 1.5 uses arguments that pandas 3.1 deprecates.
            warnings.simplefilter("ignore", DeprecationWarning)
            return score_blocks(spend, self._score_block, window_days=60, refit_days=self.refit_days)

    def _score_block(self, known: FloatArray, block: FloatArray) -> FloatArray:
        expected = _fitted_and_forecast(known, len(block))
        band = float(np.quantile(np.abs(known - expected[: len(known)]), _BAND))
        return in_units(block - expected[len(known) :], band, known.mean(), self.sides)


def _fitted_and_forecast(known: FloatArray, hours: int) -> FloatArray:
    """The model's mean over the hours known and the next ones."""
    time = pd.date_range("2024-01-01", periods=len(known) + hours, freq="h")
    model = Prophet(yearly_seasonality=False, uncertainty_samples=0)
    model.fit(pd.DataFrame({"ds": time[: len(known)], "y": known}))
    return np.asarray(model.predict(pd.DataFrame({"ds": time}))["yhat"], dtype=np.float64)
