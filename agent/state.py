"""What a graph carries from node to node: plain values that a checkpoint can hold."""

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from agent.dialogue.talk import Talk
from agent.drafts import PolicySettings
from agent.evidence import Evidence
from agent.finding import Finding
from agent.llm.port import Llm
from agent.look import Subject
from ledger.reader import Reader
from playbooks import Playbook
from tools.calendar import CalendarEntry
from tools.past_incidents import History


class Decisions(BaseModel):
    """What people decided about the proposals, by id; handed to the graph when it resumes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    approved: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()


class State(BaseModel):
    """One investigation on its way."""

    subject: Subject
    made_of: str = ""
    """Names the playbooks, the calendar and the loads that it rests on."""
    evidence: tuple[Evidence, ...] = ()
    finding: Finding | None = None
    talk: Talk | None = None
    """The conversation with the model; None where none is configured."""
    asked: tuple[Evidence, ...] = ()
    """What the model asked for: it backs sentences, and never the weighing of causes."""
    decisions: Decisions | None = None
    concluded: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A configured model that is not asked, and why: it was not there a moment ago."""

    model: str
    why: str


@dataclass(frozen=True, slots=True)
class Deps:
    """What the nodes work with; they read no settings and build no clients."""

    reader: Reader
    playbooks: tuple[Playbook, ...]
    now: datetime
    """When the investigation runs: proposals expire some hours later."""
    policy: PolicySettings = field(default_factory=PolicySettings)
    calendar: tuple[CalendarEntry, ...] = ()
    """What the operator had planned."""
    history: History | None = None
    """Earlier investigations and what people decided about them."""
    llm: Llm | None = None
    """The language model that questions the deterministic finding; None leaves that finding alone."""
    model_left_out: LeftOut | None = None
