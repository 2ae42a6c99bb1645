"""How complete sources are: by their slowest report, less what may still change, and whether they speak."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.pulled import Stream
from ledger.window import HOUR, instant_text
from tests.reconciling_cases import BIG, Books, Source, books_in
from tests.usage_builder import usage
from tokensleuth.reconciling.completeness import Completeness, completeness
from tokensleuth.reconciling.standing import SourceState

NOW = datetime(2026, 11, 20, 9, 20, tzinfo=UTC)
TOP = NOW.replace(minute=0)
OPENAI, ANTHROPIC = Source("openai"), Source("anthropic")


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with books_in(tmp_path) as found:
        yield found


def mark(books: Books, source: str, stream: str, until: datetime, at: datetime = NOW) -> None:
    books.ledger.pulled.finish(Stream(source, stream), complete_until=until, keep=timedelta(days=3), now=at)


def state(books: Books, *feeds: Source, now: datetime = NOW) -> tuple[Completeness, SourceState]:
    found = completeness(books.ledger, feeds, now)
    return found, found.sources[0]


def heard(books: Books, first: datetime, last: datetime, *, name: str, at: datetime = NOW) -> None:
    """Something in every hour of the window."""
    count = int((last - first) / HOUR)
    rows = [usage(instant_text(first + i * HOUR), model=BIG, key_id="k") for i in range(count)]
    books.load(rows, name, at)


def test_a_source_is_complete_as_far_as_its_slowest_report(books: Books) -> None:
    mark(books, "openai", "completions", TOP)
    mark(books, "openai", "embeddings", TOP - 3 * HOUR)
    found, openai = state(books, OPENAI)
    assert openai.complete_until == TOP - 3 * HOUR == found.complete_until
    assert openai.standing == "behind"
    assert (
        openai.text == "openai embeddings: complete until 2026-11-20 06:00 UTC, 3 h behind; detection waits"
    )
    assert found.waits == (openai.text,)


def test_an_hour_counts_when_it_has_settled(books: Books) -> None:
    """OpenAI's may change for an hour: what was pulled at 09:20 is whole until 08:00."""
    mark(books, "openai", "completions", TOP)
    mark(books, "anthropic", "messages", TOP)
    found, openai = state(books, OPENAI, ANTHROPIC)
    assert openai.complete_until == TOP - HOUR
    assert found.sources[1].complete_until == TOP
    assert found.complete_until == TOP - HOUR
    assert [source.standing for source in found.sources] == ["complete", "complete"]


def test_daily_costs_hold_no_hour_back(books: Books) -> None:
    mark(books, "anthropic", "messages", TOP)
    mark(books, "anthropic", "costs", TOP - timedelta(days=2))
    assert state(books, ANTHROPIC)[0].complete_until == TOP


def test_a_source_that_is_behind_for_long_does_not_blind_the_others(books: Books) -> None:
    mark(books, "openai", "completions", TOP - 30 * HOUR, TOP - 29 * HOUR)
    mark(books, "anthropic", "messages", TOP)
    found, openai = state(books, OPENAI, ANTHROPIC)
    assert openai.standing == "given_up"
    assert openai.text.endswith("30 h behind; detection goes on without it")
    assert found.complete_until == TOP


def test_a_source_that_was_never_pulled_holds_nothing_back(books: Books) -> None:
    mark(books, "anthropic", "messages", TOP)
    found, openai = state(books, OPENAI, ANTHROPIC)
    assert (openai.standing, openai.complete_until) == ("never_pulled", None)
    assert found.complete_until == TOP


def test_without_anything_that_arrives_by_itself_the_ledger_is_taken_as_it_is(books: Books) -> None:
    heard(books, TOP - 5 * HOUR, TOP - 2 * HOUR, name="export.csv")
    found, files = state(books)
    assert found.complete_until is None
    assert (files.source, files.standing, files.stopped) == ("files", "loaded", False)
    assert "last loaded 2026-11-20 09:20 UTC" in files.text


