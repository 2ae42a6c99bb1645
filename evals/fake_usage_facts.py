"""What happened at a provider, hour by hour, for fakes of its reports to group and to serve in pages."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import JsonValue

Dims = Mapping[str, str | bool]
Row = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Fact:
    """Usage of one hour and one combination of dimensions."""

    at: datetime
    dims: Dims
    counts: Mapping[str, int]


def grouped(facts: Iterable[Fact], by: Sequence[str]) -> list[tuple[Row, dict[str, int]]]:
    """Sums by the dimensions asked for; those not asked for are left to the caller to write as null."""
    sums: dict[tuple[JsonValue, ...], dict[str, int]] = {}
    for fact in facts:
        into = sums.setdefault(tuple(fact.dims.get(name) for name in by), {})
        for name, count in fact.counts.items():
            into[name] = into.get(name, 0) + count
    return [(dict(zip(by, key, strict=True)), counts) for key, counts in sums.items()]


@dataclass(slots=True)
class Pages:
    """Cuts buckets into pages, with cursors that only the server understands."""

    most: int = 5
    """However many buckets are asked for: so that all clients meet a second page."""
    loops: bool = False
    """Always says that there is more, with the same cursor."""
    endless: bool = False
    """Always says that there is more, with a new cursor."""
    reorder: Callable[[list[JsonValue]], list[JsonValue]] = field(default=list)
    """What the server does to the buckets of a page: another order, or some of them twice."""

    def cut(self, buckets: Sequence[JsonValue], limit: int, cursor: str | None) -> Row:
        start = int(cursor.removeprefix("page_")) if cursor else 0
        end = start + min(limit, self.most)
        more = end < len(buckets) or self.loops or self.endless
        after = "page_0" if self.loops else f"page_{end}"
        return {
            "data": self.reorder([*buckets[start:end]]),
            "has_more": more,
            "next_page": after if more else None,
        }


def spans(start_at: datetime, end_at: datetime, width: timedelta) -> list[datetime]:
    """The starts of the buckets; the last one may reach beyond the end, as one that is still open does."""
    found = []
    while start_at < end_at:
        found.append(start_at)
        start_at += width
    return found
