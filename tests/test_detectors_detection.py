from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from detectors.detection import Detection, detect
from detectors.settings import DetectorSettings
from detectors.statistics import FloatArray
from ledger.errors import RefusedError
from ledger.reader import HourlySeries
from ledger.scope import EVERYTHING, Scope
from ledger.usage import Metric
from ledger.window import HOUR, Window

START = datetime(2026, 10, 5, tzinfo=UTC)
SETTINGS = DetectorSettings()


def rhythm(days: int, seed: int = 1) -> FloatArray:
    hour = np.arange(days * 24)
    day = 1 + 0.6 * np.sin((hour % 24 - 8) / 24 * 2 * np.pi)
    return np.asarray(10 * day * np.exp(np.random.default_rng(seed).normal(0, 0.1, days * 24)))


def keys(*rows: FloatArray, metric: Metric = "cost_usd", start_at: datetime = START) -> HourlySeries:
    scopes = tuple(Scope.parse([f"key_id=k{i}"]) for i in range(len(rows)))
    return HourlySeries(Window(start_at, start_at + len(rows[0]) * HOUR), metric, scopes, np.array(rows))


def last_week(series: HourlySeries, settings: DetectorSettings = SETTINGS) -> Detection:
    window = Window(series.window.end_at - timedelta(days=7), series.window.end_at)
    return detect([series], series, window, settings)


