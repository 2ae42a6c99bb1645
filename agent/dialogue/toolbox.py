"""The tools as the model may call them: arguments checked by pydantic, windows kept within the ledger."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.dialogue.schema import json_schema
from agent.evidence import Evidence, call_tool
from agent.llm.port import ToolCall, ToolSpec
from ledger.errors import RefusedError
from ledger.reader import Reader
from ledger.scope import EVERYTHING, Dimension, Scope
from ledger.usage import Metric
from ledger.window import Window, floor_hour
from playbooks import Cause
from tools import (
    breakdown,
    changes,
    compare,
    earlier_weeks,
    effects,
    hourly_series,
    key_activity,
    mix,
    onset,
    past_incidents,
    price_changes,
    simulate,
    slices,
    switchers,
)
from tools.answer import ToolAnswer
from tools.calendar import CalendarEntry
from tools.past_incidents import History, PastIncident
from tools.simulate import Measure
from tools.split import Mechanism

LONGEST = timedelta(days=35)
"""Of a window the model may ask about."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the tools work with in one investigation."""

    reader: Reader
    window: Window
    """The incident's: what is asked about where the model names no hours."""
    within: Scope = EVERYTHING
    """The incident's: tools look at nothing outside."""
    calendar: Sequence[CalendarEntry] = ()
    history: History | None = None


@dataclass(frozen=True, slots=True)
class Within:
    """A history without what lies outside the question."""

    history: History
    scope: Scope

    def incidents_before(self, at: datetime) -> Sequence[PastIncident]:
        return [past for past in self.history.incidents_before(at) if self.scope.contains(past.scope)]


class _Arguments(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    where: dict[Dimension, Annotated[str, Field(min_length=1, max_length=500)]] = {}
    """Dimensions pinned to values, as they stand in the data; empty: everything."""

    def scope(self, desk: Desk) -> Scope:
        """What is asked about; raises RefusedError for what lies outside the question."""
        asked = desk.within.narrowed_to(Scope.of(self.where))
        if not desk.within.contains(asked):
            raise RefusedError(f"the investigation is about {desk.within}; ask within it")
        return asked


class _Windowed(_Arguments):
    start_at: datetime | None = None
    """First hour, such as 2026-11-09T14:00Z; absent: the incident's."""
    end_at: datetime | None = None
    """The hour after the last."""

    def window(self, desk: Desk) -> Window:
        """The hours asked about; raises RefusedError where they are none, or too many."""
        start_at, end_at = self.start_at or desk.window.start_at, self.end_at or desk.window.end_at
        for instant in (start_at, end_at):
            if instant.tzinfo is None:
                raise RefusedError(f"{instant.isoformat()} has no time zone; write it with Z")
        window = Window(floor_hour(start_at.astimezone(UTC)), floor_hour(end_at.astimezone(UTC)))
        if window.end_at - window.start_at > LONGEST:
            raise RefusedError(f"{window.days:.0f} days are too many; ask about at most {LONGEST.days}")
        return window


class _Breakdown(_Windowed):
    by: Annotated[list[Dimension], Field(min_length=1, max_length=2)]
    """One or two dimensions."""
    limit: Annotated[int, Field(ge=1, le=20)] = 10


class _Series(_Windowed):
    metric: Metric = "cost_usd"


class _Mix(_Windowed):
    dimension: Literal["model", "service_tier"]


class _Onset(_Windowed):
    lead: Mechanism


class _Past(_Arguments):
    cause: Cause | None = None


class _Simulate(_Arguments):
    tokens_per_minute: Annotated[int | None, Field(gt=0)] = None
    requests_per_minute: Annotated[int | None, Field(gt=0)] = None
    max_usd_per_day: Annotated[Decimal | None, Field(gt=0, allow_inf_nan=False)] = None
    price_ratio: Annotated[float | None, Field(gt=0, lt=1, allow_inf_nan=False)] = None
    """Cost on another model against the present one."""
    block: bool = False

    @model_validator(mode="after")
    def _one_measure(self) -> "_Simulate":
        given = [self.tokens_per_minute, self.requests_per_minute, self.max_usd_per_day, self.price_ratio]
        if sum(value is not None for value in given) + self.block != 1:
            raise ValueError("give exactly one measure")
        return self

    def measure(self) -> Measure:
        return Measure(**self.model_dump(exclude={"where"}))


@dataclass(frozen=True, slots=True)
class Question:
    """A checked call: where and when it looks, and how to ask it."""

    tool: str
    where: Scope
    window: Window
    ask: Callable[[], ToolAnswer]

    def answer(self) -> Evidence:
        return call_tool(self.tool, self.ask, window=self.window, where=self.where)


@dataclass(frozen=True, slots=True)
class ModelTool:
    """A tool, its arguments, and how they become a question."""

    name: str
    arguments: type[_Arguments]
    prepare: Callable[[Desk, str], Question]
    description: str

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, self.description, json_schema(self.arguments))


