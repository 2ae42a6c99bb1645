"""The duties, each done as the service does them, against OpenAI's reports on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.schedule_cases import COMPLETE, DAY, HOUR, Watch, watch_in
from tokensleuth.schedule.duties import BUDGETS, DETECT, RECONCILE, REFIT, REJUDGE, RETENTION, SYNC


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    with watch_in(tmp_path, monkeypatch) as made:
        yield made


def test_the_first_pull_puts_up_the_last_complete_hour_and_later_ones_each_hour(watch: Watch) -> None:
    watch.usage(10, COMPLETE + HOUR)
    report = watch.do(SYNC)
    assert watch.planned(DETECT) == [COMPLETE]
    assert report.document["complete_until"] == "2026-11-20T14:00:00Z"
    watch.now += 5 * HOUR
    watch.do(SYNC)
    assert watch.planned(DETECT) == [COMPLETE + number * HOUR for number in range(6)]


def test_a_surge_is_alerted_once_however_often_its_hours_are_judged(watch: Watch) -> None:
    watch.usage(14, COMPLETE + 2 * HOUR)
    watch.do(SYNC)
    watch.do(DETECT, COMPLETE)
    assert watch.letters("alert") == []
    watch.surge(COMPLETE, 9000, 400_000_000)
    watch.now += HOUR
    watch.do(SYNC)
    watch.do(DETECT, COMPLETE + HOUR)
    told = watch.letters("alert")
    assert len(told) == 1
    watch.do(REJUDGE)
    watch.now += HOUR
    watch.do(SYNC)
    watch.do(DETECT, COMPLETE + 2 * HOUR)
    assert watch.letters("alert") == told


def test_usage_that_comes_late_has_its_hours_judged_again(watch: Watch) -> None:
    watch.usage(14, COMPLETE)
    watch.do(SYNC)
    watch.do(DETECT, COMPLETE)
    assert watch.planned(REJUDGE) == []
    watch.surge(COMPLETE - HOUR, 9000, 400_000_000)
    watch.do(SYNC)
    assert len(watch.planned(REJUDGE)) == 1
    watch.do(REJUDGE)
    assert len(watch.letters("alert")) == 1


def test_hours_of_a_long_outage_are_judged_too(watch: Watch) -> None:
    watch.usage(20, COMPLETE + 5 * DAY)
    watch.surge(COMPLETE + DAY, 9000, 400_000_000)
    watch.do(SYNC)
    watch.do(DETECT, COMPLETE)
    watch.now += 5 * DAY
    watch.do(SYNC)
    hours = [slot for slot in watch.planned(DETECT) if slot > COMPLETE]
    assert len(hours) == 5 * 24
    watch.do(DETECT, *hours)
    assert len(watch.letters("alert")) == 1


def test_too_little_usage_is_no_failure(watch: Watch) -> None:
    watch.usage(1, COMPLETE)
    watch.do(SYNC)
    assert "whole days" in watch.do(DETECT, COMPLETE).note
    assert "whole days" in watch.do(REFIT).note


def test_an_hour_that_ends_at_a_midnight_can_be_the_first(watch: Watch) -> None:
    watch.now = watch.now.replace(hour=1)
    midnight = watch.now.replace(hour=0, minute=0)
    watch.usage(10, midnight)
    watch.do(SYNC)
    assert watch.planned(DETECT) == [midnight]
    assert watch.do(DETECT, midnight).document["series_scored"]


def test_a_source_that_fails_becomes_a_notice_that_is_told_when_it_lasts_and_when_it_is_over(
    watch: Watch,
) -> None:
    watch.usage(10, COMPLETE)
    watch.do(SYNC)
    watch.fake.key = "sk-admin-rotated-0123456789"
    watch.now += 2 * HOUR
    watch.do(SYNC)
    assert watch.notices() == {"openai": "source_failing"}
    assert watch.letters("bulletin") == []
    watch.now += HOUR
    watch.do(SYNC)
    assert len(watch.letters("bulletin")) == 1
    watch.fake.key = "sk-admin-fake-usage-0123456789"
    watch.do(SYNC)
    assert watch.notices() == {}
    assert len(watch.letters("bulletin")) == 2


def test_data_that_stopped_is_told_even_though_the_source_answers(watch: Watch) -> None:
    watch.usage(18, COMPLETE)
    watch.do(SYNC)
    assert watch.notices() == {}
    watch.now += DAY
    watch.do(SYNC)
    assert watch.notices() == {"openai": "data_stopped"}
    watch.surge(watch.now.replace(minute=0) - 2 * HOUR, 100, 300_000)
    watch.do(SYNC)
    assert watch.notices() == {}


def test_duties_with_nothing_to_do_say_so(watch: Watch) -> None:
    assert watch.do(BUDGETS).note == "no budget is set"
    assert watch.do(REFIT).note == "there is no usage yet"
    assert watch.do(RETENTION).note == "there is no usage yet"
    assert watch.do(RECONCILE).note == "there is no usage yet"


def test_a_budget_that_is_crossed_is_told_once_each_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = '[[budget]]\nname = "all"\nusd = 100\nalerts = [0.5, 1.0]\n'
    with watch_in(tmp_path, monkeypatch, budget) as watch:
        watch.usage(19, COMPLETE)
        watch.do(SYNC)
        watch.do(BUDGETS)
        first = watch.notices()
        assert set(first.values()) == {"budget"}
        told = watch.letters("bulletin")
        watch.do(BUDGETS)
        assert watch.letters("bulletin") == told
        watch.surge(COMPLETE, 9000, 40_000_000)
        watch.now += HOUR
        watch.do(SYNC)
        watch.do(BUDGETS)
        assert set(first) < set(watch.notices())
