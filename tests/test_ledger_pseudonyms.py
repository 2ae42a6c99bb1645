"""Under pseudonyms no user is stored by name, nobody has two, and the owner map still sees who it is."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.errors import RefusedError
from ledger.ingest.load import LoadOptions
from ledger.ingest.result import IngestResult
from ledger.ingest.scopes import Attribution
from ledger.owners import OwnerRule
from ledger.prices.book import PriceBook
from ledger.prices.makers import provider_of
from ledger.pseudonyms import hidden_names, is_pseudonym, open_names
from ledger.pulled import Stream
from ledger.store import open_ledger
from ledger.window import parse_instant
from tests.usage_builder import NOW, SPEND, TestLedger, memory_ledger, usage, write
from tokensleuth.privacy.pseudonym import pseudonyms_under

HIDDEN = pseudonyms_under(b"the key of the casebook")
OTHER = pseudonyms_under(b"the key of another one")
ALICE, BOB = "alice@example.com", "bob"
OWNERS = (OwnerRule(team="search", user="alice@*"), OwnerRule(team="ads", user="bob"))


@pytest.fixture
def ledger() -> Iterator[TestLedger]:
    with memory_ledger(*OWNERS) as made:
        yield made


def load(
    ledger: TestLedger, path: Path, pseudonym: object = HIDDEN, options: LoadOptions | None = None
) -> IngestResult:
    attribution = Attribution(provider_of, ledger._team_of, pseudonym)  # type: ignore[arg-type]
    return ledger.ledger.load(
        path, options or LoadOptions(now=NOW), attribution=attribution, book=PriceBook()
    )


def rows_of(*users: str | None, records: bool = False) -> list[dict[str, object]]:
    return [
        usage(f"2026-11-01T{hour:02}:00:00Z", team="", model=model)
        | ({} if user is None else {"user": user})
        | ({"record_id": f"{user}-{hour}-{model}"} if records else {})
        for user in users
        for hour in (8, 9)
        for model in ("gpt-4o", "a-model-nobody-knows")
    ]


def everything_in(ledger: TestLedger) -> str:
    """All text of all tables."""
    tables = [name for (name,) in ledger.rows("select table_name from duckdb_tables() where not temporary")]
    return "\n".join(str(ledger.rows(f"select * from {table}")) for table in tables)


def test_users_are_stored_under_pseudonyms_and_owned_by_their_names(
    ledger: TestLedger, tmp_path: Path
) -> None:
    assert load(ledger, write(tmp_path / "a.csv", rows_of(ALICE, BOB, None))).new == 12

    assert set(ledger.rows('select "user", team from scopes')) == {
        (HIDDEN(ALICE), "search"), (HIDDEN(BOB), "ads"), ("UNALLOCATED", "UNALLOCATED"),
    }  # fmt: skip
    assert not [name for name in ("alice", "'bob'") if name in everything_in(ledger)]
    assert ledger.roll_up_is_fresh()


@pytest.mark.parametrize("records", [True, False])
def test_a_file_loaded_again_is_a_duplicate(ledger: TestLedger, tmp_path: Path, records: bool) -> None:
    path = write(tmp_path / "a.jsonl", rows_of(ALICE, BOB, None, records=records))
    load(ledger, path)

    assert load(ledger, path).duplicate == 12


@pytest.mark.parametrize("records", [True, False])
def test_switching_on_later_rewrites_what_is_stored_and_keeps_duplicates_duplicates(
    ledger: TestLedger, tmp_path: Path, records: bool
) -> None:
    path = write(tmp_path / "a.jsonl", rows_of(ALICE, BOB, None, records=records))
    load(ledger, path, None)
    totals = ledger.totals()
    counts = ledger.ledger.users.hide(HIDDEN)
    again = load(ledger, path)

    assert (counts["users"], counts["scopes"]) == (2, 4)
    assert counts.get("usage (identities)", 0) == (0 if records else 8)
    assert (again.new, again.duplicate, again.restated) == (0, 12, 0)
    assert ledger.totals() == totals
    assert not [name for name in ("alice", "'bob'") if name in everything_in(ledger)]


def test_a_rewritten_ledger_is_the_one_that_was_loaded_under_pseudonyms(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", rows_of(ALICE, BOB, None) + rows_of("carol", records=True))
    with memory_ledger(*OWNERS) as before, memory_ledger(*OWNERS) as after:
        load(before, path)
        load(after, path, None)
        after.ledger.users.hide(HIDDEN)
        joined = (
            'select u.identity, s."user", s.team from usage u join scopes s using (scope_id) order by all'
        )

        assert after.rows(joined) == before.rows(joined)
        assert after.rows(SPEND) == before.rows(SPEND)


def test_rewriting_twice_changes_nothing_more(ledger: TestLedger, tmp_path: Path) -> None:
    load(ledger, write(tmp_path / "a.jsonl", rows_of(ALICE)), None)
    ledger.ledger.users.hide(HIDDEN)
    before = everything_in(ledger)

    assert ledger.ledger.users.hide(HIDDEN) == {"users": 0}
    assert everything_in(ledger) == before


def test_users_by_name_must_be_rewritten_before_more_is_loaded(ledger: TestLedger, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", rows_of(ALICE))
    load(ledger, path, None)

    with pytest.raises(
        RefusedError, match="1 users stand in this ledger by name; run tokensleuth pseudonymise"
    ):
        load(ledger, path)
    assert len(ledger.rows("select * from usage")) == 4


def test_switching_off_is_refused_where_users_come(ledger: TestLedger, tmp_path: Path) -> None:
    load(ledger, write(tmp_path / "a.jsonl", rows_of(ALICE)))

    with pytest.raises(RefusedError, match="pseudonymous_users is false: turn it on"):
        load(ledger, write(tmp_path / "b.jsonl", rows_of(BOB)), None)
    assert load(ledger, write(tmp_path / "c.jsonl", rows_of(None)), None).new == 4


def test_another_key_is_refused(ledger: TestLedger, tmp_path: Path) -> None:
    load(ledger, write(tmp_path / "a.jsonl", rows_of(ALICE)))

    with pytest.raises(RefusedError, match="made with another key"):
        load(ledger, write(tmp_path / "b.jsonl", rows_of(BOB)), OTHER)
    with pytest.raises(RefusedError, match="made with another key"):
        ledger.ledger.users.hide(OTHER)


def test_a_pseudonym_that_comes_in_stays_one(ledger: TestLedger, tmp_path: Path) -> None:
    load(ledger, write(tmp_path / "a.jsonl", rows_of(ALICE, records=True)))
    told_again = [row | {"user": HIDDEN(ALICE)} for row in rows_of(ALICE, records=True)]

    assert load(ledger, write(tmp_path / "b.jsonl", told_again)).duplicate == 4


def test_spaces_around_a_name_make_no_other_person(ledger: TestLedger, tmp_path: Path) -> None:
    load(ledger, write(tmp_path / "a.jsonl", rows_of(ALICE)))

    assert load(ledger, write(tmp_path / "b.jsonl", rows_of(f" {ALICE} "))).duplicate == 4
    assert HIDDEN(f" {ALICE} ") == HIDDEN(ALICE)


def test_names_are_stored_hidden_and_asked_for_anew() -> None:
    names = {
        ("openai", "user", "user-1"): ALICE,
        ("openai", "key_id", "key_1"): f"laptop of {ALICE}",
        ("openai", "project", "proj_1"): "search",
    }
    hidden = hidden_names(names, HIDDEN)

    assert hidden == {
        ("openai", "user", HIDDEN("user-1")): HIDDEN(ALICE),
        ("openai", "key_id", "key_1"): f"laptop of {HIDDEN(ALICE)}",
        ("openai", "project", "proj_1"): "search",
    }
    assert hidden_names(hidden, HIDDEN) == hidden
    assert open_names(hidden, HIDDEN) == {("openai", "project", "proj_1"): "search"}
    assert hidden_names(names, None) == open_names(names, None) == names


def test_what_sources_remember_is_rewritten_too(ledger: TestLedger) -> None:
    pulled, at = ledger.ledger.pulled, parse_instant("2026-11-01T08:00Z")
    stream = Stream("openai", "completions")
    pulled.remember(stream, {"r1": (at, {"record_id": "r1", "user": ALICE}), "r2": (at, {"record_id": "r2"})})
    pulled.learn_names({("openai", "user", "user-1"): ALICE})
    counts = ledger.ledger.users.hide(HIDDEN)

    assert (counts["pulled_rows"], counts["source_names"]) == (1, 1)
    assert {c.get("user") for c in pulled.vanished(stream, [at], [])} == {HIDDEN(ALICE), None}
    assert "alice" not in everything_in(ledger)


def test_a_kill_in_the_middle_rewrites_nothing(tmp_path: Path) -> None:
    class KilledError(BaseException):
        pass

    left = 2

    def dies(_name: str) -> str:
        nonlocal left
        left -= 1
        if left < 0:
            raise KilledError
        return HIDDEN(_name)

    path = write(tmp_path / "a.jsonl", rows_of(ALICE, BOB))
    with open_ledger(tmp_path / "l.duckdb") as opened:
        made = TestLedger(opened, opened.pulled.connection)
        load(made, path, None)
        before = everything_in(made)
        with pytest.raises(KilledError):
            opened.users.hide(dies)
        assert everything_in(made) == before


def test_the_mark_of_a_pseudonym_is_its_form() -> None:
    assert is_pseudonym(HIDDEN("x"))
    assert not is_pseudonym("u_0123456789ABCDEF")
    assert HIDDEN("x") != OTHER("x")
    assert json.dumps(HIDDEN("é")) == json.dumps(HIDDEN("é"))
    assert replace(Attribution(provider_of, lambda _: ""), pseudonym=HIDDEN).pseudonym is HIDDEN
