"""Buckets into one report of a window, however often and in whatever order they were told."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date

from ledger.sources.told import Bucket, ToldCost, ToldRow, Wrong
from tokensleuth.connectors.port import Line, Report

DOUBLED = "stands twice in one bucket with other values"


def usage_report(buckets: Iterable[Bucket], rows_of: Callable[[Bucket], Iterator[ToldRow | Wrong]]) -> Report:
    """Of a bucket told again, the later telling counts."""
    rows: dict[str, tuple[Bucket, ToldRow]] = {}
    wrong: dict[str, Wrong] = {}
    hours = set()
    for bucket in buckets:
        hours.add(bucket.window.start_at)
        for item in _single(rows_of(bucket)):
            if isinstance(item, Wrong):
                key = item.record_id or item.place
                wrong[key] = item
                rows.pop(key, None)
            else:
                rows[item.record_id] = (bucket, item)
                wrong.pop(item.record_id, None)
    return Report(
        lines=[Line(row.place, {**row.cells}) for _, row in rows.values()],
        remembered={
            record_id: (bucket.window.start_at, row.cells) for record_id, (bucket, row) in rows.items()
        },
        hours=frozenset(hours),
        wrong=list(wrong.values()),
    )


def costs_report(
    buckets: Iterable[Bucket], costs_of: Callable[[Bucket], Iterator[ToldCost | Wrong]]
) -> Report:
    """Of a day told again, the later telling counts as a whole."""
    told: dict[date, list[ToldCost | Wrong]] = {
        bucket.window.start_at.date(): list(costs_of(bucket)) for bucket in buckets
    }
    items = [item for of_day in told.values() for item in of_day]
    return Report(
        costs=[item for item in items if isinstance(item, ToldCost)],
        wrong=[item for item in items if isinstance(item, Wrong)],
        days=frozenset(told),
    )


def _single(items: Iterator[ToldRow | Wrong]) -> Iterator[ToldRow | Wrong]:
    """Of one bucket: the same result twice is once, one with two values is none of them."""
    rows: dict[str, ToldRow] = {}
    doubled: dict[str, ToldRow] = {}
    for item in items:
        if isinstance(item, Wrong):
            yield item
        elif rows.setdefault(item.record_id, item).cells != item.cells:
            doubled[item.record_id] = item
    for record_id, row in rows.items():
        if record_id in doubled:
            yield Wrong(row.place, "result", None, DOUBLED, record_id)
        else:
            yield row
