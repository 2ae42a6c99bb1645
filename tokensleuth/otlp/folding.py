"""What was received, folded into hours and spans: a request leaves `pending` as it is counted."""

import sqlite3
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict, cast

from pydantic_core import from_json

from ledger.sources.otlp_metrics import TokenPoint
from ledger.sources.told import Cells, Wrong
from tokensleuth.otlp.counting import PointCounter, written
from tokensleuth.otlp.spool import Spool, put_fact

_BATCH_REQUESTS = 200
_BATCH_BYTES = 1_000_000
"""Packed; some 20 times as much unpacked."""


class Payload(TypedDict):
    """As `intake` writes it."""

    wrong: list[tuple[str, str, str | None, str]]
    rejected: int
    points: NotRequired[list[tuple[str, str, int, bool, bool, int, int, int, int]]]
    scopes: NotRequired[list[dict[str, str]]]
    whole: NotRequired[bool]
    spans: NotRequired[list[tuple[str, str, str, int, int, Cells]]]
    left_out: NotRequired[dict[str, int]]


@dataclass(slots=True)
class Folded:
    """What became of what was received."""

    requests: int = 0
    wrong: list[Wrong] = field(default_factory=list)
    rejected: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    """Points by what they were: more, new, reset, baseline, old, repeat, spread."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Spans by operation."""

    def add(self, other: "Folded") -> None:
        self.requests += other.requests
        self.wrong += other.wrong
        self.rejected += other.rejected
        self.steps += other.steps
        self.left_out += other.left_out


def fold(spool: Spool) -> Folded:
    """All that is pending, a batch at a time."""
    folded = Folded()
    while (batch := _fold_batch(spool)) is not None:
        folded.add(batch)
    spool.count_pending()
    return folded


def _fold_batch(spool: Spool) -> Folded | None:
    with spool.writing() as connection:
        batch = _next_batch(connection)
        if not batch:
            return None
        facts = dict(connection.execute("select name, value from facts").fetchall())
        number = int(facts["folds"]) + 1
        folded = _folded(connection, list(batch.values()), number, facts)
        put_fact(connection, "folds", number)
        connection.executemany("delete from pending where number = ?", [(n,) for n in batch])
    return folded


def _next_batch(connection: sqlite3.Connection) -> dict[int, Payload]:
    found: dict[int, Payload] = {}
    size = 0
    rows = connection.execute(
        "select number, payload from pending order by number limit ?", (_BATCH_REQUESTS,)
    )
    for number, packed in rows:
        size += len(packed)
        if found and size > _BATCH_BYTES:
            break
        found[number] = cast(Payload, from_json(zlib.decompress(packed)))
    rows.close()
    return found


def _folded(
    connection: sqlite3.Connection, batch: Sequence[Payload], number: int, facts: Mapping[str, str]
) -> Folded:
    folded, horizon = Folded(requests=len(batch)), _horizon(facts)
    points = PointCounter(connection, number, int(facts.get("pruned_until", "0")))
    spans: list[tuple[str, str, str, int, int, Cells]] = []
    for payload in batch:
        folded.wrong += [Wrong(*wrong) for wrong in payload["wrong"]]
        folded.rejected += payload["rejected"]
        folded.left_out.update(payload.get("left_out", {}))
        spans += payload.get("spans", [])
        keys = [points.scope(cells) for cells in payload.get("scopes", [])]
        since = 0 if payload.get("whole") else horizon
        points.points += [
            (point := TokenPoint(*told), keys[point.scope], since) for told in payload.get("points", [])
        ]
    wrong = points.write()
    folded.wrong += wrong
    folded.rejected += len(wrong)
    folded.steps = points.steps
    _keep_spans(connection, spans, number)
    return folded


def _horizon(facts: Mapping[str, str]) -> int:
    """Series that began before it and are not known may have been counted elsewhere, or been forgotten."""
    return max(int(facts["born"]), int(facts.get("forgotten_until", "0"))) * 10**9


def _keep_spans(
    connection: sqlite3.Connection, spans: Sequence[tuple[str, str, str, int, int, Cells]], number: int
) -> None:
    """One told again with other values counts as told last; the parent of a call is looked at again."""
    connection.executemany(
        """insert into spans values (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, 0)
        on conflict do update set parent = excluded.parent, hour = excluded.hour, tokens = excluded.tokens,
            client = excluded.client, provider = excluded.provider, cells = excluded.cells,
            changed = excluded.changed
        where cells <> excluded.cells or parent <> excluded.parent""",
        [
            (
                trace, span, parent, hour, cells.get("client", ""), cells.get("provider", ""), tokens,
                written(cells), number,
            )
            for trace, span, parent, hour, tokens, cells in spans
        ],
    )  # fmt: skip
    connection.executemany(
        "update spans set changed = ? where trace = ? and span = ?",
        [(number, trace, parent) for trace, _, parent, *_ in spans if parent],
    )
