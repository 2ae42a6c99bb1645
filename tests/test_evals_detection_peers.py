from datetime import UTC, datetime

import numpy as np
import pytest

from detectors.statistics import FloatArray
from evals.detection.method import Method
from evals.detection.peers.daily import DailyRule
from evals.detection.peers.registry import LeftOut, PackagedPeer, load_peer, peer_names
from evals.detection.peers.rolling import WeekMeanRatio
from evals.detection.peers.scale import in_units, mad_sigma
from evals.detection.peers.seasonal_esd import critical_value, without_outliers
from evals.detection.spend_set import SpendSet

HISTORY_HOURS = 21 * 24
HOURS = HISTORY_HOURS + 6 * 24 + 7
SMOOTH, INTERMITTENT, YOUNG = range(3)
SPIKE = HISTORY_HOURS + 2 * 24 + 15

LOADED = [load_peer(name) for name in peer_names()]
each_peer = pytest.mark.parametrize(
    "peer", [peer for peer in LOADED if not isinstance(peer, LeftOut)], ids=lambda peer: peer.name
)


def spend_set(cost_usd: FloatArray) -> SpendSet:
    first_hour = np.array([0, 0, HISTORY_HOURS - 5 * 24])
    kept = np.arange(HOURS) >= first_hour[:, None]
    family = np.array(["key", "intermittent", "young"])
    return SpendSet(
        "test",
        datetime(2026, 6, 1, tzinfo=UTC),
        ("smooth", "empty-often", "new"),
        family,
        np.where(kept, cost_usd, 0.0),
        None,
        first_hour,
        HISTORY_HOURS,
        (),
    )


def quiet_cost() -> FloatArray:
    rng = np.random.default_rng(7)
    day = 20 + 10 * np.sin(np.arange(HOURS) * 2 * np.pi / 24)
    noisy = day + rng.normal(0, 1, HOURS)
    some = np.where(rng.random(HOURS) < 0.2, rng.gamma(2, 3, HOURS), 0.0)
    return np.stack([noisy, some, day + rng.normal(0, 2, HOURS)])


@each_peer
def test_every_hour_gets_a_finite_score(peer: Method) -> None:
    scores = peer.scores(spend_set(quiet_cost()))

    assert scores.shape == (3, HOURS - HISTORY_HOURS)
    assert np.isfinite(scores).all()


@each_peer
def test_later_hours_change_no_earlier_score(peer: Method) -> None:
    cost = quiet_cost()
    before = peer.scores(spend_set(cost))
    changed = cost.copy()
    changed[:, SPIKE:] = cost[:, SPIKE:][:, ::-1] * 3 + 50

    after = peer.scores(spend_set(changed))

    judged = SPIKE - HISTORY_HOURS
    np.testing.assert_allclose(after[:, :judged], before[:, :judged], rtol=1e-9, atol=1e-12)


@each_peer
def test_the_same_hours_get_the_same_scores(peer: Method) -> None:
    spend = spend_set(quiet_cost())

    np.testing.assert_array_equal(peer.scores(spend), peer.scores(spend))


@each_peer
@pytest.mark.parametrize("row", [SMOOTH, INTERMITTENT, YOUNG])
def test_a_large_spike_scores_highest_within_a_day(peer: Method, row: int) -> None:
    cost = quiet_cost()
    cost[row, SPIKE : SPIKE + 3] += 900

    scores = peer.scores(spend_set(cost))[row]

    highest = int(np.nanargmax(scores)) + HISTORY_HOURS
    assert SPIKE <= highest < SPIKE + 24


@each_peer
def test_a_flat_series_never_scores_above_a_spike(peer: Method) -> None:
    cost = np.full((3, HOURS), 5.0)
    cost[SMOOTH, SPIKE] = 500

    scores = peer.scores(spend_set(cost))

    assert np.nanmax(scores[INTERMITTENT]) <= np.nanmax(scores[SMOOTH])


def test_names_are_unique() -> None:
    assert len(set(peer_names())) == len(peer_names())


def test_a_peer_has_the_name_it_is_listed_under() -> None:
    assert [peer.name for peer in LOADED] == list(peer_names())


def test_a_peer_without_its_package_is_left_out_with_the_reason() -> None:
    def load() -> Method:
        raise ImportError("No module named 'stumpy'")

    peer = load_peer("left matrix profile", (PackagedPeer("left matrix profile", load),))

    assert isinstance(peer, LeftOut)
    assert peer.reason == "No module named 'stumpy'; `make bench-detect` installs it"


def test_the_gateway_rule_divides_by_the_mean_of_the_week_before() -> None:
    cost = np.full((3, HOURS), 2.0)
    cost[SMOOTH, SPIKE] = 6

    scores = WeekMeanRatio().scores(spend_set(cost))

    assert scores[SMOOTH, SPIKE - HISTORY_HOURS] == pytest.approx(3)


def test_a_day_is_judged_from_its_last_hour_for_a_day() -> None:
    cost = np.full((3, HOURS), 10.0)
    third_day = HISTORY_HOURS + 2 * 24
    cost[SMOOTH, third_day : third_day + 24] = 14

    scores = DailyRule("daily").scores(spend_set(cost))[SMOOTH]

    last_hour = 2 * 24 + 23
    assert scores[last_hour - 1] == pytest.approx(0)
    np.testing.assert_allclose(scores[last_hour : last_hour + 24], 0.4)


def test_an_excess_under_the_least_dollars_is_no_alarm() -> None:
    cost = np.full((3, HOURS), 10.0)
    cost[SMOOTH, SPIKE] = 109

    scores = DailyRule("daily", least_usd=100.0).scores(spend_set(cost))[SMOOTH]

    assert np.nanmax(scores) <= 0


@pytest.mark.parametrize(("count", "value"), [(54, 3.159), (53, 3.151), (45, 3.085)])
def test_critical_values_are_those_of_the_nist_handbook(count: int, value: float) -> None:
    # NIST/SEMATECH e-Handbook 1.3.5.17.3, Rosner's 54 points at 5 %.
    assert critical_value(count, "both") == pytest.approx(value, abs=6e-4)


def test_the_esd_test_takes_out_the_outliers_and_nothing_else() -> None:
    normal = np.random.default_rng(3).normal(0, 1, 300)

    left = without_outliers(np.concatenate([normal, [30.0, 40.0, 50.0]]), "up")

    np.testing.assert_array_equal(left, normal)


def test_a_mostly_empty_series_has_a_scale() -> None:
    assert mad_sigma(np.array([0.0, 0, 0, 0, 8])) == pytest.approx(1.2533 * 1.6)


def test_a_scale_of_nothing_becomes_a_hundredth_of_the_level() -> None:
    assert in_units(np.array([-3.0]), 0.0, 10.0, "both") == pytest.approx(30)
