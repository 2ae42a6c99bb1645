"""Duties when usage comes late, a source was away, the ledger is gone, or one incident is not to be read."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from agent.investigation import Subject
from ledger.errors import RefusedError
from ledger.scope import EVERYTHING
from ledger.window import Window
from tests.schedule_cases import COMPLETE, DAY, HOUR, Watch, copied_watch, pulled_folder, watch_in
from tokensleuth.casebook.runs import claim_runs, finish_runs, plan_runs
from tokensleuth.investigation import Asked
from tokensleuth.schedule.doing.investigating import investigate_each
from tokensleuth.schedule.duties import DETECT, DIGEST, REFIT, REJUDGE, SYNC
from tokensleuth.schedule.report import NotYetError
from tokensleuth.unpriced import Unpriced


@pytest.fixture(scope="session")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pulled_folder(tmp_path_factory.mktemp("pulled"))


@pytest.fixture
def watch(pulled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    with copied_watch(pulled, tmp_path, monkeypatch) as made:
        yield made


def close(watch: Watch, hours: int) -> None:
    """So many hours after `COMPLETE` are judged, as where another source went on."""
    with watch.casebook.writing() as connection:
        plan_runs(connection, DETECT, [COMPLETE + n * HOUR for n in range(1, hours + 1)], watch.now)
        batch = claim_runs(connection, [DETECT], "a", watch.now, HOUR)
        assert batch is not None
        finish_runs(
            connection, batch, "a", state="done", note="", document=None, now=watch.now, seconds=1
        )  # fmt: skip


def test_hours_of_a_source_that_was_away_for_days_are_judged_again_when_it_is_back(watch: Watch) -> None:
    key, watch.fake.key = watch.fake.key, "sk-admin-rotated-0123456789"
    watch.usage(4, COMPLETE + 4 * DAY)
    watch.surge(COMPLETE + 3 * HOUR, 9000, 400_000_000)
    watch.now += 4 * DAY
    watch.do(SYNC)
    close(watch, 4 * 24)
    assert watch.planned(DETECT, "due") == []
    watch.fake.key = key
    watch.do(SYNC)
    again = watch.planned(DETECT, "due")
    assert again[0] == COMPLETE + HOUR
    assert again[-1] == COMPLETE + 24 * HOUR  # each judgement looks back to the other 72
    assert len(watch.planned(REJUDGE)) == 1
    watch.do(DETECT, *again)
    assert len(watch.letters("alert")) == 1


def test_usage_of_hours_that_are_not_complete_has_nothing_judged_again(watch: Watch) -> None:
    watch.do(SYNC)
    watch.surge(COMPLETE, 100, 300_000)
    watch.do(SYNC)
    watch.surge(COMPLETE, 100, 300_000)
    assert "1 rows" in watch.do(SYNC).note
    assert watch.planned(REJUDGE) == []


def test_an_incident_that_does_not_change_is_looked_into_once(watch: Watch) -> None:
    watch.surge(COMPLETE, 9000, 400_000_000)
    watch.usage(1, COMPLETE + 7 * HOUR, tokens=299_000)
    watch.now += HOUR
    watch.do(SYNC)
    seen = [watch.do(DETECT, COMPLETE + HOUR).document["incidents"]]
    watch.now += 6 * HOUR
    watch.do(SYNC)
    seen += [watch.do(DETECT, COMPLETE + number * HOUR).document["incidents"] for number in range(2, 8)]
    assert len(seen[0]) == 1  # type: ignore[arg-type]
    assert sum(bool(ids) for ids in seen) <= 2  # once more when it is over
    assert len(watch.letters("alert")) == 1


def test_an_hour_is_not_closed_while_the_ledger_is_away(watch: Watch) -> None:
    ledger = watch.app.settings.store.ledger
    ledger.rename(ledger.with_suffix(".away"))
    with pytest.raises(RefusedError, match="no ledger"):
        watch.do(DETECT, COMPLETE)


def test_models_are_learnt_when_the_day_is_complete_or_after_six_hours(watch: Watch) -> None:
    watch.now = watch.now.replace(hour=0, minute=20) + DAY
    watch.do(SYNC)
    with pytest.raises(NotYetError, match="not until midnight"):
        watch.do(REFIT, watch.now)
    slot = watch.now
    watch.now += 6 * HOUR
    assert watch.do(REFIT, slot).note.startswith("learnt until")


def test_a_digest_waits_for_the_first_pull_but_not_forever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watch_in(tmp_path, monkeypatch) as watch:
        monday = COMPLETE.replace(hour=0) - 4 * DAY
        watch.now = monday + 8 * HOUR
        with pytest.raises(NotYetError, match="nothing was pulled"):
            watch.do(DIGEST, monday)
        watch.now = monday + 2 * DAY
        assert watch.do(DIGEST, monday).note == "there is no usage yet"


def test_an_incident_that_cannot_be_looked_into_hides_no_other(watch: Watch) -> None:
    window = Window(COMPLETE - 3 * HOUR, COMPLETE)
    subject = Subject(incident_id="inc_whole", window=window, scope=EVERYTHING, expected_pico=1)
    broken = subject.model_copy(update={"incident_id": "inc_broken", "window": None})
    last = subject.model_copy(update={"incident_id": "inc_last"})
    asked = Asked(window, (subject, broken, last), 3, Decimal(0), Unpriced())
    with watch.app.reading_ledger() as ledger:
        each = investigate_each(watch.app, ledger.reader, watch.casebook, asked, watch.now)
    assert each.ids == ("inc_whole", "inc_last")
    assert len(each.failed) == 1
    assert each.failed[0].startswith("inc_broken: ")
    assert watch.casebook.incident("inc_last", now=watch.now) is not None
