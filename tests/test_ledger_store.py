from pathlib import Path
from typing import Self

import duckdb
import pytest

from ledger.engine import DuckDbEngine
from ledger.errors import RefusedError, UnreachableError
from ledger.store import open_ledger


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as other:
        other.execute("create table orders (id integer)")
    with pytest.raises(RefusedError, match="no ledger: it holds other tables"), open_ledger(path):
        pass
    with duckdb.connect(str(path)) as other:
        assert other.execute("select table_name from duckdb_tables()").fetchall() == [("orders",)]


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.duckdb"
    path.write_text("not a database " * 100)
    with pytest.raises((RefusedError, UnreachableError)), open_ledger(path):
        pass


def test_a_ledger_that_is_not_to_be_created_must_exist(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no ledger at"), open_ledger(tmp_path / "l.duckdb", create=False):
        pass


def test_a_ledger_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "l.duckdb"
    with open_ledger(path):
        pass
    with duckdb.connect(str(path)) as ledger:
        ledger.execute("insert into schema_migrations values (99, '0099_future.sql')")
    with pytest.raises(RefusedError, match="schema 99"), open_ledger(path):
        pass


class _Stopped:
    """A connection whose query is stopped with Ctrl-C: DuckDB tells that as this error."""

    def cursor(self) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, _sql: str, _parameters: object) -> Self:
        raise RuntimeError("Query interrupted")


def test_ctrl_c_during_a_query_is_ctrl_c_and_no_error_of_the_query() -> None:
    engine = DuckDbEngine(_Stopped())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        engine.rows("select 1", {})
    with pytest.raises(KeyboardInterrupt):
        engine.frame("select 1", {})
