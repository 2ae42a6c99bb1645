"""From the spool into the ledger: folded, loaded once the hour is over, then marked; late points restate."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ledger.catalogue import utc_naive
from ledger.errors import RefusedError
from ledger.ingest.load import LoadOptions
from ledger.ingest.result import IngestResult, added, limited
from ledger.ingest.scopes import Attribution
from ledger.pulled import Stream
from ledger.store import Ledger
from ledger.window import floor_hour
from tokensleuth.connectors.loading import load_lines, rejected_result
from tokensleuth.connectors.naming import with_names
from tokensleuth.connectors.port import Line
from tokensleuth.connectors.syncing import Into, StreamOutcome
from tokensleuth.otlp.changed import changed_rows, note_loaded, note_told, signals_in_force
from tokensleuth.otlp.folding import Folded, fold
from tokensleuth.otlp.settings import BookedSignal, OtlpSettings
from tokensleuth.otlp.spool import Spool, put_fact

STREAM = Stream("otlp", "received")


@dataclass(frozen=True, slots=True)
class FlushRules:
    """What of the settings a flush needs."""

    signal: BookedSignal = "auto"
    settle: timedelta = timedelta(seconds=120)
    keep: timedelta = timedelta(days=35)

    @classmethod
    def of(cls, settings: OtlpSettings) -> "FlushRules":
        return cls(
            settings.signal, timedelta(seconds=settings.settle_seconds), timedelta(days=settings.keep_days)
        )


def flush_spool(spool: Spool, into: Into, now: datetime, rules: FlushRules | None = None) -> StreamOutcome:
    """Load the hours that are over; a kill at any moment loses and doubles nothing.

    Raises UnreachableError where spool or ledger cannot be used now. Two at once would let an older sum win:
    they must take turns, as those do who open the ledger.
    """
    rules = rules or FlushRules()
    folded = fold(spool)
    until = floor_hour(now - rules.settle)
    outcome = StreamOutcome(STREAM.source, STREAM.name, complete_until=until, result=_folded_result(folded))
    if spool.fact("folds") == "0":
        return replace(outcome, complete_until=None)
    try:
        with into.opened() as ledger:
            renewed = _is_renewed(spool, ledger)
            result, twice = _load_changed(spool, ledger, into, until, now, rules.signal)
            ledger.pulled.finish(STREAM, complete_until=until, keep=rules.keep, now=now)
    except RefusedError as error:
        return replace(outcome, error=str(error), complete_until=None)
    _forget(spool, until, now - rules.keep)
    result = added([outcome.result, result])
    return replace(outcome, result=result.with_warnings(*renewed, *_told_twice(twice, rules.signal)))


def _load_changed(
    spool: Spool, ledger: Ledger, into: Into, until: datetime, now: datetime, signal: BookedSignal
) -> tuple[IngestResult, Counter[str]]:
    signals = signals_in_force(spool, signal)
    attribution = with_names(into.attribution, into.owners, ledger.pulled.names())
    options = LoadOptions(now=utc_naive(now), format="usage", focus_tags=into.tags)
    results, twice = [], Counter[str]()
    while changed := changed_rows(spool, _hour_number(until), signals):
        note_told(spool, changed)
        results.append(_loaded(ledger, into, changed.lines, options, attribution))
        note_loaded(spool, changed)
        twice += changed.twice
    return added(results), twice


def _loaded(
    ledger: Ledger, into: Into, lines: Sequence[Line], options: LoadOptions, attribution: Attribution
) -> IngestResult:
    path = into.folder / f"{STREAM.source}.{STREAM.name}.jsonl"
    return load_lines(ledger, lines, path, options, attribution=attribution, book=into.book)


def _is_renewed(spool: Spool, ledger: Ledger) -> list[str]:
    """A warning where the ledger was fed from another spool, which is gone."""
    if spool.fact("closed_until") or ledger.pulled.complete_until(STREAM) is None:
        return []
    return ["otlp: the spool is new and the ledger is not: what is sent or ingested again counts again"]


def _forget(spool: Spool, until: datetime, before: datetime) -> None:
    """What cannot be restated any more, or come again; what is not loaded stays."""
    hour, second = _hour_number(before), int(before.timestamp())
    with spool.writing() as connection:
        put_fact(connection, "closed_until", _hour_number(until))
        forgotten = connection.execute("delete from processes where last < ?", (second * 10**9,)).rowcount
        if forgotten:
            connection.execute("delete from series where process not in (select key from processes)")
            put_fact(connection, "forgotten_until", second)
        pruned = connection.execute("delete from hours where hour < ? and changed = loaded", (hour,)).rowcount
        if pruned:
            connection.execute("delete from scopes where scope not in (select scope from hours)")
        put_fact(connection, "pruned_until", hour)
        connection.execute("delete from metric_hours where hour < ?", (hour,))
        connection.execute("delete from spans where hour < ? and changed = loaded", (hour,))
        connection.execute("delete from digests where received < ?", (second,))


def _folded_result(folded: Folded) -> IngestResult:
    told = rejected_result(folded.wrong)
    errors = limited(told.errors)
    steps = sorted(folded.steps.items())
    warnings = [_STEPS[step].format(f"{n:,}") for step, n in steps if step in _STEPS]
    warnings += [
        f"otlp: {n:,} spans of the operation {operation!r} have tokens and are not booked: whether they are "
        "calls of a model is not known"
        for operation, n in sorted(folded.left_out.items())
    ]
    return IngestResult(
        read=folded.rejected, rejected=folded.rejected, errors=errors, warnings=tuple(warnings)
    )


def _told_twice(twice: Counter[str], signal: BookedSignal) -> list[str]:
    """Which signal won, where a client sends both."""
    why = (
        "only metrics are booked" if signal == "metrics" else "its metrics tell the same hours and are booked"
    )
    return [
        f"otlp: {n:,} spans of {client} are not booked: {why}; see otlp.signal"
        for client, n in sorted(twice.items())
    ]


def _hour_number(instant: datetime) -> int:
    """Hours since 1970."""
    return int(instant.astimezone(UTC).timestamp()) // 3600


_STEPS = {
    "baseline": "otlp: {} cumulative series began before the spool: their first value is left out",
    "reset": "otlp: {} cumulative points fell, with the same start time: taken as a new count",
    "spread": "otlp: {} points cover more than an hour: spread evenly over the hours they cover",
}
