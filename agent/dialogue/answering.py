"""Answers the tool calls of one turn, side by side; nothing is asked twice."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from agent.dialogue.channel import data_block, evidence_block, label
from agent.dialogue.prompts import prompt
from agent.dialogue.talk import Talk, answers
from agent.dialogue.toolbox import Desk, Question, ToolCallError, prepared
from agent.evidence import Evidence
from agent.llm.port import ToolCall

SIDE_BY_SIDE = 4


@dataclass(frozen=True, slots=True)
class Answered:
    """The conversation with every call of the last turn answered, and what is new."""

    talk: Talk
    evidence: tuple[Evidence, ...]


def answer_calls(desk: Desk, talk: Talk, known: Mapping[str, Evidence], *, most: int) -> Answered:
    """Run at most `most` more calls of the last turn; the others are told that the limit is reached."""
    calls = talk.messages[-1].tool_calls
    questions = [_question(desk, call) for call in calls[:most]]
    found = _asked(questions)
    texts: list[str] = []
    fresh: list[Evidence] = []
    for evidence in found:
        if isinstance(evidence, str):
            texts.append(evidence)
            continue
        stored = known.get(evidence.id, evidence)
        text, talk = _told(stored, talk)
        texts.append(text)
        if evidence.id not in known:
            fresh.append(stored)
    texts += ["Not run: no more tool calls are allowed. Submit the finding."] * (len(calls) - len(questions))
    spent = talk.spent.model_copy(update={"tool_calls": talk.spent.tool_calls + len(questions)})
    talk = talk.saying(*answers(calls, texts)).model_copy(update={"spent": spent})
    return Answered(talk, tuple({e.id: e for e in fresh}.values()))


def _question(desk: Desk, call: ToolCall) -> Question | str:
    """The checked question; or what is wrong with the call, for the model."""
    try:
        return prepared(desk, call)
    except ToolCallError as error:
        return "Refused.\n" + data_block('id="refusal"', str(error)[:600])


def _asked(questions: Sequence[Question | str]) -> list[Evidence | str]:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return list(pool.map(lambda q: q if isinstance(q, str) else q.answer(), questions))


def _told(evidence: Evidence, talk: Talk) -> tuple[str, Talk]:
    """The answer under its label; a hint where the same was answered before."""
    if evidence.id in talk.answered:
        return prompt("repeated").format(label=talk.labels[evidence.id]), talk
    shown = talk.shown if evidence.id in talk.shown else (*talk.shown, evidence.id)
    update = {"shown": shown, "answered": (*talk.answered, evidence.id)}
    return evidence_block(label(shown.index(evidence.id)), evidence), talk.model_copy(update=update)
