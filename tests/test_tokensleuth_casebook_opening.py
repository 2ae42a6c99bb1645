"""Opening a casebook: created, migrated, refused with a clear reason, and safe when several do it at once."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from ledger.errors import RefusedError, UnreachableError
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.opening import is_there, parse_url, shown_url
from tokensleuth.casebook.schema import HEAD, VERSION_TABLE, metadata
from tokensleuth.casebook.upgrade import alembic_config

KEY = b"a key for the opening of casebooks"
FIRST_ROWS = """
insert into incidents values ('inc_1', '2026-01-01', '2026-01-02', '{}', 'confirmed', 'key_leak', 0.9,
    '1', '2', '1', 'inv_1', '2026-01-02', '2026-01-02');
insert into investigations values ('inv_1', 'inc_1', 'deterministic', false, '{}', '2026-01-02');
insert into proposals values ('prop_1', 'inc_1', 'inv_1', 0, 'block_key', 'pending', '1', '2026-01-03',
    '{}', '2026-01-02', '2026-01-02');
"""
"""As the first schema had them."""


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def execute(url: str, script: str) -> None:
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        for sql in filter(str.strip, script.split(";")):
            connection.exec_driver_sql(sql)
    engine.dispose()


def make_first(url: str) -> None:
    """A casebook of the first program."""
    engine = create_engine(parse_url(url))
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "0001")
    engine.dispose()
    execute(url, FIRST_ROWS)


def test_a_new_casebook_is_made_private_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "state" / "casebook.sqlite"
    Casebook.open(url_of(path)).close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_sqlite_writes_ahead_and_syncs_fully(tmp_path: Path) -> None:
    with Casebook.open(url_of(tmp_path / "c.sqlite")) as casebook, casebook.engine.begin() as connection:
        settings = [
            connection.exec_driver_sql(f"pragma {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert settings == ["wal", 2, 1]


def test_the_migrations_make_exactly_the_tables_of_the_schema(database_url: str) -> None:
    with Casebook.open(database_url, key=KEY) as casebook, casebook.engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []


def test_head_is_the_last_of_one_line_of_migrations() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [HEAD]


def test_an_older_casebook_gets_what_it_lacks_and_keeps_what_it_has(database_url: str) -> None:
    make_first(database_url)
    with Casebook.open(database_url, key=KEY) as casebook, casebook.engine.begin() as connection:
        assert connection.exec_driver_sql(f"select version_num from {VERSION_TABLE}").scalar() == HEAD
        kept = connection.exec_driver_sql("select id, state, round, payload_hash from proposals").all()
        assert [tuple(row) for row in kept] == [("prop_1", "pending", 1, "")]
        assert set(metadata.tables) <= set(inspect(connection).get_table_names())


def test_looking_whether_a_casebook_is_there_does_not_make_it(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    assert not is_there(url_of(path))
    assert not path.exists()
    Casebook.open(url_of(path)).close()
    assert is_there(url_of(path))
    assert is_there("postgresql://u@host/db")


def test_an_up_to_date_casebook_opens_without_loading_alembic(casebook_url: str) -> None:
    Casebook.open(casebook_url, key=KEY).close()
    program = (
        "import sys; from tokensleuth.casebook import Casebook; "
        f"Casebook.open({casebook_url!r}, key={KEY!r}).close(); sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_processes_that_open_a_new_casebook_at_once_all_succeed(database_url: str) -> None:
    program = (
        "import sys; from tokensleuth.casebook import Casebook; input(); "
        f"Casebook.open(sys.argv[1], key={KEY!r}).close()"
    )
    command = [sys.executable, "-c", program, database_url]
    opening = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(6)
    ]
    for process in opening:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate()[1] for process in opening] == [""] * 6


@pytest.mark.parametrize(
    "url",
    ["", "casebook.sqlite", "http://localhost/casebook", "mysql://u@h/d", "sqlite://", "sqlite:///:memory:"],
)
def test_an_url_that_names_no_supported_database_is_refused(url: str) -> None:
    with pytest.raises(RefusedError, match=r"write sqlite:///|names none"):
        Casebook.open(url)


def test_a_password_is_never_shown() -> None:
    with pytest.raises(RefusedError) as refused:
        Casebook.open("postgresql://u:hunter2@host:port/db")
    assert "hunter2" not in str(refused.value)
    for written in ("u:hunter2@host/db", "u@host/db?password=hunter2&connect_timeout=3"):
        assert "hunter2" not in shown_url(parse_url(f"postgresql://{written}"))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_postgresql_url_uses_the_supported_driver(scheme: str) -> None:
    assert parse_url(f"{scheme}://u@host/db").drivername == "postgresql+psycopg"


def test_postgresql_without_its_driver_is_refused_by_name() -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None; from tokensleuth.casebook import Casebook; "
        f"Casebook.open('postgresql://u@localhost/casebook', key={KEY!r})"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "RefusedError: a casebook in PostgreSQL needs the package psycopg; install it" in ran.stderr


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, not a database at all" * 50, "utf-8")
    with pytest.raises(RefusedError, match="is not a casebook: file is not a database"):
        Casebook.open(url_of(path))


def test_a_database_of_something_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    execute(url_of(path), "create table songs (title text)")
    with pytest.raises(RefusedError, match="is not a casebook: it holds songs"):
        Casebook.open(url_of(path))
    connection = sqlite3.connect(path)
    assert connection.execute("select name from sqlite_master").fetchall() == [("songs",)]
    connection.close()


def test_a_casebook_of_a_newer_program_is_refused(database_url: str) -> None:
    Casebook.open(database_url, key=KEY).close()
    execute(database_url, f"update {VERSION_TABLE} set version_num = '0099'")
    with pytest.raises(RefusedError, match=f"has schema 0099; this program knows up to {HEAD}: upgrade it"):
        Casebook.open(database_url, key=KEY)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnreachableError, match=r"cannot be opened: (Not a directory|File exists)"):
        Casebook.open(url_of(tmp_path / "file" / "c.sqlite"))


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="cannot be used: unable to open database file"):
        Casebook.open(url_of(tmp_path))


def test_a_casebook_locked_by_another_is_told_after_a_wait(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("create table t (x)")
    holder.execute("begin exclusive")
    with pytest.raises(UnreachableError, match="is locked by another process"):
        Casebook.open(url_of(path), lock_timeout_s=0.01)
    holder.close()
