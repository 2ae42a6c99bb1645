"""The tool that lists what changed at a known hour, and whether the data moved with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ledger.events import NEAR_DAYS, Event, events_about, events_near
from ledger.hour_sums import PriceHours, price_hours
from ledger.prices.overrides import matches
from ledger.reader import DayRate, Reader
from ledger.scope import EVERYTHING, Scope
from ledger.window import Window, instant_text
from tools.answer import OTHER, Row, Scalar, ToolAnswer, answer, asked
from tools.arrivals import find_arrivals
from tools.book_changes import BookChange, find_book_changes
from tools.calendar import CalendarEntry, covered_share, entries_about
from tools.comparison import MOVABLE, Comparison, widened
from tools.dated import Dated, of_arrival, of_book_change, of_calendar, of_event, of_price_step
from tools.event_effects import (
    MeasuredEvent,
    is_about,
    measured_cache,
    measured_new_price,
    measured_price,
    measured_tokenizer,
)
from tools.price_steps import PriceStep, ReferenceRates, find_price_steps
from tools.switch_cohort import Cohort, find_cohort

MOST_ROWS = 20
NEAR = timedelta(days=NEAR_DAYS)
LEAD = timedelta(days=7)
"""Hours before the first that may have changed: what they are compared with."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was read of the hours before and in the window."""

    reader: Reader
    window: Window
    where: Scope
    read: Window
    everywhere: Sequence[PriceHours]
    """Prices by hour, also of models that work may have come from."""
    rates: Sequence[DayRate]

    @property
    def priced(self) -> list[PriceHours]:
        return [p for p in self.everywhere if _is_inside(p, self.where)]

    @property
    def models(self) -> set[str]:
        return {p.model for p in self.priced}


def changes(
    reader: Reader,
    window: Window,
    *,
    where: Scope = EVERYTHING,
    calendar: Sequence[CalendarEntry] = (),
) -> ToolAnswer:
    """List what changed at a known hour in the window or up to 3 days before, and whether the data moved with
    it.

    Ask this before blaming anybody. Rows by time: `kind`, `at`, `what`, `scope`, `source` (`ledger`: seen in
    usage; `price book`: ours; `events`: provider facts; `calendar`: plans), `expected_ratio` (`expected_low`
    to `expected_high`), `observed_ratio`, `matches`: 1 the data made that step, 0 not, null unseen. An event
    alone is no cause. Facts count `changes`, `new_models`, `new_keys`, `new_tiers`, `new_clients`, `events`,
    `calendar_entries`; events borne out: `price_event_matches`, `tokenizer_event_matches`,
    `cache_event_matches`; models billed anew: `price_steps`, `price_step_ratio`, `price_step_at`; our own
    book: `price_book_changes`, `price_book_ratio`; `calendar_covers`: planned share of hours;
    `first_change_at` in usage. `no_data`: no usage.
    """
    seen = _look(reader, window, where)
    steps = find_price_steps(reader, seen.priced, ReferenceRates(seen.rates))
    since = window.start_at - NEAR
    near_steps = [step for step in steps if step.at >= since]
    book = [change for change in _book_changes(seen, steps) if change.at >= since]
    found = [
        *(of_price_step(step) for step in near_steps),
        *(dated for change in book if (dated := of_book_change(change)) is not None),
        *(of_arrival(arrival) for arrival in find_arrivals(reader, window, since, where)),
        *(of_event(measured) for measured in _events(seen, steps)),
        *(of_calendar(entry) for entry in entries_about(calendar, window, where)),
    ]
    arguments = asked(window, where, calendar=[_told(entry) for entry in calendar] or None)
    return answer(
        "changes",
        arguments,
        Comparison(window, ()),
        where,
        rows=_rows(found),
        facts={
            **_facts(found),
            **_price_facts(near_steps, book),
            "calendar_covers": round(covered_share(calendar, window, where), 4),
        },
        found=bool(seen.priced),
    )


def _look(reader: Reader, window: Window, where: Scope) -> _Seen:
    read = Window(window.start_at - NEAR - LEAD, window.end_at)
    last_day = (window.end_at - timedelta(seconds=1)).date()
    return _Seen(
        reader=reader,
        window=window,
        where=where,
        read=read,
        everywhere=price_hours(reader, read, where=widened(where)),
        rates=reader.rates(read.start_at.date(), last_day),
    )


