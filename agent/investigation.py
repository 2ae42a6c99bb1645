"""The entry for the shell: one incident in, its finding and evidence out."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from pydantic import JsonValue, ValidationError

from agent.drafts import PolicySettings
from agent.evidence import Evidence
from agent.finding import Finding
from agent.graph import InvestigationGraph, build_graph, thread_of
from agent.look import Subject
from agent.signals import refuse_unknown_facts
from agent.state import Deps, State
from ledger.ids import fact_id
from ledger.remembered import remembering

FIXED_STEPS = 12


@dataclass(frozen=True, slots=True)
class Investigation:
    """What came out, ready to be stored and shown."""

    finding: Finding
    evidence: tuple[Evidence, ...]
    pending: bool
    """Whether the graph waits for a decision."""

    def as_json(self, *, seconds: float | None = None) -> dict[str, JsonValue]:
        """The incident of `investigate --json`; the caller measures the seconds."""
        return self.finding.as_json(self.evidence, seconds=seconds)


RESUME_WITHIN = timedelta(hours=1)
"""An investigation that was interrupted longer ago begins anew: the ledger has moved on."""


def investigate_incident(
    subject: Subject, deps: Deps, checkpointer: BaseCheckpointSaver[str]
) -> Investigation:
    """Run the graph up to the human decision.

    One that was interrupted goes on at the step that was not done; one that had ended is replaced.
    """
    refuse_unknown_facts(deps.playbooks)
    deps = replace(deps, reader=remembering(deps.reader))
    graph = build_graph(checkpointer)
    config = _config(subject, deps)
    begin: State | None = None
    if not _may_go_on(graph, config, subject, deps):
        checkpointer.delete_thread(thread_of(subject.incident_id))
        begin = State(subject=subject, made_of=_made_of(subject, deps))
    graph.invoke(begin, config, context=deps, durability="sync", version="v2")
    snapshot = graph.get_state(config)
    state = State.model_validate(snapshot.values)
    if state.finding is None:
        raise RuntimeError(f"the investigation of {subject.incident_id} ended without a finding")
    return Investigation(state.finding, (*state.evidence, *state.asked), bool(snapshot.next))


def _config(subject: Subject, deps: Deps) -> RunnableConfig:
    """As many steps as the limits of the model allow: two for each of its calls, and the fixed ones."""
    calls = deps.llm.limits.model_calls if deps.llm else 0
    return {
        "configurable": {"thread_id": thread_of(subject.incident_id)},
        "recursion_limit": FIXED_STEPS + 2 * calls,
    }


def _may_go_on(graph: InvestigationGraph, config: RunnableConfig, subject: Subject, deps: Deps) -> bool:
    """Whether a conversation with a model was cut off a short while ago; without one, begin anew.

    What was paid for is worth keeping; everything else takes less than a second.
    """
    snapshot = graph.get_state(config)
    if not snapshot.next or "await_decision" in snapshot.next or snapshot.created_at is None:
        return False
    try:
        state = State.model_validate(snapshot.values)
    except ValidationError:  # killed before the first node, or kept by another version
        return False
    age = deps.now - datetime.fromisoformat(snapshot.created_at)
    return (
        state.subject == subject
        and state.talk is not None
        and deps.llm is not None
        and state.talk.model == deps.llm.model.name
        and age < RESUME_WITHIN
        and state.made_of == _made_of(subject, deps)
    )


def _made_of(subject: Subject, deps: Deps) -> str:
    """A name of what an investigation with a model rests on; another name, and it begins anew."""
    if deps.llm is None:
        return ""
    loads = [(load.load_id, load.records, load.restated_rows) for load in deps.reader.loads(subject.window)]
    books = [playbook.model_dump(mode="json") for playbook in deps.playbooks]
    calendar = [entry.model_dump(mode="json") for entry in deps.calendar]
    return fact_id("made", json.dumps([loads, books, calendar, str(deps.reader.extent())]))


__all__ = ["Deps", "Investigation", "PolicySettings", "Subject", "investigate_incident"]
