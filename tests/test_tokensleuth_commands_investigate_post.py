from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from ledger.scope import EVERYTHING
from ledger.synthetic.demo import DEMO_RANGE, write_demo
from tokensleuth.alerts import announce_found
from tokensleuth.app import App, Overrides
from tokensleuth.casebook.queues import waiting_letters
from tokensleuth.casebook.telling import messages_of
from tokensleuth.casebook.views import read_view
from tokensleuth.cli import app
from tokensleuth.investigation import investigate_range
from tokensleuth.settings_acts import SlackSettings

SLACK = SlackSettings(channel="C0000001", bot_token=SecretStr("xoxb-1"))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[App, list[str]]:
    """The demo's week investigated twice, an hour apart, each time told of."""
    home = tmp_path_factory.mktemp("post")
    files = [str(path) for path in write_demo(home / "usage").usage]
    ledger = home / "ledger.duckdb"
    assert CliRunner().invoke(app, ["ingest", *files, "--ledger", str(ledger)]).exit_code == 0
    plain = App.configured(Overrides(ledger=ledger))
    configured = App(plain.settings.model_copy(update={"slack": SLACK}))
    now, ids = datetime(2026, 11, 22, 12, tzinfo=UTC), list[str]()
    for at in (now, now + timedelta(hours=1)):
        with configured.reading_ledger() as opened, configured.casebook() as casebook:
            found = investigate_range(
                configured, opened.reader, DEMO_RANGE, where=EVERYTHING, explain=False, now=at,
                progress=lambda *_: None, requested_by="service:schedule",
            )  # fmt: skip
            announce_found(configured, casebook, opened.reader, found, at)
        ids += [i.investigation.finding.incident_id for i in found.incidents]
    return configured, ids


def test_an_incident_is_told_of_once_however_often_it_is_found(
    told: tuple[App, list[str]],
) -> None:
    configured, ids = told
    with configured.casebook() as casebook, casebook.reading() as connection:
        kinds = [letter["kind"] for letter in waiting_letters(connection)]
        told_of = [len(messages_of(connection, incident_id)) for incident_id in dict.fromkeys(ids)]
    assert sorted(told_of) == [0, 1, 1, 1]
    assert kinds == ["alert"] * 3


def test_what_proposals_touch_is_kept_with_them(told: tuple[App, list[str]]) -> None:
    with told[0].casebook() as casebook:
        proposals = casebook.proposals(now=datetime(2026, 11, 22, 13, tzinfo=UTC))
    acts = [p for p in proposals if p["action"] in ("set_rate_limit", "block_key")]
    assert acts
    assert all(Decimal(0) < Decimal(str(p["spend_share"])) < Decimal("0.05") for p in acts)
    assert {p["requested_by"] for p in proposals} == {"service:schedule"}


def test_without_slack_post_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    where = ["--ledger", str(tmp_path / "l.duckdb")]
    ran = CliRunner().invoke(app, ["investigate", "last-24h", "--post", "--json", *where])
    assert ran.exit_code == 2
    assert "--post needs Slack" in ran.stdout


def test_a_casebook_keeps_the_hours_for_charts_drawn_later(told: tuple[App, list[str]]) -> None:
    configured, ids = told
    with configured.casebook() as casebook, casebook.reading() as connection:
        view = read_view(connection, ids[0], now=datetime(2026, 11, 22, 13, tzinfo=UTC))
    assert view is not None
    assert view.timeline is not None
    assert True in cast(list[bool], view.timeline["flagged"])
