from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.statistics import BoolArray, FloatArray
from evals.detection.vus import vus_pr

HOURS = 250
"""The package takes 250 thresholds, so that on 250 hours it takes every score."""
PACKAGE_SAYS = {
    ("continuous", 0): 0.4947862776942018,
    ("continuous", 12): 0.6047991669774679,
    ("continuous", 24): 0.6496006058437475,
    ("ties", 0): 0.4199127294801715,
    ("ties", 12): 0.5203068797883394,
    ("ties", 24): 0.5651677488575851,
    ("late", 0): 0.30948356874750954,
    ("late", 12): 0.46828829572465513,
    ("late", 24): 0.5679223278074645,
}
"""`metricor().RangeAUC_volume_opt(labels, scores, L, 250)[5]` of PyPI `vus` 0.0.6, which is what its
`get_metrics(metric="vus")` returns as VUS_PR, on the cases of `case`."""


@dataclass(frozen=True, slots=True)
class Case:
    labels: BoolArray
    scores: FloatArray


def case(name: str) -> Case:
    """Events at both ends, two whose buffers overlap, one of a single hour; scores seeded."""
    labels = np.zeros(HOURS, dtype=bool)
    labels[[*range(3), *range(60, 75), *range(84, 90), 170, *range(240, 250)]] = True
    scores = np.random.default_rng(7).random(HOURS) + 0.35 * labels
    changed = {"continuous": scores, "ties": np.round(scores, 1), "late": np.roll(scores, 4)}
    return Case(labels, changed[name])


@pytest.mark.parametrize(("name", "longest"), PACKAGE_SAYS)
def test_the_figure_is_that_of_the_authors_package(name: str, longest: int) -> None:
    given_case = case(name)
    found = vus_pr(given_case.labels, given_case.scores, longest_buffer=longest)
    assert found == pytest.approx(PACKAGE_SAYS[name, longest], abs=1e-12)


def test_without_a_buffer_a_single_event_is_ranked_as_by_average_precision() -> None:
    """The event's hours come first and third: (1/1 + 2/3) / 2."""
    labels = np.array([False, True, True, False, False])
    assert vus_pr(labels, np.array([0.8, 0.9, 0.7, 0.1, 0.0]), longest_buffer=0) == pytest.approx(5 / 6)


def test_one_score_for_every_hour_is_worth_the_share_of_labelled_hours() -> None:
    labels = np.arange(100) < 10
    assert vus_pr(labels, np.zeros(100), longest_buffer=0) == pytest.approx(0.1)


def test_a_series_without_events_has_no_figure() -> None:
    assert np.isnan(vus_pr(np.zeros(5, dtype=bool), np.arange(5.0)))


def test_an_alarm_just_beside_an_event_is_worth_more_than_one_far_away() -> None:
    labels = (np.arange(200) >= 100) & (np.arange(200) < 104)
    near, far = np.where(np.arange(200) == 105, 1.0, 0.0), np.where(np.arange(200) == 180, 1.0, 0.0)
    assert vus_pr(labels, near) > vus_pr(labels, far)


def test_hours_not_judged_cost_no_precision() -> None:
    labels, scores = np.arange(50) == 10, np.arange(50.0)
    judged = np.arange(50) <= 10
    assert vus_pr(labels, scores, judged=judged, longest_buffer=0) == 1.0


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 30))
def test_the_figure_is_a_share_and_depends_on_the_order_of_scores_alone(seed: int, longest: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.random(60) < 0.2
    labels[30] = True
    scores = rng.integers(0, 20, 60).astype(np.float64)
    found = vus_pr(labels, scores, longest_buffer=longest)
    assert 0.0 <= found <= 1.0 + 1e-12
    assert vus_pr(labels, np.exp(scores), longest_buffer=longest) == pytest.approx(found)
