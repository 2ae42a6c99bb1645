"""The nodes of the graph: each takes the state and the dependencies and returns what it adds."""

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agent.analyst import explain, judge
from agent.dialogue.talk import Talk
from agent.finding import Finding
from agent.look import gather
from agent.model_nodes import UnsupportedError, hold_against
from agent.policy import propose
from agent.report import Told, write_report
from agent.state import Decisions, Deps, LeftOut, State
from ledger.remembered import remembering

Update = dict[str, object]
CHANGED = "the ledger or the playbooks changed while the investigation was interrupted"


def look(state: State, runtime: Runtime[Deps]) -> Update:
    """Ask the tools everything that tells the causes apart."""
    deps = runtime.context
    return {"evidence": gather(remembering(deps.reader), state.subject, deps.calendar, deps.history)}


def explain_change(state: State, runtime: Runtime[Deps]) -> Update:
    """Name the cause by the playbooks."""
    return {"finding": explain(state.subject, state.evidence, runtime.context.playbooks)}


def propose_measures(state: State, runtime: Runtime[Deps]) -> Update:
    """Propose what the playbooks allow, replayed over the last week, and write the report."""
    deps, finding = runtime.context, _finding(state)
    reader = remembering(deps.reader)
    submission = state.talk.submission if state.talk else None
    talk, held = state.talk, None
    try:
        held = hold_against(state, deps, submission) if submission else None
    except UnsupportedError:  # taken before a kill; what it rests on has changed since
        talk = talk.model_copy(update={"submission": None, "failure": CHANGED}) if talk else None
        finding, submission = explain(state.subject, state.evidence, deps.playbooks), None
    judged = held.judged if held else judge(state.subject, state.evidence, deps.playbooks)
    finding = _with_model(finding, talk, deps.model_left_out)
    wanted = submission.actions if submission else ()
    proposed = propose(reader, finding, state.evidence, deps.playbooks, deps.policy, deps.now, wanted=wanted)
    known = {e.id: e for e in (*state.evidence, *proposed.evidence)}
    finding = finding.model_copy(update={"proposals": proposed.proposals, "refused": proposed.refused})
    told = Told(finding, judged, (*known.values(), *state.asked), held.statement if held else None)
    report = write_report(told)
    update = {
        "report": report.markdown,
        "unsupported_claims": report.unsupported + (talk.unsupported if talk else 0),
    }
    return {"evidence": tuple(known.values()), "finding": finding.model_copy(update=update)}


def _with_model(finding: Finding, talk: Talk | None, left_out: LeftOut | None) -> Finding:
    """The finding with what the model's part took, and how it failed where it did."""
    failed = ("a tool failed; what it would have shown is not known",) if finding.degraded else ()
    if talk is None and left_out is not None:
        because = (*failed, left_out.why)
        return finding.model_copy(
            update={"model": left_out.model, "degraded": True, "degraded_because": because}
        )
    if talk is None:
        return finding.model_copy(update={"degraded_because": failed})
    because = (*failed, *(() if talk.failure is None else (talk.failure,)))
    update = {
        "model": talk.model,
        "spent": talk.spent,
        "degraded": bool(because),
        "degraded_because": because,
        "analyst": "llm" if talk.submission else "deterministic",
    }
    return finding.model_copy(update=update)


def await_decision(state: State) -> Update:
    """Wait for people. Nothing else may happen here: on resume the node runs again from the top."""
    pending = [p.id for p in _finding(state).proposals]
    decided = interrupt(
        {"incident": state.subject.incident_id, "proposals": pending}, response_schema=Decisions
    )
    return {"decisions": decided}


def conclude(state: State) -> Update:  # noqa: ARG001
    """Close the investigation."""
    return {"concluded": True}


def next_after_proposals(state: State) -> str:
    """Without proposals there is nothing to decide."""
    return "await_decision" if _finding(state).proposals else "conclude"


def _finding(state: State) -> Finding:
    if state.finding is None:
        raise RuntimeError("the graph proposes before it has explained")
    return state.finding
