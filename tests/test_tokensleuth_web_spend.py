"""The spend explorer: sums that add up, ranges that are refused by name, bars that fill the page."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path

import pytest

from ledger.errors import RefusedError
from ledger.reader import Reader
from ledger.store import Ledger, open_ledger
from ledger.window import Window
from tests.ledger_builder import Cell, LedgerBuilder, at
from tests.web_site import browser, casebook_in, parts_over
from tokensleuth.casebook import Casebook
from tokensleuth.web.spend import MOST_ROWS, Question, asked, spend

EXTENT = Window(at(0), at(20, 5))
TEAMS = ("search", "ads", "<b>ops</b>")


@pytest.fixture
def casebook(tmp_path: Path) -> Iterator[Casebook]:
    with casebook_in(tmp_path) as opened:
        yield opened


def reader(teams: tuple[str, ...] = TEAMS) -> Reader:
    """Three days; the first team spends three times what the last does."""
    builder = LedgerBuilder()
    for number, team in enumerate(teams):
        builder.run(Cell(team=team, requests=100 * (len(teams) - number)), days=3, shape=lambda _: 1.0)
    return builder.reader()


def question(
    by: str = "team", *, first: str = "2026-10-05", last: str = "2026-10-07", **more: str
) -> Question:
    where = [f"{name}={value}" for name, value in more.items()]
    return asked(EXTENT, by=by, metric="cost_usd", first=first, last=last, where=where)


def test_rows_days_and_total_add_up() -> None:
    found = spend(reader(), question())
    assert [row.value for row in found.rows] == list(TEAMS)
    assert sum(row.total for row in found.rows) == pytest.approx(found.total)
    assert sum(found.by_day) == pytest.approx(found.total)
    assert sum(row.share or 0 for row in found.rows) == pytest.approx(1)
    assert found.days == [date(2026, 10, 5), date(2026, 10, 6), date(2026, 10, 7)]


def test_a_part_is_looked_into_by_another_dimension() -> None:
    found = spend(reader(), question("key_id", team="ads"))
    whole = spend(reader(), question())
    assert found.total == pytest.approx(whole.rows[1].total)


def test_the_bars_reach_from_the_ground_to_the_highest_day() -> None:
    found = spend(reader(), question())
    assert min(stack.top for stack in found.stacks) == pytest.approx(0)
    for day in range(3):
        assert sum(s.height for s in found.stacks if s.day == day) == pytest.approx(100, abs=2)


def test_many_values_end_in_a_row_of_all_others() -> None:
    teams = tuple(f"team-{n:02}" for n in range(MOST_ROWS + 5))
    found = spend(reader(teams), question())
    assert found.left_out == 5
    assert found.rows[-1].value is None
    assert sum(row.total for row in found.rows) == pytest.approx(found.total)


def test_without_days_the_last_two_weeks_of_usage_are_shown() -> None:
    found = asked(EXTENT, by="team", metric="cost_usd", first=None, last=None, where=())
    assert (found.first, found.last) == (date(2026, 10, 12), date(2026, 10, 25))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"by": "colour"}, "unknown dimension `colour`"),
        ({"metric": "euros"}, "`euros` is not counted"),
        ({"first": "yesterday"}, "`yesterday` is not a day"),
        ({"first": "2026-10-25", "last": "2026-10-05"}, "is not a range of 1 to 92 days"),
        ({"first": "2025-10-05", "last": "2026-10-05"}, "is not a range of 1 to 92 days"),
        ({"where": ["team"]}, "`team` is not of the form"),
    ],
)
def test_a_wrong_question_is_refused_by_name(given: dict[str, object], told: str) -> None:
    right: dict[str, object] = {"by": "team", "metric": "cost_usd", "first": None, "last": None, "where": []}
    with pytest.raises(RefusedError, match=told):
        asked(EXTENT, **(right | given))  # type: ignore[arg-type]


def opening(ledger: Ledger, reader: Reader | None = None) -> Callable[[], AbstractContextManager[Ledger]]:
    """Gives the ledger, with another reader where one is given."""

    @contextmanager
    def opened() -> Iterator[Ledger]:
        if reader is not None:
            ledger.reader = reader
        yield ledger

    return opened


def test_the_page_shows_the_table_with_names_as_text(casebook: Casebook, tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.duckdb") as ledger:
        client = browser(parts_over(casebook, ledger=opening(ledger, reader())), "alice")
        html = client.get("/spend?by=team&from=2026-10-05&to=2026-10-07&where=").text
        assert "&lt;b&gt;ops&lt;/b&gt;" in html
        assert "where=team%3D%3Cb%3Eops%3C%2Fb%3E" in html
        assert client.get("/spend?by=key_id&where=team=ads&where=model=gpt-big").status_code == 200


def test_an_empty_ledger_says_how_to_fill_it(casebook: Casebook, tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.duckdb") as ledger:
        html = browser(parts_over(casebook, ledger=opening(ledger)), "alice").get("/spend").text
    assert "tokensleuth ingest usage.csv" in html


@pytest.mark.parametrize("query", ["by=colour", "from=x", "metric=euros", "where=team"])
def test_a_wrong_query_is_told_on_the_page(casebook: Casebook, tmp_path: Path, query: str) -> None:
    with open_ledger(tmp_path / "ledger.duckdb") as ledger:
        client = browser(parts_over(casebook, ledger=opening(ledger, reader())), "alice")
        assert client.get(f"/spend?{query}").status_code == 400