def _is_inside(priced: PriceHours, where: Scope) -> bool:
    pinned = where.as_dict()
    values = (priced.provider, priced.model, priced.service_tier)
    return all(pinned.get(d, v) == v for d, v in zip(MOVABLE, values, strict=True))


def _book_changes(seen: _Seen, steps: Sequence[PriceStep]) -> list[BookChange]:
    basis = seen.reader.price_basis([seen.read], where=seen.where)
    return find_book_changes(seen.priced, basis, seen.rates, steps)


def _events(seen: _Seen, steps: Sequence[PriceStep]) -> list[MeasuredEvent]:
    """Events near the window, and tokenizer events of models that keys moved to in it, whenever dated."""
    near = events_near(seen.window, seen.models)
    cohort = _cohort(seen)
    about = [
        event
        for event in events_about(seen.models)
        if event in near or (cohort and event.kind == "tokenizer" and is_about(event, cohort))
    ]
    return [_measured(seen, event, steps, cohort) for event in about]


def _cohort(seen: _Seen) -> Cohort | None:
    """Keys that moved to a model some event compares with its predecessor, where both are in use."""
    used = {p.model for p in seen.everywhere}
    comparing = [
        event
        for event in events_about(seen.models)
        if any(matches(glob, model) for glob in event.replaces for model in used)
    ]
    new = frozenset(model for model in seen.models if any(event.concerns(model) for event in comparing))
    return find_cohort(seen.reader, seen.window, where=seen.where, new_models=new) if new else None


def _measured(seen: _Seen, event: Event, steps: Sequence[PriceStep], cohort: Cohort | None) -> MeasuredEvent:
    rates = ReferenceRates(seen.rates)
    match event.kind:
        case "tokenizer":
            return measured_tokenizer(event, cohort)
        case "cache":
            return measured_cache(seen.reader, event, seen.window, seen.where)
        case "new_model_price":
            return measured_new_price(seen.reader, event, cohort, seen.everywhere, rates)
        case _:
            return measured_price(event, seen.priced, steps, rates)


def _rows(found: Sequence[Dated]) -> list[Row]:
    """The most telling changes in order of time, then one row for the rest."""
    ranked = sorted(found, key=lambda dated: dated.rank)
    shown, rest = ranked[:MOST_ROWS], ranked[MOST_ROWS:]
    rows = [dated.as_row() for dated in sorted(shown, key=lambda dated: (dated.at, dated.rank))]
    if rest:
        first = instant_text(min(dated.at for dated in rest))
        rows.append({"kind": OTHER, "at": first, "what": f"{len(rest)} more", "changes": len(rest)})
    return rows


def _facts(found: Sequence[Dated]) -> dict[str, Scalar]:
    moved = [dated.at for dated in found if dated.moved_data]
    borne_out = [dated for dated in found if dated.matches == 1]
    counts = {
        f"new_{kind}s": sum(dated.kind == kind and dated.source == "ledger" for dated in found)
        for kind in ("model", "key", "tier", "client")
    }
    return {
        "changes": len(found),
        **counts,
        "events": sum(dated.source == "events" for dated in found),
        "calendar_entries": sum(dated.source == "calendar" for dated in found),
        "price_event_matches": sum(dated.kind in ("price", "model") for dated in borne_out),
        "tokenizer_event_matches": sum(dated.kind == "tokenizer" for dated in borne_out),
        "cache_event_matches": sum(dated.kind == "cache" for dated in borne_out),
        "first_change_at": instant_text(min(moved)) if moved else None,
    }


def _price_facts(steps: Sequence[PriceStep], book: Sequence[BookChange]) -> dict[str, Scalar]:
    """Steps that all keys of a model made, and changes of computed cost; the largest of each."""
    made = [step for step in steps if step.is_of_the_model]
    largest = max(made, key=lambda step: abs(step.ratio - 1), default=None)
    own = [change.observed_ratio for change in book if not change.billed]
    return {
        "price_steps": len(made),
        "price_step_ratio": largest.ratio if largest else None,
        "price_step_at": instant_text(largest.at) if largest else None,
        "price_book_changes": len(own),
        "price_book_ratio": max((r for r in own if r), key=lambda r: abs(r - 1), default=None),
    }


def _told(entry: CalendarEntry) -> str:
    return f"{entry.window}: {entry.what} ({entry.scope})"
