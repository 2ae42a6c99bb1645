"""The entry for the shell: one incident in, its finding and evidence out."""

from dataclasses import dataclass

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from pydantic import JsonValue

from agent.drafts import PolicySettings
from agent.evidence import Evidence
from agent.finding import Finding
from agent.graph import build_graph, thread_of
from agent.look import Subject
from agent.signals import refuse_unknown_facts
from agent.state import Deps, State


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


def investigate_incident(
    subject: Subject, deps: Deps, checkpointer: BaseCheckpointSaver[str]
) -> Investigation:
    """Run the graph up to the human decision. An earlier run of the same incident is replaced."""
    refuse_unknown_facts(deps.playbooks)
    graph = build_graph(checkpointer)
    thread = thread_of(subject.incident_id)
    checkpointer.delete_thread(thread)
    config: RunnableConfig = {"configurable": {"thread_id": thread}}
    graph.invoke(State(subject=subject), config, context=deps, durability="sync", version="v2")
    snapshot = graph.get_state(config)
    state = State.model_validate(snapshot.values)
    if state.finding is None:
        raise RuntimeError(f"the investigation of {subject.incident_id} ended without a finding")
    return Investigation(state.finding, state.evidence, bool(snapshot.next))


__all__ = ["Deps", "Investigation", "PolicySettings", "Subject", "investigate_incident"]