class ToolCallError(ValueError):
    """The call is refused; the message tells the model what would be right."""


def prepared(desk: Desk, call: ToolCall) -> Question:
    """The question of a call; raises ToolCallError for an unknown tool or wrong arguments."""
    tool = next((t for t in TOOLBOX if t.name == call.name), None)
    if tool is None:
        raise ToolCallError(f"there is no such tool; known are {', '.join(t.name for t in TOOLBOX)}")
    try:
        return tool.prepare(desk, call.arguments or "{}")
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors()[:4]]
        raise ToolCallError("; ".join(faults)) from None
    except RefusedError as error:
        raise ToolCallError(str(error)) from None
    except OverflowError:
        raise ToolCallError("these hours reach beyond the calendar of years 1 to 9999") from None


def _windowed(
    tool: Callable[..., ToolAnswer], arguments: type[_Windowed] = _Windowed, *more: str
) -> ModelTool:
    """A tool about a window and a scope; `more` names the arguments that are handed on."""

    def prepare(desk: Desk, text: str) -> Question:
        given = arguments.model_validate_json(text)
        where, window = given.scope(desk), given.window(desk)
        options = {name: getattr(given, name) for name in more}
        return Question(
            tool.__name__, where, window, lambda: tool(desk.reader, window, where=where, **options)
        )

    return ModelTool(tool.__name__, arguments, prepare, inspect.getdoc(tool) or "")


def _prepare_changes(desk: Desk, text: str) -> Question:
    given = _Windowed.model_validate_json(text)
    where, window = given.scope(desk), given.window(desk)
    return Question(
        "changes", where, window, lambda: changes(desk.reader, window, where=where, calendar=desk.calendar)
    )


def _prepare_simulate(desk: Desk, text: str) -> Question:
    given = _Simulate.model_validate_json(text)
    where, until = given.scope(desk), desk.window.end_at
    return Question(
        "simulate",
        where,
        desk.window,
        lambda: simulate(desk.reader, until, where=where, measure=given.measure()),
    )


def _prepare_past(desk: Desk, text: str) -> Question:
    given = _Past.model_validate_json(text)
    where, history = given.scope(desk), desk.history
    if history is None:
        raise RefusedError("no past incidents are kept here")
    return Question(
        "past_incidents",
        where,
        desk.window,
        lambda: past_incidents(Within(history, desk.within), desk.window, where=where, cause=given.cause),
    )


TOOLBOX: tuple[ModelTool, ...] = (
    _windowed(breakdown, _Breakdown, "by", "limit"),
    _windowed(compare),
    _windowed(hourly_series, _Series, "metric"),
    _windowed(earlier_weeks),
    _windowed(effects),
    _windowed(slices),
    _windowed(key_activity),
    _windowed(mix, _Mix, "dimension"),
    _windowed(switchers),
    _windowed(onset, _Onset, "lead"),
    _windowed(price_changes),
    ModelTool("changes", _Windowed, _prepare_changes, inspect.getdoc(changes) or ""),
    ModelTool("past_incidents", _Past, _prepare_past, inspect.getdoc(past_incidents) or ""),
    ModelTool("simulate", _Simulate, _prepare_simulate, inspect.getdoc(simulate) or ""),
)
"""Everything the model can do but submit; none of it writes."""
