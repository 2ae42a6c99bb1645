"""The audit trail: whatever is done to its rows is found, and named by the first bad entry."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update

from ledger.errors import RefusedError
from tests.incident_documents import NOW
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import (
    Anchor,
    Entry,
    Verified,
    append_entry,
    count_entries,
    read_anchor,
    read_entries,
    verify_entries,
)
from tokensleuth.casebook.schema_acts import audit

ROWS, TAMPERS = 12, 1_200
OTHER_KEY = b"the key of somebody else, 16+"


def entry(number: int = 1, /, **document: object) -> Entry:
    return Entry("alice", "approved", f"prop_{number}", document or {"n": number, "ä": [1.5, None]}, NOW)


def filled(casebook: Casebook, count: int = ROWS) -> Anchor:
    """A trail of so many entries, and its end."""
    with casebook.writing() as connection:
        for number in range(1, count + 1):
            append_entry(connection, entry(number), casebook.key)
        return read_anchor(connection)


def verified(casebook: Casebook, *anchors: Anchor) -> Verified:
    with casebook.reading() as connection:
        return verify_entries(connection, casebook.key, list(anchors))


@contextmanager
def taken_back(casebook: Casebook) -> Iterator[Connection]:
    """A connection whose changes are rolled back after the block."""
    with casebook.engine.connect() as connection:
        yield connection
        connection.rollback()


def test_an_empty_trail_is_whole(casebook: Casebook) -> None:
    assert verified(casebook) == Verified(Anchor(0, "0" * 64))


def test_a_trail_holds_together_and_against_each_of_its_ends(casebook: Casebook) -> None:
    anchors = [Anchor(0, "0" * 64), *(filled(casebook, count) for count in (1, 3, 5))]
    found = verified(casebook, *anchors)
    assert (found.whole, found.anchor) == (True, anchors[-1])
    assert [anchor.count for anchor in anchors] == [0, 1, 4, 9]


def test_an_instant_of_another_zone_is_the_same_instant(casebook: Casebook) -> None:
    with casebook.writing() as connection:
        at = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
        append_entry(connection, Entry("alice", "approved", "prop_1", {}, at), casebook.key)
    assert verified(casebook).whole


def test_texts_that_no_database_takes_are_kept_in_a_form_that_verifies(casebook: Casebook) -> None:
    with casebook.writing() as connection:
        odd = Entry("os:\udcff\x00" + "x" * 900, "refused", "p" * 900, {"told": "\udcff\x00"}, NOW)
        append_entry(connection, odd, casebook.key)
        assert count_entries(connection) == 1
    assert verified(casebook).whole


def test_entries_are_listed_latest_first_and_by_subject(casebook: Casebook) -> None:
    filled(casebook, 3)
    with casebook.reading() as connection:
        assert [e["number"] for e in read_entries(connection)] == [3, 2, 1]
        assert [e["number"] for e in read_entries(connection, limit=1)] == [3]
        assert [e["number"] for e in read_entries(connection, subject="prop_2")] == [2]


@pytest.mark.parametrize("given", ["", "5", "5:abc", f"-1:{'a' * 64}", f"x:{'a' * 64}", f"5:{'a' * 65}"])
def test_what_is_no_anchor_is_refused_with_what_would_be(given: str) -> None:
    with pytest.raises(RefusedError, match="it is COUNT:MAC"):
        Anchor.parse(given)


def test_an_anchor_reads_back_as_written() -> None:
    anchor = Anchor(5, "a" * 64)
    assert Anchor.parse(f" {anchor}\n") == anchor


def test_without_an_anchor_a_cut_off_end_is_not_found_and_with_one_it_is(casebook: Casebook) -> None:
    """The limit that the module tells of: keep an anchor elsewhere."""
    anchor = filled(casebook)
    with casebook.writing() as connection:
        connection.execute(delete(audit).where(audit.c.number > ROWS - 3))
    assert verified(casebook).whole
    found = verified(casebook, anchor)
    assert (found.broken_at, found.anchor.count) == (ROWS - 2, ROWS - 3)
    assert found.why == f"3 entries are missing at the end: an anchor has {ROWS}"


def test_without_an_anchor_who_has_the_key_can_write_it_anew_and_with_one_cannot(casebook: Casebook) -> None:
    anchor = filled(casebook)
    with casebook.writing() as connection:
        rebuilt(connection, casebook.key, 4, actor="mallory")
    assert verified(casebook).whole
    assert verified(casebook, anchor).why == f"entry {ROWS} is not the one an anchor names: " + (
        "the trail was written anew"
    )


def test_another_key_finds_nothing_signed(casebook: Casebook) -> None:
    filled(casebook)
    with casebook.reading() as connection:
        found = verify_entries(connection, OTHER_KEY, [])
    assert (found.broken_at, found.anchor.count) == (1, 0)
    assert "or the key is another" in str(found.why)


def rebuilt(connection: Connection, key: bytes, first: int, **changed: object) -> None:
    """The rows from `first` on, signed anew by that key."""
    kept = connection.execute(select(audit).where(audit.c.number >= first).order_by(audit.c.number))
    rows = kept.mappings().all()
    connection.execute(delete(audit).where(audit.c.number >= first))
    for row in rows:
        values = {name: row[name] for name in ("actor", "what", "subject", "document", "at")}
        append_entry(connection, Entry(**(values | changed)), key)


FIELDS: dict[str, tuple[object, ...]] = {
    "at": (NOW + timedelta(microseconds=1), NOW - timedelta(days=400)),
    "actor": ("bob", "alice ", "", "Alice"),
    "what": ("rejected", "refused", ""),
    "subject": ("prop_0", "prop_1\u200b"),
    "document": ({}, {"n": 1, "ä": [1.5, 0]}, [], None, {"n": 1, "ä": [1.5, None], "more": 1}),
    "mac": ("0" * 64, "f" * 63, "", "ä" * 64),
}


def change_a_field(connection: Connection, chance: random.Random) -> int:
    number, name = chance.randint(1, ROWS), chance.choice(sorted(FIELDS))
    value = chance.choice(FIELDS[name])
    if name == "document" and value is None:
        value = {"null": None}
    connection.execute(update(audit).where(audit.c.number == number).values({name: value}))
    return number


def delete_some(connection: Connection, chance: random.Random) -> int:
    first = chance.randint(1, ROWS)
    last = chance.randint(first, ROWS)
    connection.execute(delete(audit).where(audit.c.number.between(first, last)))
    return first


def delete_and_close_the_gap(connection: Connection, chance: random.Random) -> int:
    number = chance.randint(1, ROWS - 1)
    connection.execute(delete(audit).where(audit.c.number == number))
    for later in range(number + 1, ROWS + 1):
        connection.execute(update(audit).where(audit.c.number == later).values(number=later - 1))
    return number


def cut_off_the_end(connection: Connection, chance: random.Random) -> int:
    kept = chance.randint(0, ROWS - 1)
    connection.execute(delete(audit).where(audit.c.number > kept))
    return kept + 1


def swap_two(connection: Connection, chance: random.Random) -> int:
    one, other = sorted(chance.sample(range(1, ROWS + 1), 2))
    for old, new in ((one, -1), (other, one), (-1, other)):
        connection.execute(update(audit).where(audit.c.number == old).values(number=new))
    return one


def insert_one(connection: Connection, chance: random.Random) -> int:
    """A copy of a row, with the signature of any row, at any place."""
    number = chance.randint(0, ROWS + 1)
    copied = connection.execute(select(audit).where(audit.c.number == chance.randint(1, ROWS))).mappings()
    row = dict(copied.one()) | {"mac": chance.choice((f"{chance.getrandbits(256):064x}", "0" * 64))}
    for later in range(ROWS, number - 1, -1):
        connection.execute(update(audit).where(audit.c.number == later).values(number=later + 1))
    connection.execute(insert(audit).values(row | {"number": number}))
    return max(number, 1)


def renumber(connection: Connection, chance: random.Random) -> int:
    number = chance.randint(1, ROWS)
    to = chance.choice((0, -number, ROWS + 1, ROWS + 100))
    connection.execute(update(audit).where(audit.c.number == number).values(number=to))
    return 1 if to < 1 else number if to > ROWS + 1 or number < ROWS else ROWS


def sign_anew(connection: Connection, chance: random.Random) -> int:
    first = chance.randint(1, ROWS)
    rebuilt(connection, OTHER_KEY, first, actor=chance.choice(("alice", "mallory")))
    return first


def write_junk(connection: Connection, chance: random.Random) -> int:
    """What is no document, as SQLite also takes for an instant."""
    number = chance.randint(1, ROWS)
    junk = ["{", "", "nan", "[" * 20_000, '{"n":1}{'] if chance.random() < 0.5 else ["'", "\u2028"]
    sqlite = connection.dialect.name == "sqlite"
    column = chance.choice(("document", "at") if sqlite else ("document",))
    statement = text(f"update audit set {column} = :junk where number = :number")
    connection.execute(statement, {"junk": chance.choice(junk), "number": number})
    return number


KINDS: tuple[Callable[[Connection, random.Random], int], ...] = (
    change_a_field,
    delete_some,
    delete_and_close_the_gap,
    cut_off_the_end,
    swap_two,
    insert_one,
    renumber,
    sign_anew,
    write_junk,
)
"""Each does its harm and says which entry is the first bad one."""


def test_of_1200_seeded_tampers_each_is_found_at_its_first_bad_entry(casebook: Casebook) -> None:
    anchor = filled(casebook)
    chance, missed, misnamed = random.Random(1_200), [], []  # noqa: S311
    for number in range(TAMPERS):
        tamper = KINDS[number % len(KINDS)]
        with taken_back(casebook) as connection:
            bad = tamper(connection, chance)
            found = verify_entries(connection, casebook.key, [anchor])
        if found.whole:
            missed.append((number, tamper.__name__))
        elif found.broken_at != bad:
            misnamed.append((number, tamper.__name__, bad, found.broken_at))
    assert missed == []
    assert misnamed == []
    assert verified(casebook, anchor).whole


@pytest.mark.parametrize("junk", ["x'ff'", "cast(x'ff' as text)", "17", "char(0)"])
@pytest.mark.parametrize("column", ["document", "at", "actor", "mac"])
def test_what_sqlite_takes_for_text_and_is_none_is_found(tmp_path: Path, column: str, junk: str) -> None:
    with Casebook.open(f"sqlite:///{tmp_path}/casebook.sqlite") as casebook:
        filled(casebook)
        with casebook.writing() as connection:
            connection.exec_driver_sql(f"update audit set {column} = {junk} where number = 5")
        found = verified(casebook)
    assert (found.broken_at, found.anchor.count) == (5, 4)
