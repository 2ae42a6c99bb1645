"""Gateways that limit whole projects: a culprit gets its project where nobody else would be limited."""

from datetime import timedelta

import pytest

from agent.measures import Gateway
from agent.one_project import with_its_project
from ledger.scope import UNALLOCATED, Scope
from ledger.window import Window
from tests.ledger_builder import START, Cell, LedgerBuilder

WINDOW = Window(START + timedelta(days=6), START + timedelta(days=6, hours=6))
CULPRIT = Scope.parse(["team=search", "model=gpt-big"])


def placed(*cells: Cell, gateway: Gateway = "openai", culprit: Scope = CULPRIT) -> Scope:
    ledger = LedgerBuilder()
    for cell in (Cell(), *cells):
        ledger.run(cell, days=7)
    return with_its_project(ledger.reader(), culprit, gateway, WINDOW)


def test_a_culprit_that_is_all_of_a_projects_use_of_a_model_gets_the_project() -> None:
    assert placed() == CULPRIT.with_value("project", "web")
    assert placed(Cell(model="gpt-mini"), Cell(team="ads", project="ads"), gateway="anthropic") == (
        CULPRIT.with_value("project", "web")
    )


@pytest.mark.parametrize(
    "other",
    [
        Cell(team="ads", key_id="k2"),
        Cell(project="second"),
        Cell(project=UNALLOCATED, key_id="k3"),
    ],
    ids=["another team works there too", "the team works in two", "a part of it is in none"],
)
def test_where_others_would_be_limited_too_it_stays_as_it_is(other: Cell) -> None:
    assert placed(other) == CULPRIT


@pytest.mark.parametrize("gateway", ["litellm", "webhook", "none"])
def test_gateways_that_limit_keys_and_teams_need_no_project(gateway: Gateway) -> None:
    assert placed(gateway=gateway) == CULPRIT


def test_what_pins_no_model_or_a_project_already_stays_as_it_is() -> None:
    whole, own = Scope.parse(["team=search"]), CULPRIT.with_value("project", "web")
    assert placed(culprit=whole) == whole
    assert placed(culprit=own) == own


def test_usage_without_a_project_has_none_to_limit() -> None:
    ledger = LedgerBuilder().run(Cell(project=UNALLOCATED), days=7)
    assert with_its_project(ledger.reader(), CULPRIT, "openai", WINDOW) == CULPRIT
