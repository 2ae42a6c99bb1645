"""`tokensleuth retention` on both stores: rehearsed, done, and told."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ledger.catalogue import utc_naive
from ledger.ingest.load import LoadOptions
from tests.old_casebooks import contents, old_casebook
from tests.usage_builder import TestLedger, usage, write
from tokensleuth.app import App
from tokensleuth.clock import utc_now
from tokensleuth.commands.retention import run
from tokensleuth.retention.settings import RetentionSettings
from tokensleuth.settings import Settings, Store

KEPT = RetentionSettings(usage_days=35)


def days_ago(days: int) -> datetime:
    return utc_now() - timedelta(days=days)


@pytest.fixture
def app(tmp_path: Path) -> App:
    store = Store(ledger=tmp_path / "ledger.duckdb", casebook=f"sqlite:///{tmp_path}/casebook.sqlite")
    made = App(Settings(store=store))
    rows = [usage(f"{days_ago(days):%Y-%m-%dT%H:%M:%SZ}", record_id=f"r{days}") for days in (1, 30, 40, 90)]
    with made.ledger(create=True) as ledger, made.casebook() as casebook:
        options = LoadOptions(now=utc_naive(utc_now()))
        TestLedger(ledger, ledger.pulled.connection).load(write(tmp_path / "a.jsonl", rows), options)
        old_casebook(1).save(casebook)
    return made


def test_a_rehearsal_tells_what_a_run_then_deletes(app: App) -> None:
    planned = run(app, KEPT, dry_run=True).document
    done = run(app, KEPT, dry_run=False).document

    assert done["ledger"] == planned["ledger"] == {"usage": 2}
    assert done["casebook"] == planned["casebook"]
    assert done["usage_from"] == f"{days_ago(35):%Y-%m-%d}"
    assert (planned["dry_run"], done["dry_run"], done["bytes_given_back"]) == (True, False, 0)


def test_a_second_run_has_nothing_to_do(app: App) -> None:
    run(app, KEPT, dry_run=False)
    with app.casebook() as casebook:
        once = contents(casebook)
    again = run(app, KEPT, dry_run=False)

    assert (again.document["ledger"], again.document["casebook"]) == ({}, {})
    assert again.shown == ["Nothing is older than the settings keep."]
    with app.casebook() as casebook:
        assert contents(casebook) == once
