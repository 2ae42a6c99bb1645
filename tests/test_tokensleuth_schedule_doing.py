"""The duties, each done as the service does them, against OpenAI's reports on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.schedule_cases import COMPLETE, DAY, HOUR, Watch, copied_watch, pulled_folder, watch_in
from tokensleuth.schedule.duties import BUDGETS, DETECT, RECONCILE, REFIT, REJUDGE, RETENTION, SYNC


@pytest.fixture(scope="session")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pulled_folder(tmp_path_factory.mktemp("pulled"))


@pytest.fixture
def watch(pulled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """After the first pull: ten days of usage until `COMPLETE`."""
    with copied_watch(pulled, tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    with watch_in(tmp_path, monkeypatch) as made:
        yield made


def test_the_first_pull_puts_up_the_last_complete_hour_and_later_ones_each_hour(watch: Watch) -> None:
    assert watch.planned(DETECT) == [COMPLETE]
    assert watch.do(SYNC).document["complete_until"] == "2026-11-20T14:00:00Z"
    assert watch.planned(DETECT) == [COMPLETE]
    watch.now += 5 * HOUR
    watch.do(SYNC)
    assert watch.planned(DETECT) == [COMPLETE + number * HOUR for number in range(6)]


def test_a_surge_is_alerted_once_however_often_its_hours_are_judged(watch: Watch) -> None:
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
    watch.do(DETECT, COMPLETE)
    watch.do(SYNC)
    assert watch.planned(REJUDGE) == []
    watch.surge(COMPLETE - HOUR, 9000, 400_000_000)
    watch.do(SYNC)
    assert len(watch.planned(REJUDGE)) == 1
    watch.do(REJUDGE)
    assert len(watch.letters("alert")) == 1


def test_hours_of_a_long_outage_are_judged_too(watch: Watch) -> None:
    watch.do(DETECT, COMPLETE)
    watch.usage(4, COMPLETE + 4 * DAY)
    watch.surge(COMPLETE + 3 * HOUR, 9000, 400_000_000)
    watch.now += 4 * DAY
    watch.do(SYNC)
    hours = [slot for slot in watch.planned(DETECT) if slot > COMPLETE]
    assert len(hours) == 4 * 24
    watch.do(DETECT, *hours)
    assert len(watch.letters("alert")) == 1


def test_too_little_usage_is_no_failure(empty: Watch) -> None:
    empty.usage(1, COMPLETE)
    empty.do(SYNC)
    assert "whole days" in empty.do(DETECT, COMPLETE).note
    assert "whole days" in empty.do(REFIT).note


def test_an_hour_that_ends_at_a_midnight_can_be_the_first(watch: Watch) -> None:
    watch.now = watch.now.replace(hour=1) + DAY
    midnight = watch.now.replace(hour=0, minute=0)
    watch.usage(1, midnight)
    watch.do(SYNC)
    assert watch.planned(DETECT)[-1] == midnight
    assert watch.do(DETECT, midnight).document["series_scored"]


def test_a_source_that_fails_becomes_a_notice_that_is_told_when_it_lasts_and_when_it_is_over(
    watch: Watch,
) -> None:
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
    watch.usage(5, COMPLETE + 5 * DAY)  # the rhythm of a source is learnt from two weeks
    watch.now += 5 * DAY
    watch.do(SYNC)
    assert watch.notices() == {}
    watch.now += DAY
    watch.do(SYNC)
    assert watch.notices() == {"openai": "data_stopped"}
    watch.surge(watch.now.replace(minute=0) - 2 * HOUR, 100, 300_000)
    watch.do(SYNC)
    assert watch.notices() == {}


def test_duties_with_nothing_to_do_say_so(empty: Watch) -> None:
    assert empty.do(BUDGETS).note == "no budget is set"
    assert empty.do(REFIT).note == "there is no usage yet"
    assert empty.do(RETENTION).note == "there is no usage yet"
    assert empty.do(RECONCILE).note == "there is no usage yet"


BUDGET = '[[budget]]\nname = "all"\nusd = 600\nalerts = [0.5, 1.0]\n'


def test_a_budget_that_is_crossed_is_told_once_each_share(
    pulled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with copied_watch(pulled, tmp_path, monkeypatch, BUDGET) as watch:
        watch.do(BUDGETS)
        first = watch.notices()
        assert set(first.values()) == {"budget"}
        told = watch.letters("bulletin")
        watch.do(BUDGETS)
        assert watch.letters("bulletin") == told
        watch.surge(COMPLETE, 9000, 80_000_000)
        watch.now += 2 * HOUR  # the hour that ends at 15:00 is complete an hour later
        watch.do(SYNC)
        watch.do(BUDGETS)
        assert len(set(watch.notices()) - set(first)) == 1
        assert len(watch.letters("bulletin")) == len(told) + 1


def test_what_was_told_of_budgets_is_over_when_no_budget_is_set_any_more(
    pulled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with copied_watch(pulled, tmp_path, monkeypatch, BUDGET) as watch:
        watch.do(BUDGETS)
        assert watch.notices()
    with watch_in(tmp_path, monkeypatch) as watch:
        watch.do(BUDGETS)
        assert watch.notices() == {}
