"""Runs scenarios through the product in process: one ledger and detection a case, a casebook an analyst."""

import json
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from evals.analysts import Analyst, analyst_named
from evals.claims import unsupported_numbers
from evals.grading import grade_report, nothing_told
from evals.harm import harmful_proposals, playbook_actions
from evals.outcome import Outcome, OutcomeFacts, effort_of
from evals.reported import Report
from evals.runs import Stores
from evals.scenarios import SCENARIOS, Scenario, Story, Truth
from ledger.catalogue import utc_naive
from ledger.ingest.load import LoadOptions
from ledger.reader import Reader
from ledger.scope import EVERYTHING
from ledger.store import Ledger
from ledger.synthetic.files import write_usage
from tokensleuth.app import App
from tokensleuth.investigation import Asked, find_subjects, investigate_subjects
from tokensleuth.settings import Settings, Store


def run_cases(
    cases: Sequence[str], analysts: Sequence[str], folder: Path, *, jobs: int
) -> Iterator[list[Outcome]]:
    """The outcomes of each case as it is done; in processes of their own where there are several jobs."""
    if jobs == 1:
        yield from (run_named(case, analysts, folder / case) for case in cases)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(run_named, case, analysts, folder / case) for case in cases]
        for done in as_completed(running):
            yield done.result()


def run_named(case: str, analysts: Sequence[str], folder: Path) -> list[Outcome]:
    scenario = next(scenario for scenario in SCENARIOS if scenario.name == case)
    return run_scenario(scenario, [analyst_named(name) for name in analysts], folder)


def run_scenario(scenario: Scenario, analysts: Sequence[Analyst], folder: Path) -> list[Outcome]:
    """A scenario that fails before anybody could look at it was told by nobody, and that is shown."""
    story, stores = scenario.story(), Stores.fresh(folder)
    try:
        return _run_story(scenario, story, analysts, stores)
    except Exception:  # noqa: BLE001
        return [_failed(scenario, story.truth, analyst) for analyst in analysts]


def _run_story(
    scenario: Scenario, story: Story, analysts: Sequence[Analyst], stores: Stores
) -> list[Outcome]:
    """Write the files, load them and look for incidents once, then let every analyst investigate them."""
    app = app_for(story, stores, "none")
    with app.ledger(create=True) as ledger:
        _load(app, ledger, story, scenario, stores.ledger.parent)
        asked = find_subjects(
            app, ledger.reader, scenario.asked, where=EVERYTHING, explain=scenario.explain, progress=_silent
        )
        return [_run_analyst(scenario, story, analyst, ledger.reader, asked, stores) for analyst in analysts]


def app_for(story: Story, stores: Stores, analyst: str) -> App:
    """The product as the operator of the scenario set it up, with a casebook for one analyst."""
    casebook = stores.casebook.with_name(f"casebook.{analyst}.sqlite")
    return App(
        Settings(
            store=Store(ledger=stores.ledger, casebook=f"sqlite:///{casebook}"),
            calendar=story.calendar,
            price_override=story.price_override,
            model_alias=story.model_alias,
        )
    )


def _load(app: App, ledger: Ledger, story: Story, scenario: Scenario, folder: Path) -> None:
    options = LoadOptions(now=utc_naive(scenario.spec.end_at))
    for file in write_usage(story.rows, folder, file_format="parquet", split_by="week"):
        result = ledger.load(file, options, attribution=app.attribution(), book=app.price_book())
        if result.rejected or not result.new:
            raise RuntimeError(f"{scenario.name}: {file.name} was not loaded whole: {result}")


def _run_analyst(
    scenario: Scenario, story: Story, analyst: Analyst, reader: Reader, asked: Asked, stores: Stores
) -> Outcome:
    """An analyst that fails has told nothing, which does not keep the others from telling."""
    app = replace(app_for(story, stores, analyst.name), model=analyst.model(scenario, story.truth))
    try:
        found = investigate_subjects(app, reader, asked, now=scenario.spec.end_at, progress=_silent)
    except Exception:  # noqa: BLE001
        return _failed(scenario, story.truth, analyst)
    document = json.dumps(found.as_json(), indent=2)
    stores.ledger.with_name(f"report.{analyst.name}.json").write_text(document, encoding="utf-8")
    report = Report.model_validate_json(document)
    return Outcome(
        **_facts(scenario, story.truth, analyst),
        grade=grade_report(report, story.truth),
        incidents=len(report.incidents),
        dropped_claims=sum(incident.unsupported_claims for incident in report.incidents),
        shown_claims=_shown_claims(app, report),
        harmful=tuple(harmful_proposals(report, story.truth, playbook_actions())),
        effort=effort_of(report),
    )


def _failed(scenario: Scenario, truth: Truth, analyst: Analyst) -> Outcome:
    """To be called while the exception is handled."""
    failure = traceback.format_exc(limit=-3).strip()
    return Outcome(**_facts(scenario, truth, analyst), grade=nothing_told(truth), failure=failure)


def _facts(scenario: Scenario, truth: Truth, analyst: Analyst) -> OutcomeFacts:
    return {
        "case": scenario.name,
        "analyst": analyst.name,
        "kind": truth.kind,
        "causes": truth.causes,
        "held_out": scenario.held_out,
    }


def _shown_claims(app: App, report: Report) -> tuple[str, ...]:
    """Numbers that no evidence in the casebook backs, incident by incident."""
    with app.casebook() as casebook:
        stored = {e.id: casebook.evidence(e.id) for i in report.incidents for e in i.evidence}
    documents = {name: document for name, document in stored.items() if document is not None}
    return tuple(
        f"{incident.id}: {claim}"
        for incident in report.incidents
        for claim in unsupported_numbers(
            incident, [documents[e.id] for e in incident.evidence if e.id in documents]
        )
    )


def _silent(_done: int, _total: int, _what: str) -> None:
    """Progress is told by the case."""
