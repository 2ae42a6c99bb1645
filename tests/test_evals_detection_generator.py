from itertools import pairwise

import numpy as np
import pytest

from evals.detection.generator import generate_set
from evals.detection.generator.families import SHARES
from evals.detection.spend_set import Event, SpendSet


@pytest.fixture(scope="module")
def spend() -> SpendSet:
    return generate_set(7, series=136)


@pytest.fixture(scope="module")
def calm() -> SpendSet:
    return generate_set(7, series=136, incidents=False)


def events_of(spend: SpendSet, row: int) -> list[Event]:
    return [event for event in spend.events if event.row == row]


def test_the_same_seed_gives_the_same_set_and_another_seed_another() -> None:
    first, again, other = (generate_set(seed, series=20) for seed in (3, 3, 4))
    assert first.tokens is not None
    assert again.tokens is not None
    np.testing.assert_array_equal(first.cost_usd, again.cost_usd)
    np.testing.assert_array_equal(first.tokens, again.tokens)
    assert first.events == again.events
    assert not np.array_equal(first.cost_usd, other.cost_usd)
    assert first.events != other.events


def test_the_excess_is_what_the_incident_added(spend: SpendSet, calm: SpendSet) -> None:
    difference = spend.cost_usd - calm.cost_usd
    for event in spend.events:
        added = difference[event.row, event.start : event.end].sum()
        assert abs(added) == pytest.approx(event.excess_usd, rel=1e-9)
        assert (added < 0) == (event.kind == "drop_to_zero")
        difference[event.row, event.start : event.end] = 0
    assert not difference.any()


def test_incidents_lie_in_the_hours_to_score_and_rest_two_days_between(spend: SpendSet) -> None:
    for row in range(len(spend.names)):
        events = events_of(spend, row)
        assert len(events) <= 4
        assert all(spend.history_hours <= e.start < e.end <= spend.cost_usd.shape[1] for e in events)
        assert all(after.start - before.end >= 48 for before, after in pairwise(events))


def test_only_a_price_jump_changes_dollars_per_token(spend: SpendSet, calm: SpendSet) -> None:
    assert spend.tokens is not None
    assert calm.tokens is not None
    for event in spend.events:
        hours = (event.row, slice(event.start, event.end))
        if event.kind == "price_jump":
            np.testing.assert_array_equal(spend.tokens[hours], calm.tokens[hours])
        elif calm.tokens[hours].all():
            before = calm.cost_usd[hours] / calm.tokens[hours]
            np.testing.assert_allclose(spend.cost_usd[hours] / spend.tokens[hours], before, rtol=1e-9)


def test_young_series_begin_five_to_fourteen_days_before_scoring(spend: SpendSet) -> None:
    for row, first_hour in enumerate(spend.first_hour):
        young = spend.family[row] == "young"
        assert (first_hour > 0) == young
        assert not spend.cost_usd[row, :first_hour].any()
        if young:
            assert 5 * 24 <= spend.history_hours - first_hour <= 14 * 24


def test_families_have_the_shares_of_the_development_set(spend: SpendSet) -> None:
    names, counts = np.unique(spend.family, return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {f: 2 * n for f, n in SHARES.items()}


def test_intermittent_series_are_mostly_empty_and_the_others_are_not(spend: SpendSet) -> None:
    history = spend.cost_usd[:, : spend.history_hours]
    empty = (history == 0).mean(axis=1)
    assert (empty[spend.family == "intermittent"] > 0.5).all()
    assert (empty[np.isin(spend.family, ("key", "synthetic", "team"))] < 0.4).all()


def test_an_incident_counts_when_its_excess_is_some_hours_of_mean_spend(spend: SpendSet) -> None:
    for event in spend.events:
        mean_usd = spend.cost_usd[event.row, spend.first_hour[event.row] : spend.history_hours].mean()
        least = 12 if event.kind in ("level_shift", "slow_ramp", "weekend_batch", "price_jump") else 6
        assert event.counts == (event.excess_usd >= least * mean_usd)


def test_weekend_batches_begin_on_a_weekend_and_leaks_at_night(spend: SpendSet) -> None:
    for event in spend.events:
        weekday, hour = (spend.start_at.weekday() + event.start // 24) % 7, event.start % 24
        assert event.kind != "weekend_batch" or (weekday >= 5 and hour <= 3)
        assert event.kind != "leaked_key_night" or hour <= 2


def test_keys_repeat_the_days_of_given_clients() -> None:
    clients = np.tile(np.repeat(np.arange(1.0, 8.0) ** 2, 24), 2)[None, :]
    spend = generate_set(5, series=8, real_clients=clients, incidents=False)
    days = spend.cost_usd[spend.family == "key"].reshape(-1, spend.cost_usd.shape[1] // 24, 24).mean(axis=2)
    weekday = (spend.start_at.weekday() + np.arange(days.shape[1])) % 7
    assert (np.median(days[:, weekday == 6], axis=1) > 3 * np.median(days[:, weekday == 0], axis=1)).all()


def test_other_lengths_are_kept() -> None:
    spend = generate_set(2, series=10, history_days=30, scored_days=14)
    assert spend.cost_usd.shape == (10, 44 * 24)
    assert (spend.history_hours, spend.hours_scored) == (30 * 24, 14 * 24)
