"""Casebooks on each database, and the rule that CI lets no test skip."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from evals.postgres_server import PostgresServer, postgres_server
from evals.unavailable import NO_SKIPS, Unavailable
from tokensleuth.casebook import Casebook

CASEBOOK_KEY = b"the casebook key of the tests"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if not hasattr(report, "wasxfail"):
        _forbid_skipping(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _forbid_skipping(report)
    return report


def _forbid_skipping(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and os.environ.get(NO_SKIPS) == "1":
        report.outcome = "failed"
        report.longrepr = f"{NO_SKIPS}=1 lets no test skip: {report.longrepr}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of this process, started by the first that asks."""
    try:
        with postgres_server() as server:
            yield server
    except Unavailable as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def migrated_database(postgres: PostgresServer) -> str:
    """The name of a database with an empty casebook, to be copied."""
    name = postgres.create_database()
    Casebook.open(postgres.url(name), key=CASEBOOK_KEY).close()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind, where a casebook has yet to make its tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/casebook.sqlite"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def casebook_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty casebook in each kind of database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/casebook.sqlite"
        return
    template: str = request.getfixturevalue("migrated_database")
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database(template) as url:
        yield url


@pytest.fixture
def casebook(casebook_url: str) -> Iterator[Casebook]:
    """An empty, open casebook in each kind of database."""
    with Casebook.open(casebook_url, key=CASEBOOK_KEY) as opened:
        yield opened
