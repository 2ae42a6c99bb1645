"""A casebook in PostgreSQL: writers queue, what the server says is told plainly, no password is shown."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from evals.postgres_server import GUARDED, PostgresServer
from ledger.errors import RefusedError, TokensleuthError, UnreachableError
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.audit import Entry, append_entry, count_entries, verify_entries

NOW = datetime(2026, 11, 4, 9, tzinfo=UTC)
KEY = b"a key for casebooks in PostgreSQL"


@pytest.fixture
def url(postgres: PostgresServer, migrated_database: str) -> Iterator[str]:
    with postgres.database(migrated_database) as made:
        yield made


@pytest.fixture
def empty_url(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as made:
        yield made


def opened(url: str, *, lock_timeout_s: float = 10.0) -> Casebook:
    return Casebook.open(url, key=KEY, lock_timeout_s=lock_timeout_s)


def refusal(url: str) -> str:
    with pytest.raises(TokensleuthError) as raised:
        opened(url)
    return f"{type(raised.value).__name__}: {raised.value}"


def run(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())


def note(casebook: Casebook, number: int) -> None:
    with casebook.writing() as connection:
        append_entry(connection, Entry("os:ana", "noted", f"subject_{number}", {}, NOW), KEY)


@contextmanager
def writing_elsewhere(url: str) -> Iterator[None]:
    with opened(url) as other, other.writing() as connection:
        append_entry(connection, Entry("os:ben", "noted", "elsewhere", {}, NOW), KEY)
        yield


def test_two_programs_that_write_at_once_keep_one_gapless_trail(url: str) -> None:
    with opened(url) as one, opened(url) as two, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: note(two if n % 2 else one, n), range(80)))
        with one.reading() as connection:
            assert verify_entries(connection, KEY, []).whole
            assert count_entries(connection) == 80


def test_a_writer_waits_for_another_and_sees_what_it_wrote(url: str) -> None:
    with opened(url) as casebook, ThreadPoolExecutor(1) as pool:
        with writing_elsewhere(url):
            waiting = pool.submit(note, casebook, 1)
            with pytest.raises(TimeoutError):
                waiting.result(0.2)
        waiting.result(10)
        with casebook.reading() as connection:
            assert count_entries(connection) == 2


def test_a_reader_does_not_wait_for_a_writer(url: str) -> None:
    with writing_elsewhere(url), opened(url) as casebook, casebook.reading() as connection:
        assert count_entries(connection) == 0


def test_a_writer_that_waits_too_long_is_told(url: str) -> None:
    told = pytest.raises(UnreachableError, match="is locked by another process")
    with writing_elsewhere(url), opened(url, lock_timeout_s=0.05) as casebook, told:
        note(casebook, 1)
    with opened(url) as casebook:
        note(casebook, 1)


def test_a_migration_waits_for_whoever_holds_the_lock(url: str) -> None:
    with writing_elsewhere(url):
        run(url, "update casebook_version set version_num = '0003'")
        with pytest.raises(UnreachableError, match="is locked by another process"):
            opened(url, lock_timeout_s=0.05)


def test_connections_that_the_server_ended_are_made_anew(url: str) -> None:
    with opened(url) as casebook:
        note(casebook, 1)
        mine = "pid <> pg_backend_pid() and datname = current_database()"
        run(url, f"select pg_terminate_backend(pid) from pg_stat_activity where {mine}")
        note(casebook, 2)


def test_a_connection_that_ends_in_the_middle_is_told_and_writes_nothing(url: str) -> None:
    with opened(url) as casebook:
        with pytest.raises(UnreachableError, match="cannot be used"):
            _cut_off_while_writing(casebook, url)
        with casebook.reading() as connection:
            assert count_entries(connection) == 0


def test_a_writer_that_has_gone_silent_is_ended_and_stops_nobody(url: str) -> None:
    silent = opened(f"{url}?options=-c%20idle_in_transaction_session_timeout%3D100")
    with silent, opened(url) as other:
        with pytest.raises(UnreachableError, match="idle-in-transaction"):
            _fall_silent_while_writing(silent, other)
        with other.reading() as connection:
            assert count_entries(connection) == 1


def _fall_silent_while_writing(silent: Casebook, other: Casebook) -> None:
    with silent.writing() as connection:
        append_entry(connection, Entry("os:ana", "noted", "lost", {}, NOW), KEY)
        note(other, 1)
        count_entries(connection)


def _cut_off_while_writing(casebook: Casebook, url: str) -> None:
    with casebook.writing() as connection:
        append_entry(connection, Entry("os:ana", "noted", "lost", {}, NOW), KEY)
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
        run(url, f"select pg_terminate_backend({pid}, 5000)")
        count_entries(connection)


def test_a_wrong_password_is_told_and_not_shown(postgres: PostgresServer) -> None:
    for written in ("{user}:hunter2@{at}/postgres", "{user}@{at}/postgres?password=hunter2"):
        address = written.format(user=GUARDED, at=f"127.0.0.1:{postgres.port}")
        told = refusal(f"postgresql://{address}")
        assert "password authentication failed" in told
        assert "hunter2" not in told


def test_a_server_that_is_not_there_is_told_in_one_line() -> None:
    told = refusal("postgresql://ana@127.0.0.1:1/casebook")
    assert told.startswith("UnreachableError: the casebook `postgresql+psycopg://ana@127.0.0.1:1/casebook`")
    assert "\n" not in told


def test_an_option_that_postgresql_does_not_know_is_refused(url: str) -> None:
    told = refusal(f"{url}?colour=red")
    assert told.startswith("RefusedError")
    assert 'invalid connection option "colour"' in told


def test_options_in_the_url_are_kept(url: str) -> None:
    with opened(f"{url}?options=-c%20statement_timeout%3D1234") as casebook, casebook.reading() as connection:
        assert connection.exec_driver_sql("show statement_timeout").scalar_one() == "1234ms"


def test_a_user_who_may_not_make_tables_is_refused(postgres: PostgresServer, empty_url: str) -> None:
    run(postgres.url(), "create role reader login")
    assert refusal(empty_url.replace("postgres@", "reader@")).startswith("RefusedError: the casebook")
    run(postgres.url(), "drop role reader")


def test_a_casebook_can_share_a_database_with_other_tables_but_not_with_its_own_names(empty_url: str) -> None:
    run(empty_url, "create table songs (title text)")
    run(empty_url, "create table incidents (title text)")
    with pytest.raises(RefusedError, match="is not a casebook: it holds incidents"):
        opened(empty_url)
    run(empty_url, "drop table incidents")
    opened(empty_url).close()
