"""A digest is kept and told once for each week and audience, whoever asks how often, on each database."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from tests.conftest import CASEBOOK_KEY
from tests.digest_cases import HOSTILE, MADE_AT, WEEK, given, reader
from tests.slack_desk import KEY, RULES, desk_at
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.digests import read_digest
from tokensleuth.casebook.schema_acts import outbox
from tokensleuth.digest.audiences import Audience, organisation, told_teams
from tokensleuth.digest.building import WeekBook, read_week
from tokensleuth.digest.posting import Posted, letter_id, post_audiences
from tokensleuth.digest.settings import DigestSettings
from tokensleuth.digesting import message_of
from tokensleuth.settings_acts import Route
from tokensleuth.slackapp.letters import LetterRendering

EVERYBODY = Audience(None, ("C0ALL",))
SEARCH = Audience("search", ("C0SEARCH", "C0LEADS"))


def book(casebook: Casebook) -> WeekBook:
    return read_week(reader(), casebook, WEEK, given(), MADE_AT, by_team=True)


def post(casebook: Casebook, *audiences: Audience) -> list[Posted]:
    return post_audiences(casebook, book(casebook), audiences, message_of, MADE_AT)


def letters(casebook: Casebook) -> list[str]:
    with casebook.reading() as connection:
        found = connection.execute(select(outbox).order_by(outbox.c.number)).mappings()
        return [f"{row['letter']['audience']} {row['letter']['channel']}" for row in found]


def test_each_audience_is_told_in_its_channels(casebook: Casebook) -> None:
    told = post(casebook, EVERYBODY, SEARCH)
    assert [(p.audience, p.is_new, p.channels) for p in told] == [
        ("organisation", True, ("C0ALL",)),
        ("team:search", True, ("C0SEARCH", "C0LEADS")),
    ]
    assert letters(casebook) == ["organisation C0ALL", "team:search C0SEARCH", "team:search C0LEADS"]


def test_a_second_time_nothing_is_made_or_told(casebook: Casebook) -> None:
    post(casebook, EVERYBODY)
    with casebook.reading() as connection:
        before = read_digest(connection, "2026-W45", "organisation")
    assert [(p.is_new, p.channels) for p in post(casebook, EVERYBODY)] == [(False, ())]
    with casebook.reading() as connection:
        assert read_digest(connection, "2026-W45", "organisation") == before
    assert len(letters(casebook)) == 1


def test_another_channel_later_changes_nothing(casebook: Casebook) -> None:
    post(casebook, EVERYBODY)
    post(casebook, Audience(None, ("C0OTHER",)))
    assert letters(casebook) == ["organisation C0ALL"]


def test_what_was_kept_while_no_channel_was_set_is_told_once_there_is_one(casebook: Casebook) -> None:
    post(casebook, Audience(None, ()))
    told = [post(casebook, EVERYBODY)[0], post(casebook, EVERYBODY)[0]]
    assert [(p.is_new, p.channels) for p in told] == [(False, ("C0ALL",)), (False, ())]


def test_a_letter_that_retention_removed_is_not_written_again(casebook: Casebook) -> None:
    post(casebook, EVERYBODY)
    with casebook.writing() as connection:
        connection.execute(delete(outbox))
    post(casebook, EVERYBODY)
    assert letters(casebook) == []


def test_of_several_that_post_at_once_one_does(casebook_url: str) -> None:
    def run(_: int) -> bool:
        with Casebook.open(casebook_url, key=CASEBOOK_KEY) as own:
            return post_audiences(own, made, [EVERYBODY], message_of, MADE_AT)[0].is_new

    with Casebook.open(casebook_url, key=CASEBOOK_KEY) as casebook:
        made = book(casebook)
        with ThreadPoolExecutor(4) as pool:
            told = list(pool.map(run, range(4)))
        assert sorted(told) == [False, False, False, True]
        assert len(letters(casebook)) == 1


def test_a_message_goes_out_once_with_its_chart(tmp_path: Path) -> None:
    with desk_at(tmp_path) as desk:
        desk.sender.render = LetterRendering(KEY, RULES, desk.clock)
        post_audiences(desk.casebook, book(desk.casebook), [EVERYBODY], message_of, desk.clock())
        desk.send_all()
        post_audiences(desk.casebook, book(desk.casebook), [EVERYBODY], message_of, desk.clock())
        desk.send_all()
        [message] = desk.posted("C0ALL")
        files = [str(file["file_id"]) for file in desk.slack.workspace.of("file")]
    assert str(message["text"]).startswith("AI spend, week 2026-W45 Spend was $496.85")
    assert any(file in str(message["blocks"]) for file in files)


def test_letters_are_named_by_week_audience_and_channel() -> None:
    ids = {letter_id(w, a, c) for w in ("2026-W45", "2026-W46") for a in ("x", "y") for c in ("C1", "C2")}
    assert len(ids) == 8


def test_the_organisation_is_told_in_its_own_channel_or_that_of_alerts() -> None:
    assert organisation(DigestSettings(channel="C0DIGEST"), "C0ALERTS").channels == ("C0DIGEST",)
    assert organisation(DigestSettings(), "C0ALERTS").channels == ("C0ALERTS",)
    assert organisation(DigestSettings(), None).channels == ()


ROUTES = (
    Route(channel="C0SEARCH", where={"team": "search*"}),
    Route(channel="C0OWNER", owner="support"),
    Route(channel="C0KEY", where={"team": "search", "key_id": "k1"}),
    Route(channel="C0ALL"),
    Route(channel="C0STAR", where={"team": "*"}),
)


def test_teams_are_told_where_a_route_names_them() -> None:
    found = told_teams(DigestSettings(), ROUTES, ["search", "search-2", "support", HOSTILE, "UNALLOCATED"])
    assert [(a.team, a.channels) for a in found] == [
        ("search", ("C0SEARCH",)),
        ("search-2", ("C0SEARCH",)),
        ("support", ("C0OWNER",)),
    ]


@pytest.mark.parametrize(
    ("globs", "told"), [((), []), (("search",), ["search"]), (("*",), ["search", "support"])]
)
def test_only_teams_of_the_settings_are_told(globs: tuple[str, ...], told: list[str]) -> None:
    found = told_teams(DigestSettings(teams=globs), ROUTES, ["search", "support"])
    assert [audience.team for audience in found] == told
