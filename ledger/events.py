"""Dated changes at the providers: prices, tokenizers, aliases, caches; facts with a source, to be tested.

A dated event is never a verdict: it says what to look for in the data, when and of which size.
"""

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ledger.errors import RefusedError
from ledger.prices.overrides import matches
from ledger.window import Window

EventKind = Literal[
    "price", "alias", "context_tier", "schedule", "scheduled", "cancelled", "new_model_price", "unit",
    "billing", "tokenizer", "cache",
]  # fmt: skip
EffectMetric = Literal[
    "input_price", "cache_read_price", "cache_write_price", "output_price", "unit_price", "input_tokens",
    "cost_per_token",
]  # fmt: skip
Precision = Literal["day", "week", "month"]
Confidence = Literal["confirmed", "catalogue", "reported", "scheduled", "disputed"]

Text = Annotated[str, Field(min_length=1)]
Ratio = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]

SLACK_DAYS: Mapping[Precision, int] = {"day": 0, "week": 7, "month": 31}
"""By how much the real day may differ from the stated one."""
NEAR_DAYS = 3


class Event(BaseModel):
    """One `[[event]]`: what changed at a provider, from when, and what the data should show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    date: dt.date
    """The first UTC day it applies."""
    precision: Precision
    kind: EventKind
    provider: Text
    models: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Globs over model names, without case."""
    clients: tuple[Text, ...] = ()
    """Globs over clients, where only those are concerned."""
    replaces: tuple[Text, ...] = ()
    """Globs over the models that a new one is measured against."""
    summary: Text
    effect: Mapping[EffectMetric, tuple[Ratio, Ratio]]
    """Expected ratio after over before, lowest and highest; nothing where the size is not known."""
    source: Text
    url: Annotated[str, Field(pattern=r"^https://")] | None = None
    confidence: Confidence
    checked: dt.date
    """The day on which somebody last looked at the source."""

    @model_validator(mode="after")
    def _ranges_ascend(self) -> Self:
        for metric, (low, high) in self.effect.items():
            if low > high:
                raise ValueError(f"effect.{metric} = [{low}, {high}]: the lower bound comes first")
        return self

    @property
    def at(self) -> dt.datetime:
        return dt.datetime.combine(self.date, dt.time(), dt.UTC)

    @property
    def span(self) -> Window:
        """The days on which it may have taken effect, by its precision."""
        slack = dt.timedelta(days=SLACK_DAYS[self.precision])
        return Window(self.at - slack, self.at + slack + dt.timedelta(days=1))

    def concerns(self, model: str) -> bool:
        return any(matches(glob, model) for glob in self.models)

    def is_near(self, window: Window, *, days: int = NEAR_DAYS) -> bool:
        margin = dt.timedelta(days=days)
        return Window(self.span.start_at - margin, self.span.end_at + margin).overlap(window) is not None


@cache
def known_events() -> tuple[Event, ...]:
    """The events that come with the program, oldest first."""
    return parse_events(files("ledger").joinpath("data", "events.toml").read_text("utf-8"), "events.toml")


def events_near(
    window: Window,
    models: Iterable[str],
    days: int = NEAR_DAYS,
    *,
    events: Sequence[Event] | None = None,
) -> tuple[Event, ...]:
    """Events about any of the models that took effect within so many days of the window."""
    names = tuple(models)
    return tuple(e for e in events_about(names, events=events) if e.is_near(window, days=days))


def events_about(models: Iterable[str], *, events: Sequence[Event] | None = None) -> tuple[Event, ...]:
    """Events about any of the models, at any time."""
    names = tuple(models)
    known = known_events() if events is None else events
    return tuple(event for event in known if any(event.concerns(name) for name in names))


def parse_events(text: str, name: str) -> tuple[Event, ...]:
    """Events of a TOML text; raises RefusedError with file, entry, field, value and what would be right."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RefusedError(f"{name}: not TOML: {error}") from None
    unknown = sorted(tables.keys() - {"event"})
    if unknown:
        raise RefusedError(f"{name}: `{unknown[0]}` is no table of events; write [[event]]")
    entries = tables.get("event", [])
    if not isinstance(entries, list):
        raise RefusedError(f"{name}: event: must be written as [[event]]")
    events = tuple(_event(entry, name, i) for i, entry in enumerate(entries, start=1))
    _refuse_disorder(events, name)
    return events


def _event(entry: object, name: str, position: int) -> Event:
    try:
        return Event.model_validate(entry)
    except ValidationError as error:
        known_as = entry.get("id") if isinstance(entry, dict) else None
        place = f"{name}: event {position}" + (f" `{known_as}`" if known_as else "")
        raise RefusedError("\n".join(f"{place}: {_reason(wrong)}" for wrong in error.errors())) from None


def _reason(wrong: Mapping[str, object] | object) -> str:
    details = dict(wrong) if isinstance(wrong, Mapping) else {}
    loc = details.get("loc", ())
    field = ".".join(str(part) for part in loc) if isinstance(loc, tuple) else ""
    if details.get("type") == "missing":
        return f"{field}: is missing"
    if details.get("type") == "extra_forbidden":
        return f"{field}: is no field of an event"
    value = f" = {details.get('input')!r}" if field else ""
    told = str(details.get("msg")).removeprefix("Value error, ")
    return f"{field}{value}: {told}" if field else told


def _refuse_disorder(events: Sequence[Event], name: str) -> None:
    for earlier, later in pairwise(events):
        if later.date < earlier.date:
            raise RefusedError(
                f"{name}: event `{later.id}`: date = {later.date}: must not be before {earlier.date}"
            )
    seen: set[str] = set()
    for event in events:
        if event.id in seen:
            raise RefusedError(f"{name}: event `{event.id}`: id: is used twice")
        seen.add(event.id)
