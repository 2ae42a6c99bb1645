"""The nodes in which the model takes part: open the talk, think, answer its calls, take its finding."""

import logging
from dataclasses import dataclass
from typing import Literal

from langgraph.runtime import Runtime

from agent.analyst import Judged, conclude, judge
from agent.claims.known import Known, known_from
from agent.dialogue.answering import answer_calls
from agent.dialogue.asking import ask_model, seconds_between
from agent.dialogue.briefing import Look, opening, shown_first
from agent.dialogue.channel import data_block, label
from agent.dialogue.prompts import prompt
from agent.dialogue.submission import Submission, UnreadableError, read_submission, submitted
from agent.dialogue.talk import Talk, answers
from agent.dialogue.toolbox import Desk
from agent.evidence import Evidence, names_in
from agent.llm.port import Llm, Message
from agent.look import look_closer
from agent.state import Deps, State
from agent.statement import Statement, checked_statement
from agent.weighing import new_scopes, weigh
from ledger.remembered import remembering

log = logging.getLogger(__name__)

Update = dict[str, object]
SHOWN_FAULTS = 4
UNREADABLE = "it was no finding"


def open_talk(state: State, runtime: Runtime[Deps]) -> Update:
    """Tell the model what the rules saw and concluded."""
    deps, finding = runtime.context, state.finding
    if deps.llm is None or finding is None:
        return {}
    judged = judge(state.subject, state.evidence, deps.playbooks)
    shown = shown_first(state.evidence)
    labels = {e.id: label(i) for i, e in enumerate(shown)}
    messages = opening(Look(finding, judged, state.evidence), deps.playbooks, labels)
    talk = Talk(model=deps.llm.model.name, messages=messages, shown=tuple(labels))
    return {"talk": talk}


def think(state: State, runtime: Runtime[Deps]) -> Update:
    """Let the model take its turn."""
    talk, llm = _open(state, runtime)
    return {"talk": ask_model(llm, talk, state.subject.incident_id)}


def answer(state: State, runtime: Runtime[Deps]) -> Update:
    """Run the tools the model called."""
    talk, llm = _open(state, runtime)
    deps, began = runtime.context, llm.clock()
    desk = Desk(
        remembering(deps.reader), state.subject.window, state.subject.scope, deps.calendar, deps.history
    )
    known = {e.id: e for e in (*state.evidence, *state.asked)}
    answered = answer_calls(desk, talk, known, most=max(llm.limits.tool_calls - talk.spent.tool_calls, 0))
    seconds = talk.spent.seconds + seconds_between(began, llm.clock())
    spent = answered.talk.spent.model_copy(update={"seconds": seconds})
    talk = answered.talk.model_copy(update={"spent": spent})
    return {"talk": talk, "asked": (*state.asked, *answered.evidence)}


def take_finding(state: State, runtime: Runtime[Deps]) -> Update:
    """Hold the model's finding against the evidence: take it, ask once for a correction, or leave it."""
    talk, _ = _open(state, runtime)
    try:
        submission = read_submission(talk.messages[-1])
        evidence = _looked_closer(state, runtime.context, submission)
        held = hold_against(state.model_copy(update={"evidence": evidence}), runtime.context, submission)
    except (UnreadableError, UnsupportedError) as error:
        unsupported = error.unsupported if isinstance(error, UnsupportedError) else 0
        told = error.told if isinstance(error, UnsupportedError) else UNREADABLE
        fault = f"the answer was cut at the limit of its length; {error}" if talk.cut else str(error)
        return {"talk": _corrected(talk.model_copy(update={"unsupported": unsupported}), fault, told)}
    taken = talk.model_copy(update={"submission": submission, "unsupported": len(held.statement.dropped)})
    finding = conclude(state.subject, evidence, held.judged)
    return {"talk": taken, "evidence": evidence, "finding": finding}


class UnsupportedError(ValueError):
    """The evidence does not carry the finding; the message tells the model what to mend.

    The message may quote the model; `told` does not, and may stand in a report.
    """

    def __init__(self, message: str, unsupported: int, told: str) -> None:
        super().__init__(message)
        self.unsupported = unsupported
        self.told = told


@dataclass(frozen=True, slots=True)
class Held:
    """A finding of the model that stands: suspects with its votes, and its words that are backed."""

    judged: tuple[Judged, ...]
    statement: Statement


def hold_against(state: State, deps: Deps, submission: Submission) -> Held:
    """Raises UnsupportedError where a cause is not carried, or no reason with evidence is left."""
    judged = judge(state.subject, state.evidence, deps.playbooks)
    weighed = weigh(state.subject, judged, state.evidence, deps.playbooks, submission)
    statement = checked_statement(submission, _known(state, deps))
    if weighed.refused:
        refused = "; ".join(weighed.refused[:SHOWN_FAULTS])
        raise UnsupportedError(refused, len(statement.dropped), refused)
    if not statement.cited:
        faults = "; ".join(d.reason for d in statement.dropped[:SHOWN_FAULTS]) or "no reason has a reference"
        told = "no reason is left that evidence backs"
        raise UnsupportedError(f"{told}: {faults}", len(statement.dropped), told)
    return Held(weighed.judged, statement)


def _known(state: State, deps: Deps) -> Known:
    """What the model's sentences may speak of."""
    evidence = (*state.evidence, *state.asked)
    names = {str(n) for values in remembering(deps.reader).scope_table().names for n in values}
    labels = {name: i for i, name in state.talk.labels.items()} if state.talk else {}
    return known_from(
        evidence, labels, other_names=names, window=state.subject.window, scope=state.subject.scope
    )


def _looked_closer(state: State, deps: Deps, submission: Submission) -> tuple[Evidence, ...]:
    """The evidence with a closer look at every scope that only the model blames."""
    judged = judge(state.subject, state.evidence, deps.playbooks)
    found = {e.id: e for e in state.evidence}
    names = names_in((*state.evidence, *state.asked))
    for scope in new_scopes(state.subject, judged, names, submission):
        for evidence in look_closer(remembering(deps.reader), state.subject.window, scope, deps.calendar):
            found.setdefault(evidence.id, evidence)
    return tuple(found.values())


def _corrected(talk: Talk, fault: str, told: str) -> Talk:
    """Ask for a correction; the second fault ends the conversation."""
    if talk.corrected:
        log.info("the finding of %s could not be used: %s", talk.model, fault)
        return talk.failed(f"the model's finding could not be used twice: {told}")
    text = "\n".join([prompt("correction"), data_block('id="fault"', fault[:800])])
    calls = talk.messages[-1].tool_calls
    replies = answers(calls, [text] * len(calls)) if calls else (Message(role="user", content=text),)
    return talk.saying(*replies).model_copy(update={"corrected": True})


def next_after_explaining(state: State) -> Literal["think", "propose"]:
    return "propose" if state.talk is None else "think"


def next_after_thinking(state: State) -> Literal["answer", "take_finding", "propose"]:
    """A finding ends the turn, whatever else is called beside it."""
    if state.talk is None or state.talk.is_over:
        return "propose"
    turn = state.talk.messages[-1]
    return "answer" if turn.tool_calls and submitted(turn) is None else "take_finding"


def next_after_finding(state: State) -> Literal["think", "propose"]:
    return "propose" if state.talk is None or state.talk.is_over else "think"


def _open(state: State, runtime: Runtime[Deps]) -> tuple[Talk, Llm]:
    if state.talk is None or runtime.context.llm is None:
        raise RuntimeError("the graph thinks without a conversation")
    return state.talk, runtime.context.llm
