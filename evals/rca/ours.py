"""Our product on a case, in process: rows through its own loading, then what `investigate --explain` does.

The only module of the benchmark that touches the product.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from agent.investigation import Deps, Investigation, Subject, investigate_incident
from evals.rca.case import Answer, Case, Culprit
from evals.rca.usage_file import write_usage
from ledger.ingest.load import LoadOptions
from ledger.ingest.stage import Attribution
from ledger.prices.book import PriceBook
from ledger.prices.makers import provider_of
from ledger.reader import Reader
from ledger.scope import EVERYTHING, UNALLOCATED
from ledger.store import open_ledger
from playbooks import load_playbooks
from tokensleuth.casebook.records import range_incident_id


def explain(case: Case) -> Answer:
    """What the product blames; the CPU is that of the investigation alone."""
    with loaded(case) as reader:
        started = time.process_time()
        found = _explain_window(case, reader)
        return answer_of(found, time.process_time() - started)


def investigate(case: Case) -> Investigation:
    """Everything the product says of the window."""
    with loaded(case) as reader:
        return _explain_window(case, reader)


def _explain_window(case: Case, reader: Reader) -> Investigation:
    # `agent` must be imported before langgraph: it sets how checkpoints are read.
    from langgraph.checkpoint.memory import InMemorySaver

    incident_id = range_incident_id(EVERYTHING, case.window)
    subject = Subject(incident_id=incident_id, window=case.window, explain=True)
    deps = Deps(reader, load_playbooks(), case.window.end_at)
    return investigate_incident(subject, deps, InMemorySaver())


@contextmanager
def loaded(case: Case) -> Iterator[Reader]:
    """A ledger with the rows of the case."""
    options = LoadOptions(now=case.window.end_at.replace(tzinfo=None) + timedelta(hours=1))
    owners = Attribution(provider_of=provider_of, team_of=lambda _: UNALLOCATED)
    book = PriceBook()
    with tempfile.TemporaryDirectory() as scratch:
        files = write_usage(case, Path(scratch))
        with open_ledger(Path(scratch) / "ledger.duckdb") as ledger:
            for file in files:
                result = ledger.load(file, options, attribution=owners, book=book)
                if result.rejected or not result.new:
                    raise RuntimeError(f"{case.name}: {file.name} was not loaded whole: {result}")
            yield ledger.reader


def answer_of(found: Investigation, cpu_seconds: float) -> Answer:
    finding = found.finding
    return Answer(
        culprits=tuple(
            Culprit(one.scope, one.cause, float(one.delta_usd), one.confidence) for one in finding.culprits
        ),
        cpu_seconds=cpu_seconds,
        effects_sum=sum(effect.usd for effect in finding.effects) == finding.delta_usd,
        told_usd=float(finding.actual_usd),
        cause=finding.cause,
    )
