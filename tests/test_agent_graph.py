"""The graph of an investigation: it stops at the human decision, and a rerun doubles nothing."""

import json
import os
import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from agent.finding import Finding
from agent.graph import build_graph, thread_of
from agent.investigation import Deps, Investigation, Subject, investigate_incident
from agent.state import State
from ledger.engine import DuckDbEngine, Row
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Scope
from playbooks import load_playbooks
from tests.ledger_builder import Cell, LedgerBuilder, at, span

DAY = span(30)
PLAYBOOKS = load_playbooks()
CONTRACT = Path(__file__).parent.parent / "docs" / "contract" / "investigate.schema.json"


def _subject(*, scope: Scope = EVERYTHING, expected_pico: int | None = None) -> Subject:
    explain = expected_pico is None
    return Subject(incident_id="inc_1", window=DAY, scope=scope, expected_pico=expected_pico, explain=explain)


def _storm(_: datetime, cell: Cell) -> Cell:
    stormy = replace(cell, requests=4 * cell.requests, failed=3 * cell.requests, retried=3 * cell.requests)
    return stormy if cell.key_id == "k1" else cell


def _quiet() -> LedgerBuilder:
    return LedgerBuilder().run(Cell(), days=35).run(Cell(key_id="k2", team="ads"), days=35)


def _stormy_reader() -> Reader:
    return _quiet().change(DAY, _storm).reader()


def _deps(reader: Reader) -> Deps:
    return Deps(reader=reader, playbooks=PLAYBOOKS, now=at(31))


def _saver(path: Path) -> SqliteSaver:
    return SqliteSaver(sqlite3.connect(path / "checkpoints.sqlite", check_same_thread=False))


def _investigated(reader: Reader, path: Path, **subject: object) -> Investigation:
    saver = _saver(path)
    found = investigate_incident(_subject(**subject), _deps(reader), saver)  # type: ignore[arg-type]
    saver.conn.close()
    return found


def test_checkpoints_load_only_known_types() -> None:
    assert os.environ["LANGGRAPH_STRICT_MSGPACK"] == "true"


def test_the_graph_stops_at_the_decision(tmp_path: Path) -> None:
    found = _investigated(_stormy_reader(), tmp_path)
    assert found.finding.cause == "retry_storm"
    assert found.finding.proposals
    assert found.pending


def test_nothing_to_decide_ends_the_graph(tmp_path: Path) -> None:
    found = _investigated(_quiet().reader(), tmp_path)
    assert (found.finding.cause, found.finding.verdict) == ("normal_variation", "benign")
    assert not found.finding.proposals
    assert not found.pending


def test_a_decision_is_taken_up_by_another_process(tmp_path: Path) -> None:
    reader = _stormy_reader()
    proposal = _investigated(reader, tmp_path).finding.proposals[0]
    saver = _saver(tmp_path)
    graph = build_graph(saver)
    config: RunnableConfig = {"configurable": {"thread_id": thread_of("inc_1")}}
    graph.invoke(Command(resume={"approved": [proposal.id]}), config, context=_deps(reader))
    state = State.model_validate(graph.get_state(config).values)
    saver.conn.close()
    assert state.concluded
    assert state.decisions is not None
    assert state.decisions.approved == (proposal.id,)


def test_a_rerun_gives_the_same_and_doubles_nothing(tmp_path: Path) -> None:
    reader = _stormy_reader()
    first, second = _investigated(reader, tmp_path), _investigated(reader, tmp_path)
    assert first.finding == second.finding
    assert [e.id for e in first.evidence] == [e.id for e in second.evidence]
    assert len({e.id for e in second.evidence}) == len(second.evidence)


def test_the_json_is_that_of_the_contract(tmp_path: Path) -> None:
    document = _investigated(_stormy_reader(), tmp_path).as_json(seconds=0.1)
    schema = json.loads(CONTRACT.read_text("utf-8"))
    jsonschema.validate({"range": DAY.as_json(), "incidents": [document]}, schema)


def _effects_sum(finding: Finding) -> Decimal:
    return sum((e.usd for e in finding.effects), Decimal(0))


def test_effects_add_up_to_the_change_also_against_a_seasonal_expectation(tmp_path: Path) -> None:
    finding = _investigated(_stormy_reader(), tmp_path, expected_pico=7_777_777_777_777).finding
    assert _effects_sum(finding) == finding.delta_usd == finding.actual_usd - finding.expected_usd
    assert {e.name: e.usd for e in finding.effects}["trend"] != 0


def test_every_number_of_the_report_is_backed(tmp_path: Path) -> None:
    finding = _investigated(_stormy_reader(), tmp_path).finding
    assert finding.unsupported_claims == 0
    assert f"${finding.delta_usd:,}" in finding.report
    headings = [line for line in finding.report.splitlines() if line.startswith("## ")]
    assert headings == ["## Where the change comes from", "## Who carries it, and why",
                        "## What it is not", "## What changed near the window", "## What can be done",
                        "## What was checked", "## Who looked"]  # fmt: skip


def test_alternatives_say_what_speaks_against_them(tmp_path: Path) -> None:
    found = _investigated(_stormy_reader(), tmp_path)
    known = {e.id for e in found.evidence}
    assert all(a.refuted_by and set(a.refuted_by) <= known for a in found.finding.alternatives)


@dataclass(frozen=True, slots=True)
class _FailsOnRates(DuckDbEngine):
    """An engine that cannot answer one of the questions."""

    def rows(self, sql: str, parameters: object) -> list[Row]:
        if "price_version,\n    min(hour)" in sql:
            raise OSError("disk gone")
        return list(super(_FailsOnRates, self).rows(sql, parameters))  # type: ignore[arg-type]


def test_a_failing_tool_degrades_but_does_not_sink_the_investigation(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = _stormy_reader().engine
    assert isinstance(engine, DuckDbEngine)
    found = _investigated(Reader(_FailsOnRates(engine.connection)), tmp_path)
    assert found.finding.degraded
    assert found.finding.cause == "retry_storm"
    assert {e.tool for e in found.evidence if e.status == "failed"} == {"changes", "price_changes"}
    assert "disk gone" in caplog.text
