"""What is told of a mix: requests moved only where one value lost some."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from langgraph.checkpoint.memory import InMemorySaver

from agent.investigation import Deps, Subject, investigate_incident
from agent.policy import PolicySettings
from playbooks import load_playbooks
from tests.ledger_builder import Cell, LedgerBuilder, at, span

DAY = span(30)
BIG, MINI = Cell(requests=20), Cell(model="gpt-mini", requests=100)


def told(how: Callable[[datetime, Cell], Cell]) -> str:
    builder = LedgerBuilder().run(BIG, days=35).run(MINI, days=35).run(Cell(team="ads", key_id="k2"), days=35)
    deps = Deps(builder.change(DAY, how).reader(), load_playbooks(), now=at(31), policy=PolicySettings())
    subject = Subject(incident_id="inc_1", window=DAY, explain=True)
    found = investigate_incident(subject, deps, InMemorySaver()).finding
    return "; ".join(change.what for change in found.changes)


def test_requests_that_left_one_model_for_another_have_moved() -> None:
    assert "requests moved from gpt-mini to gpt-big" in told(
        lambda _, c: replace(c, model="gpt-big") if c.model == "gpt-mini" else c
    )


def test_where_one_model_only_grew_nothing_has_moved() -> None:
    grown = told(
        lambda _, c: (
            replace(c, requests=c.requests * 20) if c.model == "gpt-big" and c.team == "search" else c
        )
    )
    assert "moved" not in grown
