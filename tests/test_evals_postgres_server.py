"""The throw-away PostgreSQL: databases that come and go, and nothing left of it afterwards."""

from pathlib import Path

import psycopg
import pytest

from evals import postgres_server as module
from evals.postgres_server import PostgresServer, postgres_server
from evals.unavailable import Unavailable


def answer(url: str, sql: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(sql.encode()).fetchone()
    return row[0] if row else None


def test_a_database_is_a_copy_of_its_template_and_gone_after_the_block(postgres: PostgresServer) -> None:
    template = postgres.create_database()
    with psycopg.connect(postgres.url(template)) as connection:
        connection.execute("create table songs (title text)")
    with postgres.database(template) as url:
        assert answer(url, "select count(*) from songs") == 0
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        answer(url, "select 1")
    postgres.drop_database(template)


def test_a_database_is_dropped_while_somebody_is_connected(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        connection = psycopg.connect(url)
    connection.close()


def test_it_listens_on_loopback_only_and_is_gone_after_the_block(postgres: PostgresServer) -> None:
    with postgres_server() as server:
        assert server.port != postgres.port
        assert answer(server.url(), "show listen_addresses") == "127.0.0.1"
        folder = Path(str(answer(server.url(), "show data_directory"))).parent
        assert folder.exists()
    assert not folder.exists()
    with pytest.raises(psycopg.OperationalError):
        answer(server.url(), "select 1")


def test_it_says_what_to_install_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BINARIES", tmp_path)
    with (
        pytest.raises(Unavailable, match=r"no PostgreSQL server under .*; apt-get install postgresql"),
        postgres_server(),
    ):
        pass
