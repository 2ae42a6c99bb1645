"""docs/playbooks.md names every fact and every value, and its example does what it says."""

import re
import tomllib
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from agent.derived import DERIVED
from agent.finding import Finding
from agent.investigation import Deps, Subject, investigate_incident
from agent.signals import FACTS, TAKEN
from playbooks import CAUSES, ActionName, Party, Playbook, Rule, WatchedFact, load_playbooks
from playbooks.schema import FrontMatter
from tests.ledger_builder import Cell, LedgerBuilder, at, span
from tokensleuth.settings import Settings
from tools import TOOLS

DOCS = (Path(__file__).parent.parent / "docs" / "playbooks.md").read_text("utf-8")
FACT_ROWS = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \| (`\w+`|derived) \|$", DOCS, re.MULTILINE)
UNITS = {"ratio", "share", "points", "flag", "count", "hours", "spreads"}
DAY = span(30)


@cache
def example() -> str:
    return DOCS.split("```markdown\n")[1].split("```")[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "month_end_batch.md").write_text(example())
    return tmp_path


def heavy(_: datetime, cell: Cell) -> Cell:
    """As many more requests at every hour."""
    return replace(cell, requests=cell.requests + 400) if cell.key_id == "k1" else cell


@cache
def explained(tier: str, playbooks: tuple[Playbook, ...]) -> Finding:
    usage = LedgerBuilder().run(Cell(service_tier=tier), days=35).run(Cell(key_id="k2", team="ads"), days=35)
    deps = Deps(usage.change(DAY, heavy).reader(), playbooks, now=at(31))
    subject = Subject(incident_id="inc_1", window=DAY, explain=True)
    return investigate_incident(subject, deps, InMemorySaver()).finding


def test_every_fact_is_in_the_table_once_and_in_order() -> None:
    assert [name for name, *_ in FACT_ROWS] == sorted(FACTS)


def test_every_fact_has_a_unit_that_is_explained() -> None:
    assert {unit for _, unit, *_ in FACT_ROWS} == UNITS


def test_every_fact_says_from_which_tool_it_comes() -> None:
    told = {name: source.strip("`") for name, _, _, source in FACT_ROWS}
    uses = {"model": "mix", "tier": "mix"}
    taken = {name: uses.get(tool, tool) for name, (tool, _) in TAKEN.items()}
    assert {name: told[name] for name in taken} == taken
    others = {name: source for name, source in told.items() if name not in taken}
    assert set(others.values()) <= {"derived", *(tool.__name__ for tool in TOOLS)}
    assert {n for n, source in others.items() if source == "derived"} <= set(DERIVED)


@pytest.mark.parametrize("names", [CAUSES, get_args(ActionName), get_args(Party), get_args(WatchedFact)])
def test_every_value_of_a_closed_list_is_told(names: tuple[str, ...]) -> None:
    assert [name for name in names if f"`{name}`" not in DOCS] == []


@pytest.mark.parametrize("field", [*FrontMatter.model_fields, *Rule.model_fields])
def test_every_field_is_told(field: str) -> None:
    assert re.search(rf"^\|.*`(\[+{field}\]+|{field})`.* \| .+ \|$", DOCS, re.MULTILINE)


def test_the_setting_of_the_docs_is_one(tmp_path: Path) -> None:
    shown = DOCS.split("```toml\n")[1].split("```")[0]
    folder = Settings.model_validate(tomllib.loads(shown)).playbooks.folder
    assert folder == Path("playbooks") != tmp_path


def test_the_example_is_a_playbook_that_follows_its_own_advice(folder: Path) -> None:
    [found] = [p for p in load_playbooks(folder, facts=FACTS) if p.origin == "folder"]
    assert (found.name, found.cause) == ("month_end_batch", "backfill_or_batch")
    assert all(rule.source for rule in found.rules)
    assert len(found.body.split()) < 200


def test_the_example_changes_the_diagnosis_it_is_about(folder: Path) -> None:
    ours = load_playbooks(folder, facts=FACTS)
    assert explained("batch", load_playbooks()).cause == "runaway_loop"
    found = explained("batch", ours)
    assert found.cause == found.culprits[0].cause == "backfill_or_batch"
    assert "a key that does batch work as a rule" in found.report.lower()


def test_the_example_leaves_other_diagnoses_alone(folder: Path) -> None:
    shipped, ours = (
        explained("standard", p) for p in (load_playbooks(), load_playbooks(folder, facts=FACTS))
    )
    assert (ours.cause, ours.confidence) == (shipped.cause, shipped.confidence)


def test_what_is_proposed_is_what_the_playbook_that_stands_allows(folder: Path) -> None:
    found = explained("batch", load_playbooks(folder, facts=FACTS))
    assert {p.action for p in found.proposals} <= {"notify_owner", "mark_expected"}
