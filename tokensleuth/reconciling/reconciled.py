"""Reconciles a window of days, and keeps what differs as incidents: saved, updated, or told as settled."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import cast

from ledger.arrivals import Arrivals
from ledger.billed import Bills, day_start, next_day
from ledger.prices.book import PriceBook
from ledger.scope import Dimension, Scope
from ledger.store import Ledger
from ledger.window import Window
from tokensleuth.casebook import Casebook
from tokensleuth.casebook.records import InvestigationRecord, JsonObject
from tokensleuth.reconciling.completeness import Feed
from tokensleuth.reconciling.incident import KIND, Filed
from tokensleuth.reconciling.items import Read, Sides, both_sides
from tokensleuth.reconciling.judging import Judged, judge
from tokensleuth.reconciling.prices import Prices
from tokensleuth.reconciling.readiness import Readiness, Waiting
from tokensleuth.reconciling.runs import ALL_MODELS, Known, Run, runs_of
from tokensleuth.reconciling.settings import ReconciliationSettings

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Parts:
    """What reconciling needs beside the ledger."""

    feeds: Sequence[Feed]
    book: PriceBook
    listed: PriceBook
    """The same without the operator's overrides."""
    settings: ReconciliationSettings = field(default_factory=ReconciliationSettings)
    expire_hours: int = 24
    """Of a proposal."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What came of some days."""

    days: tuple[date, ...]
    judged: tuple[Judged, ...]
    sides: Sides
    waiting: tuple[Waiting, ...]
    runs: tuple[Run, ...]
    ready: frozenset[tuple[str, date]]


def reconcile(
    ledger: Ledger, parts: Parts, window: Window, now: datetime, *, known: Sequence[Known] = ()
) -> Reconciliation:
    """Every day that the window touches, and those of differences that are known already."""
    days = _days([window, *(each.window for each in known)])
    bills = Bills(ledger.reader.engine, days[0], next_day(days[-1]))
    lines, tiers = bills.lines(), bills.computed()
    marks = Arrivals(ledger.reader.engine).marks()
    begins = {name: seen.start_at for name, seen in ledger.reader.first_seen("provider").items()}
    ready, waiting = Readiness(marks, parts.feeds, lines, tiers, begins, parts.settings, now).of_days(days)
    sides = both_sides(Read(lines, tiers, bills.known_then(), bills.by_source()), ready)
    judged = judge(sides.items, Prices(parts.book, parts.listed), parts.settings)
    return Reconciliation(days, tuple(judged), sides, waiting, tuple(runs_of(judged, known)), ready)


def reconciled_incidents(
    ledger: Ledger, parts: Parts, casebook: Casebook, window: Window, now: datetime
) -> list[InvestigationRecord]:
    """The differences of the window as incidents, and those of the casebook that are settled by now.

    One that goes on keeps its id and is told from its first day, whatever the window.
    """
    known = known_differences(casebook, window, now)
    found = reconcile(ledger, parts, window, now, known=known)
    filed = Filed(now, parts.expire_hours)
    standing = [filed.record(run) for run in found.runs]
    return standing + [
        filed.settled(left, [run.id for run in found.runs if _tells(run, each)])
        for each in known
        if each.id not in {run.id for run in found.runs} and (left := _left(each, found)) is not None
    ]


def save_and_list(
    ledger: Ledger, parts: Parts, casebook: Casebook, window: Window, now: datetime
) -> list[InvestigationRecord]:
    """The same, saved: a second run updates, and a proposal that helps no more is superseded."""
    records = reconciled_incidents(ledger, parts, casebook, window, now)
    for record in records:
        casebook.save(record)
    return records


def known_differences(casebook: Casebook, window: Window, now: datetime) -> list[Known]:
    """Those of the casebook near the window that are not settled."""
    near = Window(window.start_at - _DAY, window.end_at + _DAY)
    found = casebook.incidents(now=now, within=near)
    return [_known(each) for each in found if each.get("kind") == KIND and not each.get("settled")]


def _known(incident: JsonObject) -> Known:
    start_at, end_at = (datetime.fromisoformat(str(incident[name])) for name in ("start_at", "end_at"))
    scope = Scope.of(cast(dict[Dimension, str], incident["scope"]))
    return Known(str(incident["id"]), scope, Window(start_at, end_at))


def _days(windows: Sequence[Window]) -> tuple[date, ...]:
    first = min(window.start_at for window in windows).date()
    last_at = max(window.end_at for window in windows)
    days = (last_at - day_start(first)) // _DAY + (1 if last_at != day_start(last_at.date()) else 0)
    return tuple(first + i * _DAY for i in range(days))


def _left(known: Known, found: Reconciliation) -> Run | None:
    """What is left of a difference; None while any of its days cannot be judged."""
    pinned = known.scope.as_dict()
    provider, model = pinned["provider"], pinned.get("model", ALL_MODELS)
    if any((provider, day) not in found.ready for day in _days([known.window])):
        return None
    days = tuple(
        judged
        for judged in found.judged
        if judged.item.provider == provider
        and model in (ALL_MODELS, judged.item.model)
        and known.window.start_at <= day_start(judged.item.day) < known.window.end_at
    )
    return Run(known.id, provider, model, days) if days else None


def _tells(run: Run, known: Known) -> bool:
    """Whether a run speaks of what was known under another id."""
    related = run.scope.contains(known.scope) or known.scope.contains(run.scope)
    return related and run.window.overlap(known.window) is not None
