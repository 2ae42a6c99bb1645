"""Which days of which providers can be held against their bill: both sides are whole and have settled."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ledger.arrivals import StreamMark
from ledger.billed import BilledLine, TierDay, day_start, next_day
from ledger.window import floor_hour, short_text
from tokensleuth.reconciling.completeness import Feed
from tokensleuth.reconciling.settings import ReconciliationSettings
from tokensleuth.reconciling.settling import settle_delay

COSTS = "costs"
"""The stream of every source that tells what days cost."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A day that cannot be judged yet."""

    provider: str
    day: date
    why: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was pulled, by whom, and until when."""

    marks: Sequence[StreamMark]
    feeds: Sequence[Feed]
    lines: Sequence[BilledLine]
    tiers: Sequence[TierDay]
    begins: Mapping[str, datetime]
    """By provider: the first hour with usage."""
    settings: ReconciliationSettings
    now: datetime

    def sources(self) -> Mapping[str, frozenset[str]]:
        """By provider: whose costs are pulled from where."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        pulled = {mark.source for mark in self.marks if mark.stream == COSTS}
        for feed in self.feeds:
            if feed.called in pulled:
                found[feed.kind].add(feed.called)
        for line in self.lines:
            found[line.provider].add(line.source)
        return {provider: frozenset(names) for provider, names in found.items()}

    def of_days(self, days: Sequence[date]) -> tuple[frozenset[tuple[str, date]], tuple[Waiting, ...]]:
        """The days that can be judged, and those that wait, each with why."""
        ready, waiting = set(), []
        for provider, sources in sorted(self.sources().items()):
            for day in days:
                why = next(self._obstacles(provider, sources, day), None)
                if why is None:
                    ready.add((provider, day))
                else:
                    waiting.append(Waiting(provider, day, why))
        return frozenset(ready), tuple(waiting)

    def _obstacles(self, provider: str, sources: frozenset[str], day: date) -> Iterator[str]:
        end_at = day_start(next_day(day))
        settled_at = end_at + timedelta(hours=self.settings.settle_hours)
        for mark in self.marks:
            if mark.source in sources and mark.stream == COSTS and mark.complete_until < end_at:
                yield f"costs of {mark.source} are pulled until {short_text(mark.complete_until)} UTC"
        if self.now < settled_at:
            yield f"costs may still change until {short_text(settled_at)} UTC"
        for mark in self._telling(sources):
            until = min(mark.complete_until, floor_hour(mark.pulled_at - self._settle(mark.source)))
            if until < end_at:
                yield f"usage of {mark.source} {mark.stream} is complete until {short_text(until)} UTC"
        if provider in self.begins and self.begins[provider] > day_start(day):
            yield f"usage of {provider} begins at {short_text(self.begins[provider])} UTC"
        used = any(tier.provider == provider and tier.day == day for tier in self.tiers)
        if used and not any(line.provider == provider and line.day == day for line in self.lines):
            yield "the provider has told no costs of this day"

    def _telling(self, sources: frozenset[str]) -> Iterator[StreamMark]:
        """Usage reports of these sources, and of gateways, whose requests are on anybody's bill."""
        billing = {mark.source for mark in self.marks if mark.stream == COSTS}
        for mark in self.marks:
            if mark.stream != COSTS and (mark.source in sources or mark.source not in billing):
                yield mark

    def _settle(self, source: str) -> timedelta:
        kind = next((feed.kind for feed in self.feeds if feed.called == source), source)
        return settle_delay(kind)