def test_data_that_stopped_arriving_is_told_though_the_pull_goes_on(books: Books) -> None:
    heard(books, TOP - timedelta(weeks=4), TOP - 6 * HOUR, name="anthropic.messages.jsonl")
    mark(books, "anthropic", "messages", TOP)
    found, anthropic = state(books, ANTHROPIC)
    assert anthropic.standing == "stopped"
    assert anthropic.last_hour == TOP - 7 * HOUR
    assert anthropic.silence is not None
    assert anthropic.silence.stopped_at == TOP - 2 * HOUR
    assert "nothing was used since 2026-11-20 03:00 UTC, longer than usual" in anthropic.text
    assert found.stopped == (anthropic,)
    assert found.complete_until == TOP


def test_hours_that_were_not_pulled_are_no_silence(books: Books) -> None:
    heard(books, TOP - timedelta(weeks=4), TOP - 6 * HOUR, name="anthropic.messages.jsonl")
    mark(books, "anthropic", "messages", TOP - 6 * HOUR, TOP - 5 * HOUR)
    anthropic = state(books, ANTHROPIC)[1]
    assert (anthropic.standing, anthropic.stopped) == ("behind", False)


def test_rows_that_were_emptied_are_silence(books: Books) -> None:
    heard(books, TOP - timedelta(weeks=4), TOP - 6 * HOUR, name="anthropic.messages.jsonl")
    empty = usage(instant_text(TOP - HOUR), model=BIG, requests=0, input_tokens=0, output_tokens=0)
    books.load([empty], "anthropic.messages.jsonl")
    mark(books, "anthropic", "messages", TOP)
    assert state(books, ANTHROPIC)[1].stopped


def test_files_that_come_every_day_are_missed_after_some_days(books: Books) -> None:
    for number in range(28):
        at = TOP - timedelta(days=28 - number)
        heard(books, at - 3 * HOUR, at, name=f"day{number}.csv", at=at)
    assert not state(books)[1].stopped
    later = NOW + timedelta(days=5)
    assert state(books, now=later)[1].standing == "stopped"


def test_the_document_says_all_of_it(books: Books) -> None:
    mark(books, "openai", "completions", TOP)
    document = state(books, OPENAI)[0].as_json()
    assert document["complete_until"] == "2026-11-20T08:00:00Z"
    (source,) = cast(list[dict[str, object]], document["sources"])
    assert source["lag_seconds"] == 4800


REPORTS = st.sampled_from(("completions", "embeddings", "images"))
PULLS = st.lists(st.tuples(REPORTS, st.integers(0, 30), st.integers(0, 90)), min_size=1, max_size=6)


def test_what_is_pushed_is_complete_when_it_has_settled(books: Books) -> None:
    """Clients export once a minute."""
    heard(books, TOP - timedelta(weeks=3), TOP, name="receiver")
    books.ledger.pulled.connection.execute("update loads set format = 'otlp'")
    found, otlp = state(books)
    assert (otlp.source, otlp.complete_until, found.complete_until) == ("otlp", TOP, TOP)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pulls=PULLS)
def test_no_report_that_is_waited_for_is_ever_overtaken(
    tmp_path_factory: pytest.TempPathFactory, pulls: list[tuple[str, int, int]]
) -> None:
    with books_in(tmp_path_factory.mktemp("marks")) as books:
        reached: dict[str, datetime] = {}
        for stream, hours, minutes in pulls:
            until = TOP - hours * HOUR
            mark(books, "openai", stream, until, until + timedelta(minutes=minutes))
            reached[stream] = max(reached.get(stream, until), until)
        found, openai = state(books, OPENAI)
        assert openai.complete_until is not None
        assert openai.complete_until <= min(reached.values())
        if openai.standing in ("behind", "complete"):
            assert found.complete_until == openai.complete_until
        else:
            assert found.complete_until is None
