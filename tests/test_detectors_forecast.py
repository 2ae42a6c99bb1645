"""The forecast as arrays: what it learns, how wide it is, and what it says where little is known."""

import numpy as np
import pytest

from detectors.forecast.episodes import Episode
from detectors.forecast.forecast import forecast
from detectors.statistics import FloatArray
from ledger.errors import RefusedError

OFFICE = np.where(np.arange(168) % 24 // 8 == 1, 1.0, 0.1) * np.where(np.arange(168) >= 120, 0.1, 1.0)
"""A week from Monday on: working hours, a tenth of it at weekends."""


def office(days: int, *, noise: float = 0.05, seed: int = 1, usd: float = 10.0) -> FloatArray:
    """(1, hours) from a Monday on."""
    rng = np.random.default_rng(seed)
    hours = np.tile(OFFICE, -(-days // 7))[: days * 24]
    return np.asarray(usd * hours * np.exp(noise * rng.standard_normal(days * 24)))[None]


def test_weekends_are_expected_to_be_weekends() -> None:
    found = forecast(office(60), 0, 14)
    came = office(74)[0, 60 * 24 :].reshape(14, 24).sum(axis=1).cumsum()
    assert np.abs(found.mid[0] / came - 1).max() < 0.05


def test_a_day_under_way_counts_what_is_ordinarily_left_of_it() -> None:
    hours = office(57)[:, : 56 * 24 + 12]
    left = forecast(hours, 0, 1).mid[0, 0]
    assert left == pytest.approx(10 * OFFICE[12:24].sum(), rel=0.1)


def test_sums_never_fall_and_the_interval_holds_the_expectation() -> None:
    rng = np.random.default_rng(3)
    found = forecast(rng.gamma(0.3, 2, (40, 50 * 24 + 5)) * (rng.random((40, 50 * 24 + 5)) < 0.2), 2, 31)
    for path in (found.low, found.mid, found.high):
        assert (np.diff(path, axis=1) >= 0).all()
    assert (found.low <= found.mid).all()
    assert (found.mid <= found.high).all()
    assert (found.low >= 0).all()


def test_a_series_gets_the_same_forecast_alone_and_among_others() -> None:
    hours = np.concatenate([office(40, seed=seed, noise=0.4) for seed in range(300)])
    alone, together = forecast(hours[280:281], 0, 10), forecast(hours, 0, 10)
    assert alone.high[0].tolist() == together.high[280].tolist()


def test_a_new_level_is_followed_within_days() -> None:
    hours = office(50)
    hours[:, 43 * 24 :] *= 3
    week = forecast(hours, 1, 7).mid[0, -1] / forecast(office(50), 1, 7).mid[0, -1]
    assert 2.4 < week < 3.3


def test_growth_is_carried_on() -> None:
    hours = office(84) * np.exp(0.004 * np.arange(84 * 24) / 24)
    came = 10 * OFFICE.sum() * sum(np.exp(0.004 * (84 + 3.5 + 7 * week)) for week in range(4))
    assert forecast(hours, 0, 28).mid[0, -1] == pytest.approx(came, rel=0.06)


def test_a_young_series_has_a_wider_interval_than_an_old_one() -> None:
    young, old = forecast(office(5), 0, 20), forecast(office(61), 5, 20)
    assert young.age_days[0] == 5

    def width(found: FloatArray, mid: FloatArray) -> float:
        return float(found[0, -1] / mid[0, -1])

    assert width(young.high - young.low, young.mid) > 3 * width(old.high - old.low, old.mid)


def test_nothing_spent_is_forecast_to_be_nothing() -> None:
    found = forecast(np.zeros((1, 30 * 24)), 0, 30)
    assert found.mid[0, -1] == found.low[0, -1] == found.high[0, -1] == 0


def test_no_series_at_all_have_no_forecast() -> None:
    assert forecast(np.zeros((0, 30 * 24)), 0, 12).mid.shape == (0, 12)


def test_usage_of_less_than_a_whole_day_is_not_forecast() -> None:
    hours = np.zeros((2, 10 * 24 + 8))
    hours[0, -6:] = 5
    found = forecast(hours, 0, 20)
    assert np.isnan(found.mid[0]).all()
    assert found.mid[1, -1] == 0


def test_a_known_incident_that_is_over_changes_nothing() -> None:
    hours = office(50)
    struck = hours.copy()
    struck[0, 45 * 24 : 47 * 24] *= 20
    known = forecast(struck, 0, 14, [Episode(0, 45 * 24, 47 * 24)])
    assert known.mid[0, -1] == pytest.approx(forecast(hours, 0, 14).mid[0, -1], rel=0.03)
    assert forecast(struck, 0, 14).mid[0, -1] > 1.3 * known.mid[0, -1]


def test_something_planned_goes_on_until_its_end_and_no_longer() -> None:
    hours = office(50)
    hours[0, 48 * 24 :] += 4
    plain = forecast(office(50), 0, 14).mid[0]
    planned = forecast(hours, 0, 14, [Episode(0, 48 * 24, 53 * 24)]).mid[0]
    added = planned - plain
    assert added[2] == pytest.approx(3 * 24 * 4, rel=0.1)
    assert added[13] == pytest.approx(added[2], rel=0.1)


def test_no_forecast_knows_what_came_later() -> None:
    hours = office(60)
    later = hours.copy()
    later[:, 50 * 24 :] *= 9
    assert (
        forecast(hours[:, : 50 * 24], 0, 9).mid[0].tolist()
        == forecast(later[:, : 50 * 24], 0, 9).mid[0].tolist()
    )


def test_the_interval_holds_four_outcomes_of_five_on_noisy_series() -> None:
    rng = np.random.default_rng(11)
    hours = rng.gamma(0.5, 2, (300, 70 * 24)) * np.exp(
        rng.standard_normal((300, 70)).repeat(24, axis=1) * 0.4
    )
    found = forecast(hours[:, : 56 * 24], 0, 14)
    came = hours[:, 56 * 24 :].sum(axis=1)
    inside = ((found.low[:, -1] <= came) & (came <= found.high[:, -1])).mean()
    assert 0.72 < inside < 0.95


@pytest.mark.parametrize("days", [0, 32])
def test_further_than_a_month_is_refused(days: int) -> None:
    with pytest.raises(RefusedError, match=f"{days} days ahead; from 1 to 31"):
        forecast(office(20), 0, days)


def test_what_is_no_number_is_refused() -> None:
    hours = office(20)
    hours[0, 7] = np.nan
    with pytest.raises(RefusedError, match="holds nan at hour 7"):
        forecast(hours, 0, 5)
