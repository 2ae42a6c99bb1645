"""Pulls sources into the ledger, window by window: asked, loaded, then marked: a kill costs one window.

What is loaded twice is a duplicate, what changed a restatement, and what a bucket no longer has is emptied.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from ledger.catalogue import utc_naive
from ledger.errors import RefusedError
from ledger.ingest.load import LoadOptions
from ledger.ingest.result import IngestResult, added
from ledger.ingest.scopes import Attribution
from ledger.ingest.source import Tags
from ledger.owners import OwnerRule
from ledger.prices.book import PriceBook
from ledger.pseudonyms import hidden_cells, hidden_names, open_names
from ledger.pulled import Stream
from ledger.sources.told import Cells
from ledger.store import Ledger
from ledger.window import Window
from tokensleuth.connectors.loading import load_lines, rejected_result
from tokensleuth.connectors.naming import has_unnamed, named_owners, names_of, with_names, without_keys
from tokensleuth.connectors.port import DAY, Line, Report, Source, SourceStream, steps
from tokensleuth.gateways.port import GatewayError, NotSentError

Opened = Callable[[], AbstractContextManager[Ledger]]
"""The ledger, held only while something is read from or written to it."""


@dataclass(frozen=True, slots=True)
class Into:
    """Where usage goes and how it is read."""

    opened: Opened
    folder: Path
    """For the file that is being loaded."""
    book: PriceBook
    attribution: Attribution
    owners: Sequence[OwnerRule]
    tags: Tags


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a sync goes back, until when, and what it leaves out."""

    now: datetime
    lookback: timedelta
    first: timedelta
    since: datetime | None = None
    except_keys: tuple[str, ...] = ()
    """Globs of keys whose usage is told by a gateway."""


@dataclass(frozen=True, slots=True)
class StreamOutcome:
    """What came of one stream; with an error, what was loaded before it stays."""

    source: str
    stream: str
    window: Window | None = None
    complete_until: datetime | None = None
    result: IngestResult = field(default_factory=IngestResult)
    cost_lines: int = 0
    error: str | None = None
    unreachable: bool = False


def window_of(stream: SourceStream, mark: datetime | None, reach: Reach) -> Window | None:
    """From the mark, less the lookback, to the last whole hour or day; `since` only reaches further back."""
    end_at = _floor(reach.now, stream.grain)
    if mark is None:
        start_at = reach.since or end_at - reach.first
    else:
        usual = min(mark, end_at) - max(reach.lookback, stream.grain)
        start_at = min(usual, reach.since or usual)
    start_at = _floor(start_at, stream.grain)
    return Window(start_at, end_at) if start_at < end_at else None


def sync_source(
    source: Source, into: Into, reach: Reach, *, told: Callable[[str], None] = lambda _: None
) -> list[StreamOutcome]:
    """Every stream of a source; what fails in one does not keep the others out."""
    run = _Run(source, into, reach, told)
    outcomes = [run.stream(stream) for stream in source.streams]
    with into.opened() as ledger:
        ledger.pulled.own_the_unowned(named_owners(into.owners, ledger.pulled.names()))
    return outcomes


@dataclass(slots=True)
class _Run:
    """One sync of one source."""

    source: Source
    into: Into
    reach: Reach
    told: Callable[[str], None]
    names: dict[tuple[str, str, str], str] = field(default_factory=dict)
    asked_names: bool = False
    warnings: list[str] = field(default_factory=list)

    def stream(self, stream: SourceStream) -> StreamOutcome:
        mark = Stream(self.source.name, stream.name)
        with self.into.opened() as ledger:
            until = ledger.pulled.complete_until(mark)
            self.names = open_names(ledger.pulled.names(), self.into.attribution.pseudonym)
        window = window_of(stream, until, self.reach)
        outcome = StreamOutcome(self.source.name, stream.name, window, until)
        if window is None:
            return outcome
        try:
            for part in steps(window, stream.step):
                outcome = self._step(stream, mark, part, outcome)
        except GatewayError as error:
            outcome = replace(outcome, error=str(error), unreachable=isinstance(error, NotSentError))
        except RefusedError as error:
            outcome = replace(outcome, error=str(error))
        return self._with_warnings(outcome)

    def _step(self, stream: SourceStream, mark: Stream, part: Window, before: StreamOutcome) -> StreamOutcome:
        self.told(f"{mark.source} {mark.name}: {part}")
        report = stream.pull(part)
        self._resolve_names(report)
        report = without_keys(report, self.reach.except_keys, self.names)
        with self.into.opened() as ledger:
            ledger.pulled.learn_names(hidden_names(self.names, self.into.attribution.pseudonym))
            result, gone = self._load(ledger, stream, mark, report)
            costs = 0
            if report.days:
                provider, now = self.source.provider, self.reach.now
                costs = ledger.pulled.replace_costs(mark, provider, report.days, report.costs, now)
            until = ledger.pulled.finish(
                mark,
                complete_until=part.end_at,
                keep=self.reach.lookback + DAY,
                now=self.reach.now,
                gone=[str(cells["record_id"]) for cells in gone],
            )
        return replace(
            before,
            complete_until=until,
            result=added([before.result, result, rejected_result(report.wrong)]),
            cost_lines=before.cost_lines + costs,
        )

    def _load(
        self, ledger: Ledger, stream: SourceStream, mark: Stream, report: Report
    ) -> tuple[IngestResult, list[Cells]]:
        """What came of the rows, and the rows that are told no more."""
        ledger.pulled.remember(mark, self._hidden(report))
        gone = ledger.pulled.vanished(mark, report.hours, _told(report))
        emptied = [Line(f"{mark.source} {mark.name} {c['started_at']} (gone)", {**c}) for c in gone]
        options = LoadOptions(now=utc_naive(self.reach.now), format=stream.format, focus_tags=self.into.tags)
        attribution = with_names(self.into.attribution, self.into.owners, self.names)
        path = self.into.folder / f"{mark.source}.{mark.name}.jsonl"
        lines = [*report.lines, *emptied]
        result = load_lines(ledger, lines, path, options, attribution=attribution, book=self.into.book)
        return result, gone

    def _hidden(self, report: Report) -> dict[str, tuple[datetime, Cells]]:
        """What is remembered is stored, so it is hidden as what is loaded is."""
        pseudonym = self.into.attribution.pseudonym
        return {id_: (hour, hidden_cells(c, pseudonym)) for id_, (hour, c) in report.remembered.items()}

    def _resolve_names(self, report: Report) -> None:
        """By calls once in a sync, and only where an id has no name yet."""
        self.names |= names_of(report.names)
        if self.asked_names or not has_unnamed(report.lines, self.names):
            return
        self.asked_names = True
        try:
            self.names |= names_of(self.source.names())
        except GatewayError as error:
            self.warnings.append(f"{self.source.name}: names of keys and projects are not known: {error}")

    def _with_warnings(self, outcome: StreamOutcome) -> StreamOutcome:
        warnings, self.warnings = self.warnings, []
        return replace(outcome, result=outcome.result.with_warnings(*warnings))


def _told(report: Report) -> frozenset[str]:
    """The records that a report speaks of, also those that cannot be taken: they have not vanished."""
    return frozenset(report.remembered) | {w.record_id for w in report.wrong if w.record_id}


def _floor(instant: datetime, grain: timedelta) -> datetime:
    midnight = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (instant - midnight) // grain * grain
