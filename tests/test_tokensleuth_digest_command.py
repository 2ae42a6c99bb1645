"""`digest` as a user runs it: renderings, files, and posting once."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from ledger.errors import RefusedError
from ledger.synthetic.demo import write_demo
from tokensleuth.app import App, Overrides
from tokensleuth.casebook.queues import waiting_letters
from tokensleuth.cli import app
from tokensleuth.commands.digest import Wanted, run
from tokensleuth.digest.week import Week
from tokensleuth.digesting import post_digests
from tokensleuth.settings_acts import Route, SlackSettings

SLACK = SlackSettings(channel="C0000001", bot_token=SecretStr("xoxb-1"))
ROUTE = Route(channel="C0MOBILE", where={"team": "mobile"})


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("digest")
    files = [str(path) for path in write_demo(home / "usage").usage]
    assert CliRunner().invoke(app, ["ingest", *files, "--ledger", str(home / "l.duckdb")]).exit_code == 0
    return home / "l.duckdb"


@pytest.fixture
def configured(ledger: Path, tmp_path: Path) -> App:
    """Told in Slack, with a casebook of its own."""
    plain = App.configured(Overrides(ledger=ledger, casebook=f"sqlite:///{tmp_path}/c.sqlite"))
    return App(plain.settings.model_copy(update={"slack": SLACK, "route": (ROUTE,)}))


def posted(configured: App, wanted: Wanted) -> Sequence[Mapping[str, object]]:
    return cast(Sequence[Mapping[str, object]], run(configured, wanted).document["posted"])


def test_all_renderings_and_files_are_written(configured: App, tmp_path: Path) -> None:
    outcome = run(
        configured,
        Wanted("2026-W46", output=tmp_path / "d.html", csv=tmp_path / "s.csv", charts=tmp_path / "charts"),
    )
    page = (tmp_path / "d.html").read_text("utf-8")
    assert page.count("data:image/svg+xml;base64,") == 5
    assert len(page) < 400_000
    assert "$21,677.72" in page
    rows = list(csv.DictReader(io.StringIO((tmp_path / "s.csv").read_text("utf-8"))))
    assert {row["team"] for row in rows} >= {"mobile", "checkout"}
    charts = sorted(path.name for path in (tmp_path / "charts").iterdir())
    assert charts == ["2026-W46-forecast.png", "2026-W46-movers.png", "2026-W46-spend.png"]
    files = cast(Mapping[str, str], outcome.document["files"])
    assert set(files) == {"csv", "chart_spend", "chart_movers", "chart_forecast", "output"}


def test_the_form_is_that_of_the_file(configured: App, tmp_path: Path) -> None:
    run(configured, Wanted("2026-W46", output=tmp_path / "d.json"))
    run(configured, Wanted("2026-W46", output=tmp_path / "d.md", charts=tmp_path / "charts"))
    assert json.loads((tmp_path / "d.json").read_text("utf-8"))["blocks"][0]["type"] == "header"
    assert "](charts/2026-W46-spend.png)" in (tmp_path / "d.md").read_text("utf-8")


def test_a_document_is_plain_json_and_says_what_people_read(configured: App) -> None:
    document = json.loads(json.dumps(run(configured, Wanted("2026-W46", "mobile")).document))
    assert document["audience"] == "team:mobile"
    assert f"${float(document['spend']['now_shown_usd']):,.2f}" in document["markdown"]


def test_nothing_is_saved_unless_it_is_posted(configured: App, tmp_path: Path) -> None:
    run(configured, Wanted("2026-W46"))
    assert not (tmp_path / "c.sqlite").exists()


def test_posting_tells_the_organisation_and_the_teams_of_routes_once(configured: App) -> None:
    first, again = (posted(configured, Wanted("2026-W46", post=True)) for _ in range(2))
    assert [(p["audience"], p["channels"]) for p in first] == [
        ("organisation", ["C0000001"]),
        ("team:mobile", ["C0MOBILE"]),
    ]
    assert [p["channels"] for p in again] == [[], []]
    with configured.casebook() as casebook, casebook.reading() as connection:
        assert [row["kind"] for row in waiting_letters(connection)] == ["digest", "digest"]


def test_a_team_alone_can_be_posted(configured: App) -> None:
    told = posted(configured, Wanted("2026-W46", "mobile", post=True))
    assert [p["audience"] for p in told] == ["team:mobile"]


def test_the_service_and_the_command_together_tell_it_once(configured: App) -> None:
    run(configured, Wanted("2026-W46", post=True))
    now = Week(2026, 47).window.end_at
    with configured.ledger() as opened, configured.casebook() as casebook:
        told = post_digests(configured, casebook, opened.reader, Week(2026, 46), now)
    assert [posted.channels for posted in told] == [(), ()]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted("2026-W46", form="html"), "needs a file"),
        (Wanted("2026-W46", form="slack"), "needs a file"),
        (Wanted("2026-W46", "legal", post=True), "no route names team legal"),
        (Wanted("2026-W99"), "no ISO week"),
        (Wanted("2199-W01"), "is not over yet"),
        (Wanted("2026-W46", "nobody"), "no usage of team=nobody"),
    ],
)
def test_what_cannot_be_done_is_refused(configured: App, wanted: Wanted, told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        run(configured, wanted)


def test_posting_needs_slack(ledger: Path) -> None:
    with pytest.raises(RefusedError, match="SLACK_BOT_TOKEN"):
        run(App.configured(Overrides(ledger=ledger)), Wanted("2026-W46", post=True))
