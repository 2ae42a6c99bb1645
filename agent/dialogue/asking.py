"""One call of the model within its limits, booked as soon as it is answered."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from agent.dialogue.prompts import prompt
from agent.dialogue.submission import SUBMIT_SPEC
from agent.dialogue.talk import Talk, said
from agent.dialogue.toolbox import TOOLBOX
from agent.llm.allowance import LimitError, NextCall, Step, next_step
from agent.llm.port import CallUsage, Completion, Llm, Message, ModelCall, ModelError, ToolSpec
from agent.llm.tokens import estimated_tokens
from ledger.ids import fact_id

OFFERED: tuple[ToolSpec, ...] = (*(tool.spec for tool in TOOLBOX), SUBMIT_SPEC)
HARD_STOP_S = 5.0
"""The least time a call is given."""


def ask_model(llm: Llm, talk: Talk, incident_id: str) -> Talk:
    """The conversation with the model's next turn, or with the reason why there is none."""
    began = llm.clock()
    try:
        step = next_step(talk.spent, llm.limits, _next_call(llm, talk, began))
        messages = talk.messages if step == "open" else (*talk.messages, _last_question())
        completion = _completed(llm, messages, step, talk.spent.seconds)
    except (LimitError, ModelError) as error:
        return talk.failed(str(error))
    cost_pico = llm.meter.cost_pico(llm.model.name, completion.usage, began)
    number = talk.spent.model_calls + 1
    llm.meter.book(
        ModelCall(
            id=fact_id("call", incident_id, began.isoformat(), number),
            incident_id=incident_id,
            at=began,
            model=llm.model.name,
            usage=completion.usage,
            cost_pico=cost_pico,
        )
    )
    spent = talk.spent.with_call(completion.usage, cost_pico, seconds_between(began, llm.clock()))
    heard = completion if step == "open" else completion.model_copy(update={"tool_calls": ()})
    # What a model calls although nothing was offered is not answered: its text alone counts then.
    told = said(completion if _submits(completion) else heard, number)
    return talk.model_copy(update={"messages": (*messages, told), "spent": spent, "cut": completion.cut})


def seconds_between(began: datetime, ended: datetime) -> float:
    """Never negative: clocks are set back."""
    return max((ended - began).total_seconds(), 0.0)


def _completed(llm: Llm, messages: Sequence[Message], step: Step, gone: float) -> Completion:
    return llm.model.complete(
        messages,
        OFFERED if step == "open" else (),
        max_output_tokens=llm.limits.output_tokens_per_call,
        seconds=max(llm.limits.seconds - gone, HARD_STOP_S),
    )


def _submits(completion: Completion) -> bool:
    return any(call.name == SUBMIT_SPEC.name for call in completion.tool_calls)


def _last_question() -> Message:
    return Message(role="user", content=prompt("last"))


def _next_call(llm: Llm, talk: Talk, now: datetime) -> NextCall:
    """The most that one more call can take, counted before it is made."""
    sent = [m.model_dump(exclude_defaults=True) for m in talk.messages]
    offered = [(t.name, t.description, dict(t.parameters)) for t in OFFERED]
    prompt_tokens = estimated_tokens(json.dumps([sent, offered]))
    most = CallUsage(input_tokens=prompt_tokens, output_tokens=llm.limits.output_tokens_per_call)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return NextCall(
        tokens=most.total,
        cost_pico=llm.meter.cost_pico(llm.model.name, most, now) or 0,
        spent_today_pico=llm.meter.spent_pico(midnight),
    )
