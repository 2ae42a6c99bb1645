"""Wires the nodes: look, explain, the conversation with the model, propose, await decision, conclude."""

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agent.model_nodes import (
    answer,
    next_after_explaining,
    next_after_finding,
    next_after_thinking,
    open_talk,
    take_finding,
    think,
)
from agent.nodes import (
    await_decision,
    conclude,
    explain_change,
    look,
    next_after_proposals,
    propose_measures,
)
from agent.state import Deps, State

InvestigationGraph = CompiledStateGraph[State, Deps, State, State]


def build_graph(checkpointer: BaseCheckpointSaver[str]) -> InvestigationGraph:
    """The graph of one investigation; it stops at the human decision when there is something to decide."""
    graph = StateGraph(State, context_schema=Deps)
    graph.add_node("look", look)
    graph.add_node("explain", explain_change)
    graph.add_node("open_talk", open_talk)
    graph.add_node("think", think)
    graph.add_node("answer", answer)
    graph.add_node("take_finding", take_finding)
    graph.add_node("propose", propose_measures)
    graph.add_node("await_decision", await_decision)
    graph.add_node("conclude", conclude)
    graph.add_edge(START, "look")
    graph.add_edge("look", "explain")
    graph.add_edge("explain", "open_talk")
    graph.add_conditional_edges("open_talk", next_after_explaining, ["think", "propose"])
    graph.add_conditional_edges("think", next_after_thinking, ["answer", "take_finding", "propose"])
    graph.add_edge("answer", "think")
    graph.add_conditional_edges("take_finding", next_after_finding, ["think", "propose"])
    graph.add_conditional_edges("propose", next_after_proposals, ["await_decision", "conclude"])
    graph.add_edge("await_decision", "conclude")
    graph.add_edge("conclude", END)
    return graph.compile(checkpointer=checkpointer)


def thread_of(incident_id: str) -> str:
    """The thread of an incident's investigation."""
    return f"investigation-{incident_id}"
