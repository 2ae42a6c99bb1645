"""Consecutive days with one reason and model as one difference, which keeps its id while it goes on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from ledger.billed import day_start, next_day
from ledger.ids import fact_id
from ledger.scope import Scope
from ledger.window import Window
from tokensleuth.reconciling.judging import Judged
from tokensleuth.reconciling.reasons import NOTHING, Explained, Override

ALL_MODELS = "*"


@dataclass(frozen=True, slots=True)
class Known:
    """A difference that is in the casebook, and not settled there."""

    id: str
    scope: Scope
    window: Window


@dataclass(frozen=True, slots=True)
class Run:
    """One difference over some days, of a model, or of several that share a discount."""

    id: str
    provider: str
    model: str
    """`*` where several share it."""
    days: tuple[Judged, ...]
    """In order of day and model."""

    @property
    def explained(self) -> Explained:
        """Of the day that differs by most."""
        return max(self.days, key=lambda judged: abs(judged.item.gap_pico)).explained or NOTHING

    @property
    def window(self) -> Window:
        return window_of(judged.item.day for judged in self.days)

    @property
    def scope(self) -> Scope:
        return scope_of(self.provider, self.model)

    @property
    def billed_pico(self) -> int:
        return sum(judged.item.billed.pico for judged in self.days)

    @property
    def counted_pico(self) -> int:
        return sum(judged.item.counted_pico for judged in self.days)

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(sorted({judged.item.model for judged in self.days}))

    @property
    def overrides(self) -> tuple[Override, ...]:
        """Each once, as of the first day it was implied."""
        found: dict[tuple[object, ...], Override] = {}
        for judged in self.days:
            for override in judged.explained.overrides if judged.explained else ():
                key = (override.model, override.token_class, override.service_tier)
                found.setdefault(key, override)
        return tuple(found.values())


def window_of(days: Iterable[date]) -> Window:
    """From the first day to the end of the last."""
    known = sorted(days)
    return Window(day_start(known[0]), day_start(next_day(known[-1])))


def scope_of(provider: str, model: str) -> Scope:
    pinned = Scope.of([("provider", provider)])
    return pinned if model == ALL_MODELS else pinned.with_value("model", model)


def runs_of(judged: Sequence[Judged], known: Sequence[Known] = ()) -> list[Run]:
    """Those with at least one day that is a gap; a difference that is known keeps its id."""
    taken: set[str] = set()
    found = []
    for provider, model, days in _grouped(judged):
        window = window_of(each.item.day for each in days)
        scope = scope_of(provider, model)
        same = [k for k in known if k.scope == scope and k.window.overlap(window) and k.id not in taken]
        first = min(same, key=lambda k: (k.window.start_at, k.id), default=None)
        shared = days[0].explained.shared if days[0].explained else ""
        fresh = fact_id("inc", "reconciliation", provider, model, str(days[0].item.day), shared)
        id_ = first.id if first else fresh
        taken.add(id_)
        found.append(Run(id_, provider, model, tuple(days)))
    return sorted(found, key=lambda run: (run.window.start_at, run.provider, run.model))


def _grouped(judged: Sequence[Judged]) -> Iterator[tuple[str, str, list[Judged]]]:
    """By provider and model, or by the discount that models share; a day that agrees ends it."""
    series: defaultdict[tuple[str, str], list[Judged]] = defaultdict(list)
    shared: defaultdict[tuple[str, str], list[Judged]] = defaultdict(list)
    for each in sorted(judged, key=lambda j: (j.item.provider, j.item.day, j.item.model)):
        if each.explained is not None and each.explained.shared:
            shared[each.item.provider, each.explained.shared].append(each)
        else:
            series[each.item.provider, each.item.model].append(each)
    for (provider, model), days in series.items():
        yield from ((provider, model, part) for part in _parts(days))
    for (provider, _), days in shared.items():
        yield from ((provider, ALL_MODELS, part) for part in _told(days))


def _parts(days: Sequence[Judged]) -> Iterator[list[Judged]]:
    part: list[Judged] = []
    for each in days:
        if part and not _goes_on(part[-1], each):
            yield from _told(part)
            part = []
        if each.status != "agrees":
            part.append(each)
    yield from _told(part)


def _goes_on(before: Judged, each: Judged) -> bool:
    if before.explained is None or each.explained is None:
        return False
    return before.explained.reason == each.explained.reason


def _told(part: list[Judged]) -> Iterator[list[Judged]]:
    """Small days alone are not worth an incident."""
    if any(each.status == "gap" for each in part):
        yield part
