"""One dated change, whatever told of it, as the tool `changes` lists it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ledger.events import Event, EventKind
from ledger.window import instant_text
from tools.answer import Row
from tools.arrivals import Arrival
from tools.book_changes import BookChange
from tools.calendar import CalendarEntry
from tools.event_effects import PRICE_TOLERANCE, Expected, MeasuredEvent
from tools.price_steps import PriceStep

ChangeKind = Literal["price", "tokenizer", "model", "key", "tier", "cache", "client", "calendar"]
Source = Literal["ledger", "price book", "events", "calendar"]
EVENT_KINDS: Mapping[EventKind, ChangeKind] = {"tokenizer": "tokenizer", "cache": "cache", "alias": "model"}
"""All others are about prices."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A change with its instant, and how far the data bear it out."""

    kind: ChangeKind
    at: datetime
    what: str
    source: Source
    scope: Mapping[str, str]
    expected: Expected | None = None
    observed: float | None = None
    matches: int | None = None
    weight: float = 0.0
    """What the window spent on it: the larger is told first where not all are."""

    @property
    def moved_data(self) -> bool:
        """Whether the usage itself shows it; an event or a plan alone does not."""
        if self.source == "price book":
            return self.matches != 0
        return self.source == "ledger" or self.matches == 1

    @property
    def rank(self) -> tuple[int, float, datetime, str]:
        """What is told first: what the data bear out, then plans, newcomers, events without a trace."""
        order = 0 if self.matches == 1 else 4 if self.source == "events" else 3
        if self.kind == "price" and self.source in ("ledger", "price book"):
            order = min(order, 1)
        if self.source == "calendar":
            order = 2
        return order, -self.weight, self.at, self.what

    def as_row(self) -> Row:
        return {
            "kind": self.kind,
            "at": instant_text(self.at),
            "what": self.what,
            "source": self.source,
            "scope": dict(self.scope),
            "expected_ratio": self.expected.middle if self.expected else None,
            "expected_low": self.expected.low if self.expected else None,
            "expected_high": self.expected.high if self.expected else None,
            "observed_ratio": self.observed,
            "matches": self.matches,
        }


def of_price_step(step: PriceStep) -> Dated:
    keys = f", on {step.keys_moved} of {step.keys} keys" if step.keys else ""
    return Dated(
        kind="price",
        at=step.at,
        what=f"{_named(step.model, step.service_tier)} is billed at {step.ratio:g} times its price{keys}",
        source="ledger",
        scope={"provider": step.provider, "model": step.model, "service_tier": step.service_tier},
        observed=step.ratio,
    )


def of_book_change(change: BookChange) -> Dated | None:
    """None where the book's new version changes neither rates nor cost."""
    listed = change.listed_ratio
    expected = Expected(listed, listed) if listed is not None and _moved(listed) else None
    name = _named(change.model, change.service_tier)
    if change.priced_as != change.was_priced_as:
        what = f"{name} is priced as {change.priced_as} instead of {change.was_priced_as}"
    elif change.billed and expected:
        what = f"our price book lists {name} at {expected.low:g} times its price"
    elif change.billed:
        return None
    elif _moved(change.observed_ratio):
        what = (
            f"our price book changed: cost of {name} is computed at {change.observed_ratio:g} times its price"
        )
    else:
        what = f"our price book has another version for {name}, at the same price"
    return Dated(
        kind="price" if change.priced_as == change.was_priced_as else "model",
        at=change.at,
        what=what,
        source="price book",
        scope={"provider": change.provider, "model": change.model, "service_tier": change.service_tier},
        expected=expected,
        observed=change.observed_ratio,
        matches=_book_matches(change, expected),
    )


def _book_matches(change: BookChange, expected: Expected | None) -> int | None:
    """Computed cost follows the book by itself: only a bill can bear the book out."""
    if not change.billed or expected is None or change.observed_ratio is None:
        return None
    return expected.agrees(change.observed_ratio, tolerance=PRICE_TOLERANCE, least_move=0.01)


def _moved(ratio: float | None) -> bool:
    return ratio is not None and abs(ratio - 1) > 0.01


def of_arrival(arrival: Arrival) -> Dated:
    after = f", after {arrival.follows}" if arrival.follows else ""
    return Dated(
        kind=arrival.kind,
        at=arrival.at,
        what=f"{arrival.kind} {arrival.value} is used for the first time{after}",
        source="ledger",
        scope={arrival.dimension: arrival.value},
        weight=float(arrival.cost_pico),
    )


def of_event(measured: MeasuredEvent) -> Dated:
    event = measured.event
    return Dated(
        kind=EVENT_KINDS.get(event.kind, "price"),
        at=measured.at,
        what=f"{event.summary} [{event.id}, {event.date}, {event.confidence}]",
        source="events",
        scope=_concerned(event),
        expected=measured.expected,
        observed=measured.observed,
        matches=measured.matches,
    )


def _concerned(event: Event) -> Mapping[str, str]:
    """The model too, where the event names just one."""
    plain = [model for model in event.models if not set(model) & set("*?[")]
    one = {"model": plain[0]} if len(plain) == len(event.models) == 1 else {}
    return {"provider": event.provider, **one}


def of_calendar(entry: CalendarEntry) -> Dated:
    return Dated("calendar", entry.window.start_at, entry.what, "calendar", dict(entry.scope.items))


def _named(model: str, tier: str) -> str:
    return model if tier in ("standard", "UNALLOCATED") else f"{model} ({tier})"