def office(days: int, seed: int = 1) -> FloatArray:
    """Working hours of working days, a tenth of them at weekends; the first day is a Monday."""
    hour = np.arange(days * 24)
    at_work = np.where((hour % 24 >= 7) & (hour % 24 < 20), 10.0, 2.0)
    weekend = np.where(hour // 24 % 7 >= 5, 0.1, 1.0)
    return np.asarray(at_work * weekend * np.exp(np.random.default_rng(seed).normal(0, 0.1, days * 24)))


def priced(cost_usd: FloatArray, tokens: FloatArray) -> Detection:
    """One key over its last week, its price watched too."""
    series = keys(cost_usd)
    window = Window(series.window.end_at - timedelta(days=7), series.window.end_at)
    return detect([series], series, window, SETTINGS, tokens=[keys(tokens, metric="tokens")])


def test_a_spike_is_found_with_its_scores_and_band() -> None:
    calm, busy = rhythm(35, 1), rhythm(35, 2)
    busy[-40:-36] *= 6
    found = last_week(keys(calm, busy))
    (spike,) = found.spikes
    assert str(spike.series.scope) == "key_id=k1"
    assert spike.detected_at <= spike.window.start_at + 2 * HOUR
    assert found.series_scored == 2
    assert found.scores.values.shape == found.scores.expected.shape == (2, 168)
    assert found.scores.values[1, -40:-36].max() == spike.score
    assert found.scores.actual[1, -40:-36] == pytest.approx(busy[-40:-36])
    assert spike.terms["z_1h"] > 5


def test_series_of_the_same_numbers_are_scored_once_and_reported_each() -> None:
    values = rhythm(35)
    values[-40:-36] *= 6
    key = keys(values)
    team = HourlySeries(key.window, "cost_usd", (Scope.parse(["team=t", "key_id=k0"]),), key.values)
    leaves = HourlySeries(key.window, "cost_usd", team.scopes, key.values)
    window = Window(key.window.end_at - timedelta(days=7), key.window.end_at)
    found = detect([key, team], leaves, window, SETTINGS)
    assert [spike.score for spike in found.spikes] == [found.spikes[0].score] * 2
    assert [str(incident.scope) for incident in found.incidents] == ["team=t, key_id=k0"]


def test_a_series_with_too_little_history_is_not_scored_and_says_why() -> None:
    young = rhythm(35)
    young[: -2 * 24] = 0
    found = last_week(keys(rhythm(35, 4), young))
    assert found.series_scored == 1
    assert [(str(u.series.scope), u.reason) for u in found.unscored] == [
        ("key_id=k1", "less than 3 whole days since its first usage")
    ]


def test_a_series_that_grows_old_enough_in_the_range_is_scored_from_then_on() -> None:
    young = rhythm(35)
    young[: -9 * 24 + 5] = 0
    young[-30:-26] *= 8
    found = last_week(keys(rhythm(35, 4), young))
    assert np.isnan(found.scores.values[1, :48]).all()
    assert np.isfinite(found.scores.values[1, 48:]).all()
    assert [str(spike.series.scope) for spike in found.spikes] == ["key_id=k1"]


def test_an_intermittent_series_expects_its_weekly_job_and_flags_an_odd_burst() -> None:
    job = np.zeros((8, 7, 24))
    job[:, 1, 4] = 100
    job[7, 3, 15:19] = 130
    found = last_week(keys(job.ravel(), rhythm(56)))
    (spike,) = found.spikes
    assert spike.window.start_at == START + (7 * 7 + 3) * 24 * HOUR + 15 * HOUR
    assert spike.actual == pytest.approx(520)


def test_a_dormant_key_that_wakes_up_is_flagged() -> None:
    dormant = np.zeros(35 * 24)
    dormant[50] = 0.01
    dormant[-30:-20] = 25
    (spike,) = last_week(keys(dormant, rhythm(35))).spikes
    assert spike.actual == pytest.approx(250)


def test_too_short_a_ledger_scores_nothing_and_says_why() -> None:
    found = last_week(keys(rhythm(9)))
    assert (found.series_scored, found.spikes, found.incidents) == (0, (), ())
    assert found.unscored[0].reason == "2 days of history before the range; 3 are needed"


def test_series_beyond_the_limit_are_the_smallest_and_are_counted() -> None:
    found = last_week(keys(rhythm(35), rhythm(35, 2) / 9, rhythm(35, 3)), replace(SETTINGS, max_series=2))
    assert [str(key.scope) for key in found.scores.series] == ["key_id=k0", "key_id=k2"]
    assert found.unscored[0].reason == "beyond the 2 series of most spend"


def test_spikes_under_the_dollar_floor_are_left_out() -> None:
    values = rhythm(35) / 1000
    values[-40:-36] *= 6
    assert not last_week(keys(values)).spikes
    assert last_week(keys(values), replace(SETTINGS, min_usd=0.001)).spikes


def test_other_metrics_have_spikes_but_no_incidents() -> None:
    values = rhythm(35) / 1000
    values[-40:-36] *= 6
    found = last_week(keys(values, metric="requests"))
    assert len(found.spikes) == 1
    assert found.incidents == ()


def test_a_history_that_starts_in_the_middle_of_a_day_loses_only_that_day() -> None:
    values = rhythm(35)
    values[-40:-36] *= 6
    whole = keys(values)
    part = HourlySeries(
        Window(START + 5 * HOUR, whole.window.end_at), "cost_usd", whole.scopes, whole.values[:, 5:]
    )
    assert [s.window for s in last_week(part).spikes] == [s.window for s in last_week(whole).spikes]


def test_the_range_need_not_start_at_midnight() -> None:
    values = rhythm(35)
    values[-40:-36] *= 6
    series = keys(values)
    window = Window(series.window.end_at - 39 * HOUR, series.window.end_at - 30 * HOUR)
    found = detect([series], series, window, SETTINGS)
    assert found.scores.values.shape == (1, 9)
    assert found.spikes[0].window.start_at == series.window.end_at - 40 * HOUR


def test_the_night_the_clocks_change_is_a_night_like_any_other() -> None:
    values = keys(*(rhythm(35, seed) for seed in range(5)), start_at=datetime(2026, 9, 28, tzinfo=UTC))
    assert values.window.start_at < datetime(2026, 10, 25, tzinfo=UTC) < values.window.end_at
    assert not last_week(values).spikes


def test_a_value_that_is_no_number_is_refused_with_its_series_and_hour() -> None:
    values = rhythm(35)
    values[50] = np.nan
    with pytest.raises(RefusedError, match=r"`key_id=k0` holds nan at 2026-10-07T02:00:00Z"):
        last_week(keys(values))


def test_series_that_do_not_fit_together_are_refused() -> None:
    series = keys(rhythm(35))
    window = Window(series.window.end_at - timedelta(days=7), series.window.end_at)
    with pytest.raises(RefusedError, match="series of tokens"):
        detect([series, replace(series, metric="tokens")], series, window, SETTINGS)
    with pytest.raises(RefusedError, match="before the range"):
        detect([series], series, window.shifted(HOUR), SETTINGS)
    with pytest.raises(RefusedError, match="no series"):
        detect([], series, window, SETTINGS)


def test_the_total_alone_can_be_scored() -> None:
    values = rhythm(35)
    values[-40:-36] *= 6
    total = replace(keys(values), scopes=(EVERYTHING,))
    assert [str(incident.scope) for incident in last_week(total).incidents] == ["all spend"]


@pytest.mark.parametrize("left", [0.0, 0.1])
def test_an_office_key_of_four_weeks_that_falls_is_told_on_the_same_day(left: float) -> None:
    spend = office(28)
    spend[-4 * 24 + 9 : -2 * 24] *= left
    (spike,) = last_week(keys(spend, office(28, 2))).spikes
    assert (str(spike.series.scope), spike.direction) == ("key_id=k0", "down")
    assert spike.detected_at <= START + timedelta(days=24, hours=15)


def test_the_weekend_of_an_office_key_is_no_fall() -> None:
    assert not last_week(keys(*(office(28, seed) for seed in range(8)))).spikes


def test_a_key_that_never_saw_a_weekend_does_not_fall_on_its_first() -> None:
    young = office(35)
    young[: -7 * 24] = 0
    found = last_week(keys(office(35, 2), young))
    assert not [spike for spike in found.spikes if spike.direction == "down"]


@pytest.mark.parametrize("step", [0.75, 0.6])
def test_a_lower_price_is_a_fall_within_half_a_day_and_lasts(step: float) -> None:
    tokens = office(35)
    price = np.where(np.arange(35 * 24) < 32 * 24, 1.0, step)
    (spike,) = priced(tokens * price, tokens).spikes
    assert spike.direction == "down"
    assert START + timedelta(days=32) < spike.detected_at <= START + timedelta(days=32, hours=12)
    assert spike.window.end_at == START + timedelta(days=35)
    assert spike.excess == pytest.approx((step - 1) * tokens[32 * 24 :].sum(), rel=0.2)


def test_cheap_traffic_on_top_is_no_fall_though_it_lowers_the_price() -> None:
    tokens = rhythm(35)
    more = np.where(np.arange(35 * 24) < 32 * 24, 0.0, 10.0)
    found = priced(tokens + 0.01 * more, tokens + more)
    assert not [spike for spike in found.spikes if spike.direction == "down"]
