"""The backtest of the forecast on small series: rivals, what counts as inside, alerts, the table."""

from datetime import UTC, datetime

import numpy as np
import pytest

from detectors.forecast.interval import USUAL_SCORES
from detectors.statistics import FloatArray
from evals.forecasting.alerts import Told, summary, told_of_months
from evals.forecasting.backtest import MONTH_END, backtest
from evals.forecasting.report import line_of, table
from evals.forecasting.rivals import drift, mean_of_28_days, seasonal_naive
from evals.forecasting.sets import HourlySet
from evals.forecasting.usual import usual_scores

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
AHEAD = np.array([24.0, 48.0])


def noisy(days: int, series: int = 12) -> FloatArray:
    return np.asarray(np.random.default_rng(5).gamma(2.0, 1.0, (series, days * 24)))


def test_seasonal_naive_repeats_the_last_week() -> None:
    history = np.arange(14 * 24.0)[None]
    assert seasonal_naive(history, AHEAD)[0, 0] == history[0, -168:-144].sum()
    assert seasonal_naive(history[:, :48], AHEAD)[0].tolist() == [history[0, 24:48].sum() * n for n in (1, 2)]


def test_drift_goes_on_along_the_line() -> None:
    rising = np.repeat(np.arange(1.0, 11.0), 24)[None]
    assert drift(rising, AHEAD)[0, 0] == pytest.approx(24 * 11, rel=0.06)
    assert (drift(rising[:, ::-1], np.array([24.0, 720.0])) >= 0).all()


def test_the_mean_is_of_the_days_since_the_series_began() -> None:
    late = np.r_[np.zeros(240), np.full(240, 3.0)][None]
    assert mean_of_28_days(late, AHEAD)[0].tolist() == [72, 144]


def test_a_backtest_counts_each_length_and_the_month_end() -> None:
    found = backtest(HourlySet("noisy", MONDAY, noisy(40)), every_days=4)
    assert set(found) == {1, 3, 7, 14, 28, MONTH_END}
    line = line_of("noisy", 7, False, found[7])
    assert 0.6 < float(line["coverage"]) <= 1
    assert float(line["error_by_drift"]) < 1
    assert "| noisy | 7 |" in table([line])
    assert "to month end" in table([line_of("noisy", MONTH_END, True, found[MONTH_END])])


def test_will_cross_is_told_before_steady_spend_crosses() -> None:
    told = list(told_of_months(HourlySet("noisy", MONDAY, noisy(61, series=2))))
    assert [one.crosses for one in told[::2]] == [True, told[2].crosses, False, False]
    assert told[0].openings == 1
    assert summary(told)["precision"] == 1


def test_a_summary_of_nothing_is_nothing() -> None:
    assert summary([Told(False, 0, None)])["median_lead_days"] == 0


def test_usual_scores_are_as_many_and_as_ordered_as_the_constant() -> None:
    found = usual_scores([HourlySet("noisy", MONDAY, noisy(60))])
    assert len(found) == len(USUAL_SCORES)
    assert (np.diff(found) >= 0).all()
    assert (np.diff(USUAL_SCORES) >= 0).all()
