"""A difference from the bill as people see it: alert, page, list, card, and the command."""

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
import typer
from rich.console import Console, RenderableType
from typer.testing import CliRunner

from tests.reconciling_cases import (
    BIG,
    NOW,
    SMALL,
    TOKENS,
    Books,
    Source,
    books_in,
    day,
    days,
    of_day,
    usd_by_class,
    varied,
)
from tests.slack_cases import LOOK
from tests.web_site import Clock, browser, parts_over
from tokensleuth.announcing.retelling import news, told_facts
from tokensleuth.announcing.severity import Usual, is_alerted, severity
from tokensleuth.casebook import Casebook, JsonObject
from tokensleuth.casebook.views import read_view
from tokensleuth.cli_reconcile import add_commands
from tokensleuth.clock import utc_now
from tokensleuth.reconciling.reconciled import save_and_list
from tokensleuth.slackapp.alert import alert
from tokensleuth.terminal import incident_card, incident_table


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    with books_in(tmp_path) as found:
        yield found


def contract(books: Books) -> None:
    for number in range(3):
        for model in (BIG, SMALL):
            tokens = varied(TOKENS, number + (model == SMALL))
            books.use(model, day(number), tokens)
            books.bill_tokens(model, day(number), of_day(tokens), factor=0.85)
    books.pull()


def keep(books: Books, casebook: Casebook) -> JsonObject:
    (record,) = save_and_list(books.ledger, books.parts(), casebook, days(), NOW)
    return dict(record.incident)


def shown(renderable: RenderableType) -> str:
    plain = Console(width=100, no_color=True)
    with plain.capture() as capture:
        plain.print(renderable)
    return capture.get()


def alert_text(casebook: Casebook, incident_id: object) -> str:
    with casebook.reading() as connection:
        view = read_view(connection, str(incident_id), now=NOW)
    assert view is not None
    look = replace(LOOK, now=NOW)
    return json.dumps(alert(view, look).blocks, ensure_ascii=False)


def test_the_alert_says_that_use_did_not_change(books: Books, casebook: Casebook) -> None:
    contract(books)
    told = alert_text(casebook, keep(books, casebook)["id"])
    assert "Accounting artifact: +$" in told
    assert "A difference between the bill and the ledger, not a change in use" in told
    assert "the bill is a constant part of the list price, as under a contract" in told
    assert "15 percent off the list price" in told
    assert "Fix the price of all models" in told


def test_it_is_alerted_of_calmly_and_said_again_when_it_is_settled(books: Books, casebook: Casebook) -> None:
    contract(books)
    before = keep(books, casebook)
    assert is_alerted(before)
    assert severity(before, Usual(Decimal(10))) == "medium"
    books.lines.clear()
    for number in range(3):
        for model in (BIG, SMALL):
            tokens = varied(TOKENS, number + (model == SMALL))
            books.bill_tokens(model, day(number), of_day(tokens))
    books.pull()
    after = keep(books, casebook)
    assert severity(after, Usual(Decimal(10))) == "low"
    told = news(told_facts(before), told_facts(after))
    assert told is not None
    assert "verdict is now benign" in told
    assert "the bill and the ledger agree" in alert_text(casebook, after["id"])


def test_the_page_shows_both_sides_the_reason_and_the_lines_to_add(books: Books, casebook: Casebook) -> None:
    contract(books)
    incident = keep(books, casebook)
    client = browser(parts_over(casebook, clock=Clock(NOW)), "alice")
    page = html.unescape(client.get(f"/incidents/{incident['id']}").text)
    text = re.sub(r"<[^>]+>", "", page)
    assert "as under a contract" in text
    assert 'kind = "percent_off"' in text
    assert "value = 15" in text
    for evidence in cast(list[JsonObject], incident["evidence"]):
        assert client.get(f"/evidence/{evidence['id']}").status_code == 200
    listed = html.unescape(client.get("/incidents").text)
    assert "accounting artifact" in listed


def test_the_list_and_the_card_name_model_and_reason(books: Books, casebook: Casebook) -> None:
    books.use(BIG, day(0))
    books.bill("openai", day(0), BIG, sum(usd_by_class(BIG, of_day(TOKENS))) + 50)
    books.pull()
    incident = keep(books, casebook)
    assert f"model={BIG}" in shown(incident_table(casebook.incidents(now=NOW)))
    card = shown(incident_card(incident))
    assert "no mechanism that we know of explains it" in re.sub(r"[\s│]+", " ", card)
    assert "-$50.00" in card


def command(home: Path, *arguments: str) -> tuple[int, str]:
    """The command before it is a part of the program's own."""
    app = typer.Typer()
    add_commands(app)
    app.command()(lambda: None)
    given = ["reconcile", *arguments, "--ledger", str(home / "ledger.duckdb")]
    result = CliRunner().invoke(app, given, env={"COLUMNS": "100", **KEYS})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


KEYS: Mapping[str, str] = {"OPENAI_ADMIN_KEY": "sk-admin-test", "ANTHROPIC_ADMIN_KEY": ""}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A contract nobody has told of, of four days."""
    folder = tmp_path_factory.mktemp("reconcile")
    with books_in(folder) as books:
        books.feeds = (Source("openai"),)
        now = utc_now()
        first = now.date() - timedelta(days=6)
        for number in range(4):
            at = first + timedelta(days=number)
            for model in (BIG, SMALL):
                tokens = varied(TOKENS, number)
                books.use(model, at, tokens, loaded_at=now)
                books.bill_tokens(model, at, of_day(tokens), factor=0.7)
            books.bill("openai", at, "web search tool calls", 3)
        books.pull(until=now.date(), now=now)
    return folder


def test_the_command_shows_the_difference_and_saves_nothing(home: Path) -> None:
    code, text = command(home, "last-7d")
    assert code == 0
    assert "Contract discount, 95% sure" in text
    assert "30 percent off the list price" in re.sub(r"\s+", " ", text)
    assert "value = 30" in text
    assert "4 lines of the bill: no token usage" in text
    assert not (home / "ledger.casebook.sqlite").exists()


def test_its_document_has_findings_days_and_what_is_left_out(home: Path) -> None:
    document = json.loads(command(home, "--json")[1])
    (finding,) = document["findings"]
    assert finding["reason"] == "contract_discount"
    ledger, billed, off = (Decimal(finding[f"{name}_usd"]) for name in ("ledger", "billed", "difference"))
    assert ledger - billed == off
    assert {each["status"] for each in document["days"]} == {"gap"}
    assert len(document["not_token_usage"]) == 4
    assert document["waiting"]


def test_with_save_it_keeps_an_incident(home: Path) -> None:
    saved = json.loads(command(home, "--save", "--json")[1])["saved"]
    again = json.loads(command(home, "--save", "--json")[1])["saved"]
    assert len(saved) == 1
    assert again == saved


def test_completeness_names_every_source_and_until_when_detection_may_score(home: Path) -> None:
    document = json.loads(command(home, "--completeness", "--json")[1])
    assert [source["source"] for source in document["sources"]] == ["openai"]
    assert document["complete_until"] is not None or document["sources"][0]["standing"] == "given_up"
    assert "openai" in command(home, "--completeness")[1]
